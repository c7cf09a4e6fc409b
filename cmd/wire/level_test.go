package wire

import (
	"bytes"
	"encoding/json"
	"log"
	"log/slog"
	"os"
	"testing"
)

// What net/http says by package log of an origin that breaks HTTP is a line of
// the edge's own log, not text between its lines.
func TestPackageLogIsTheEdgesLog(t *testing.T) {
	r := newRig(t, base)
	r.edge.Close()
	before, flags := slog.Default(), log.Flags()
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetOutput(os.Stderr)
		log.SetFlags(flags)
	})
	var out bytes.Buffer
	e, err := Start(Options{File: r.file(), LogTo: &out, Tick: r.tick, Hangup: r.hangup})
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	out.Reset()
	log.Print("Unsolicited response")
	var line struct{ Level, Msg string }
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Level != "INFO" || line.Msg != "Unsolicited response" {
		t.Fatalf("%q: %v", out.String(), err)
	}
}
