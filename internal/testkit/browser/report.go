package browser

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Report is what a viewer would have noticed, and what the player said.
type Report struct {
	Player  Player
	Version string // the player's own word
	// Startup is from the start of the player to the first moving picture.
	Startup time.Duration
	// Played is the media played; Position where it stands; Behind how far
	// from the end of what could be played (the live edge, or the end).
	Played, Position, Behind time.Duration
	// Slipped is the wall time in which media stood still, gaps included:
	// well above their sum the machine was too slow to play.
	Slipped time.Duration
	// Height is the picture's, Frames and Dropped count decoded pictures.
	Height, Frames, Dropped int
	Ended                   bool
	Gaps                    []Gap
	Jumps                   []Jump
	Failures                []Failure
	Switches                []Switch
}

// Gap is a time in which the picture should have moved and stood still for
// longer than Play.Gap. The last one may be still open.
type Gap struct {
	Position time.Duration // in the media
	Since    time.Duration // on the page's clock
	Lost     time.Duration // how long; 0 while it is open
	Ahead    time.Duration // media buffered beyond Position when it was noticed
}

// Dry is true when the player had run out of media: the network's doing. A gap
// with media ahead is the decoder's, on a machine that is too busy to play, or a
// player that does not know how to go on; the latter lasts.
func (g Gap) Dry() bool { return g.Ahead < 500*time.Millisecond }

// Jump is a leap in the media that the viewer did not ask for.
type Jump struct{ From, To time.Duration }

// Failure is an error as the player reported it.
type Failure struct {
	Fatal   bool   `json:"fatal"`
	Code    string `json:"code"`
	Message string `json:"message"`
	URL     string `json:"url"`
}

// Switch is the player's word that it now plays from elsewhere. Servers' logs
// are the proof of who served what.
type Switch struct {
	Pathway string  `json:"name"`   // PATHWAY-ID or serviceLocation; empty when the player names none
	Origin  string  `json:"origin"` // scheme://host:port of the segment
	At      float64 `json:"at"`     // the page's clock in milliseconds
}

// state is what the sampler adds to most events; seconds.
type state struct {
	Position float64 `json:"position"`
	Behind   float64 `json:"behind"`
	Played   float64 `json:"played"`
	Slipped  float64 `json:"slipped"`
	Ahead    float64 `json:"ahead"`
	Height   int     `json:"height"`
	Frames   int     `json:"frames"`
	Dropped  int     `json:"dropped"`

	// Of single events: milliseconds on the page's clock, seconds of media.
	Since   float64 `json:"since"`
	Lost    float64 `json:"lost"`
	Startup float64 `json:"startup"`
	From    float64 `json:"from"`
	To      float64 `json:"to"`
	Version string  `json:"version"`
}

// Report sums up the playback so far.
func (p *Playback) Report() Report {
	p.b.tb.Helper()
	r := Report{Player: p.player}
	open := false
	for _, e := range p.Events() {
		var s state
		if err := json.Unmarshal(e.Data, &s); err != nil {
			p.b.tb.Fatalf("the player page sent what is not its own: %s", clip(string(e.Data)))
		}
		switch e.Type {
		case "loaded":
			r.Version = s.Version
		case "playing":
			r.Startup = milliseconds(s.Startup)
		case "stalled":
			r.Gaps = append(r.Gaps, s.gap())
			open = true
		case "gap":
			if !open { // so short that it was over at the next sample
				r.Gaps = append(r.Gaps, s.gap())
			}
			r.Gaps[len(r.Gaps)-1].Lost = milliseconds(s.Lost)
			open = false
		case "jump":
			r.Jumps = append(r.Jumps, Jump{From: seconds(s.From), To: seconds(s.To)})
		case "ended":
			r.Ended = true
			if open { // standing at the end is no stall
				r.Gaps = r.Gaps[:len(r.Gaps)-1]
				open = false
			}
		case "error":
			var f Failure
			if err := json.Unmarshal(e.Data, &f); err == nil {
				r.Failures = append(r.Failures, f)
			}
		case "pathway":
			var w Switch
			if err := json.Unmarshal(e.Data, &w); err == nil {
				r.Switches = append(r.Switches, w)
			}
		}
		switch e.Type {
		case "playing", "progress", "stalled", "gap", "jump", "ended", "stopped":
			r.Position, r.Behind, r.Played, r.Slipped = seconds(s.Position), seconds(s.Behind), seconds(s.Played), seconds(s.Slipped)
			r.Height, r.Frames, r.Dropped = s.Height, s.Frames, s.Dropped
		}
	}
	return r
}

// Fatal are the failures the player did not recover from.
func (r Report) Fatal() []Failure {
	var out []Failure
	for _, f := range r.Failures {
		if f.Fatal {
			out = append(out, f)
		}
	}
	return out
}

// String is the report for a test's log.
func (r Report) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s: started in %v, played %v to %v (%v behind), slipped %v, %d lines, %d of %d frames dropped, ended %v",
		r.Player, r.Version, r.Startup, r.Played, r.Position, r.Behind, r.Slipped, r.Height, r.Dropped, r.Frames, r.Ended)
	for _, s := range r.Switches {
		fmt.Fprintf(&out, "\n  from %s %s", s.Origin, s.Pathway)
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(&out, "\n  gap of %v at %v with %v buffered", g.Lost, g.Position, g.Ahead)
	}
	for _, j := range r.Jumps {
		fmt.Fprintf(&out, "\n  jump from %v to %v", j.From, j.To)
	}
	for _, f := range r.Failures {
		fmt.Fprintf(&out, "\n  error fatal=%v %s %s %s", f.Fatal, f.Code, f.Message, f.URL)
	}
	return out.String()
}

func (s state) gap() Gap {
	return Gap{Position: seconds(s.Position), Since: milliseconds(s.Since), Ahead: seconds(s.Ahead)}
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}

func milliseconds(ms float64) time.Duration { return seconds(ms / 1000) }
