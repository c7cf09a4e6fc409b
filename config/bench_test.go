package config

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"manifold/origin"
	"manifold/proxy"
)

// thousand is a file of 1,000 channels that share ten sets of three CDNs with
// tokens.
func thousand() []byte {
	var b strings.Builder
	b.WriteString("sessions: {keys: env:K}\npathways:\n")
	for i := range 10 {
		fmt.Fprintf(&b, "  set%d:\n", i)
		for _, f := range []string{"akamai", "bunny", "mediacdn"} {
			fmt.Fprintf(&b, "    - {id: %s, base: https://%s%d.example, token: {format: %s, keys: env:K}}\n", f, f, i, f)
		}
	}
	b.WriteString("channels:\n")
	for i := range 1000 {
		fmt.Fprintf(&b, `  - name: channel%d
    origin: https://origin.example/live/channel%d/
    pathways: set%d
    steering: {ttl: 10s}
    access:
      token: jwt
      issuers:
        - name: login.example
          keys:
            - {algorithm: HS256, key: env:K}
`, i, i, i%10)
	}
	return []byte(b.String())
}

func thousandLoader() *Loader {
	return &Loader{LookupEnv: func(string) (string, bool) { return key32, true }}
}

// BenchmarkThousandChannels is what a reload of a large file costs.
func BenchmarkThousandChannels(b *testing.B) {
	data := thousand()
	b.Run("check", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := thousandLoader().Parse("manifold.yml", data, All); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check+load", func(b *testing.B) {
		shield, err := origin.New(origin.Config{}, time.Now, func() float64 { return 0 })
		if err != nil {
			b.Fatal(err)
		}
		defer shield.Close()
		p := proxy.New(shield, slog.New(slog.DiscardHandler), time.Now)
		b.ReportAllocs()
		for b.Loop() {
			cfg, err := thousandLoader().Parse("manifold.yml", data, All)
			if err != nil {
				b.Fatal(err)
			}
			if err := p.Load(&cfg.Proxy); err != nil {
				b.Fatal(err)
			}
		}
	})
}
