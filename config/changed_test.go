package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A configuration is as old as it says, else as its file.
func TestWhenTheConfigurationWasMade(t *testing.T) {
	name := filepath.Join(t.TempDir(), "manifold.yml")
	stamp := time.Date(2026, 11, 20, 8, 0, 0, 123456, time.UTC)
	for text, want := range map[string]time.Time{
		"log: {level: info}\n":                  stamp.Truncate(time.Second),
		"changed: 2026-11-22T20:00:00+01:00\n":  time.Date(2026, 11, 22, 19, 0, 0, 0, time.UTC),
		"changed: \"2026-11-22T19:00:00.5Z\"\n": time.Date(2026, 11, 22, 19, 0, 0, 5e8, time.UTC),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, stamp, stamp); err != nil {
			t.Fatal(err)
		}
		cfg, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if !cfg.Proxy.Since.Equal(want) {
			t.Errorf("%q: %v, want %v", text, cfg.Proxy.Since, want)
		}
	}
}
