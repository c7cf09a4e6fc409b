//go:build accept

package load

import (
	"testing"
	"time"
)

func TestAcceptCoalesce(t *testing.T) { coalesce(t, 10_000) }

func TestAcceptOriginDead(t *testing.T) { originDead(t, time.Minute) }

func TestAcceptBurst(t *testing.T) { burst(t, 100_000, 20) }

func TestAcceptReloads(t *testing.T) { reloads(t, 100, 1_000) }

func TestAcceptStop(t *testing.T) { stop(t, 1_000) }

func TestAcceptHandOver(t *testing.T) { handOver(t, 1_000) }
