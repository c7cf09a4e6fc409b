package browser

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Player names a player and its generation; assets/package.json has the exact
// versions.
type Player string

const (
	HLSJS     Player = "hls.js"
	DashJS    Player = "dash.js"
	Shaka     Player = "shaka" // HLS and DASH
	HLSJSOld  Player = "hls.js-old"
	DashJSOld Player = "dash.js-old"
	ShakaOld  Player = "shaka-old"
)

// Play says what is played and how.
type Play struct {
	Player Player
	URL    string
	// Buffer is how much the player keeps ahead. Zero: the player's default.
	Buffer time.Duration
	// LiveDelay is how far behind the live edge it plays. Zero: its default.
	LiveDelay time.Duration
	// Start is where a VOD begins. Zero: at the beginning.
	Start time.Duration
	// Lowest keeps the player on the lowest quality, so that bitrate
	// adaptation adds no switches of its own.
	Lowest bool
	// Gap is the stall from which it is reported. Zero: 250 ms.
	Gap time.Duration
	// Config goes into the player's own configuration last, in its own words.
	Config map[string]any
}

// Playback is one running player, alone on its page. The methods that wait
// fail the test when their limit runs out or the player reports a fatal error.
type Playback struct {
	*Page
	player Player
	seen   int // events up to here were waited past
}

// Play opens the player page and starts to play. It returns when the player
// took its source, not yet playing.
func (b *Browser) Play(o Play) *Playback {
	b.tb.Helper()
	if o.Gap == 0 {
		o.Gap = 250 * time.Millisecond
	}
	options, err := json.Marshal(map[string]any{
		"player": o.Player, "url": o.URL, "lowest": o.Lowest, "gap": o.Gap.Milliseconds(),
		"buffer": o.Buffer.Seconds(), "liveDelay": o.LiveDelay.Seconds(), "start": o.Start.Seconds(),
		"config": orEmpty(o.Config),
	})
	if err != nil {
		b.tb.Fatalf("cannot describe the playback: %v", err)
	}
	p := &Playback{Page: b.Open(b.players().URL), player: o.Player}
	Eval[bool](p.Page, "rig.start("+string(options)+").then(() => true)")
	p.wait(b.timeout, "loaded")
	return p
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// WaitPlaying waits until the picture moves.
func (p *Playback) WaitPlaying(limit time.Duration) {
	p.b.tb.Helper()
	p.wait(limit, "playing")
}

// WaitPlayed waits until that much media was played, all in all.
func (p *Playback) WaitPlayed(media, limit time.Duration) {
	p.b.tb.Helper()
	p.await(limit, fmt.Sprintf("%v of played media", media), func(e Event) bool {
		var s state
		return e.Type == "progress" && json.Unmarshal(e.Data, &s) == nil && s.Played >= media.Seconds()
	})
}

// WaitStalled waits until the picture has stood still for Play.Gap because the
// player ran out of media (a gap that is Dry).
func (p *Playback) WaitStalled(limit time.Duration) {
	p.b.tb.Helper()
	p.await(limit, "stall for want of media", func(e Event) bool {
		var s state
		return e.Type == "stalled" && json.Unmarshal(e.Data, &s) == nil && s.gap().Dry()
	})
}

// WaitEnded waits for the end of the stream.
func (p *Playback) WaitEnded(limit time.Duration) {
	p.b.tb.Helper()
	p.wait(limit, "ended")
}

// WaitOrigin waits until the player says that it plays from an origin such as
// "https://cdn-a.localhost:8443".
func (p *Playback) WaitOrigin(origin string, limit time.Duration) {
	p.b.tb.Helper()
	p.await(limit, "segment from "+origin, func(e Event) bool {
		var s Switch
		return e.Type == "pathway" && json.Unmarshal(e.Data, &s) == nil && s.Origin == origin
	})
}

// Pause, Resume and Seek are the viewer's; what they cause is no gap.
func (p *Playback) Pause() {
	p.b.tb.Helper()
	Eval[bool](p.Page, "rig.pause(), true")
}

// Resume plays on after Pause.
func (p *Playback) Resume() {
	p.b.tb.Helper()
	Eval[bool](p.Page, "rig.resume().then(() => true)")
}

// Seek moves to a position and waits until the player is there.
func (p *Playback) Seek(position time.Duration) {
	p.b.tb.Helper()
	Eval[bool](p.Page, fmt.Sprintf("rig.seek(%f).then(() => true)", position.Seconds()))
}

// Stop ends the player and gives the whole report.
func (p *Playback) Stop() Report {
	p.b.tb.Helper()
	Eval[bool](p.Page, "rig.stop().then(() => true)")
	return p.Report()
}

func (p *Playback) wait(limit time.Duration, eventType string) {
	p.b.tb.Helper()
	p.await(limit, eventType, func(e Event) bool { return e.Type == eventType })
}

func (p *Playback) await(limit time.Duration, what string, match func(Event) bool) {
	p.b.tb.Helper()
	_, p.seen = p.WaitEvent(p.seen, limit, what, func(e Event) bool {
		var f Failure
		if e.Type == "error" && json.Unmarshal(e.Data, &f) == nil && f.Fatal {
			p.b.tb.Fatalf("%s gave up while its test waited for %s: %s", p.player, what, strings.TrimSpace(f.Code+" "+f.Message+" "+f.URL))
		}
		return match(e)
	})
}
