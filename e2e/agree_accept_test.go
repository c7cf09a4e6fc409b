//go:build accept

package e2e

import (
	"testing"
	"time"

	"manifold/internal/testkit/shape"
)

// Three networks.
func TestAcceptAgreeHLSJS(t *testing.T) {
	agree(t, 40*time.Second, agreement{"too slow for every quality", []shape.Step{{For: time.Hour, Bits: 150_000}}},
		agreement{"it stops for a while", []shape.Step{{For: 4 * time.Second, Bits: 250_000}, {For: 6 * time.Second, Bits: 900_000}, {For: 55 * time.Second, Bits: 20_000}, {For: time.Hour, Bits: 2_000_000}}},
		agreement{"up and down", []shape.Step{{For: 5 * time.Second, Bits: 200_000}, {For: 5 * time.Second, Bits: 80_000}}})
}
