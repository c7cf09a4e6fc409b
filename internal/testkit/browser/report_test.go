package browser

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
)

// told is a page that heard the messages, without a browser behind it.
func told(t *testing.T, messages ...string) *Playback {
	t.Helper()
	p := &Page{b: &Browser{tb: t, timeout: time.Second}, ctx: t.Context(), changed: make(chan struct{})}
	for _, m := range messages {
		p.listen(&runtime.EventBindingCalled{Name: binding, Payload: m})
	}
	return &Playback{Page: p, player: HLSJS}
}

func TestReport(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, c := range []struct {
		name     string
		messages []string
		want     Report
	}{
		{"a stall that ended", []string{
			`{"type":"loaded","version":"1.7.4"}`,
			`{"type":"playing","startup":400.2,"position":0.04}`,
			`{"type":"stalled","since":5000,"position":4.5,"ahead":0.06}`,
			`{"type":"gap","since":5000,"lost":1300.4,"position":4.6}`,
			`{"type":"ended","position":8,"played":7.96,"slipped":1.3504,"height":180,"frames":200,"dropped":2}`,
		}, Report{Version: "1.7.4", Startup: ms(400), Position: ms(8000), Played: ms(7960), Slipped: ms(1350), Height: 180, Frames: 200, Dropped: 2,
			Ended: true, Gaps: []Gap{{Position: ms(4500), Since: ms(5000), Lost: ms(1300), Ahead: ms(60)}}}},
		{"a stall seen only when it was over", []string{
			`{"type":"gap","since":10,"lost":300,"position":1}`,
		}, Report{Position: ms(1000), Gaps: []Gap{{Position: ms(1000), Since: ms(10), Lost: ms(300)}}}},
		{"a stall without an end stays open", []string{
			`{"type":"stalled","since":10,"position":1}`,
			`{"type":"stopped","position":1}`,
		}, Report{Position: ms(1000), Gaps: []Gap{{Position: ms(1000), Since: ms(10)}}}},
		{"standing at the end is no stall", []string{
			`{"type":"stalled","since":10,"position":8}`,
			`{"type":"ended","position":8}`,
		}, Report{Position: ms(8000), Ended: true, Gaps: []Gap{}}},
		{"switches, jumps and errors", []string{
			`{"type":"pathway","at":7,"name":"alpha","origin":"https://a.example","position":0}`,
			`{"type":"jump","from":1,"to":3,"position":3}`,
			`{"type":"error","fatal":true,"code":"x","message":"y","url":"z"}`,
			`{"type":"error","fatal":false,"code":"w"}`,
		}, Report{Position: ms(3000), Switches: []Switch{{Pathway: "alpha", Origin: "https://a.example", At: 7}}, Jumps: []Jump{{ms(1000), ms(3000)}},
			Failures: []Failure{{true, "x", "y", "z"}, {Code: "w"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Player = HLSJS
			got := told(t, c.messages...).Report()
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			if fatal := len(got.Fatal()); fatal > len(got.Failures) || (c.name == "switches, jumps and errors") != (fatal == 1) {
				t.Errorf("%d fatal failures", fatal)
			}
		})
	}
}

// A wait sees what was said before it began, what is said while it waits, and
// nothing twice.
func TestWaitEvent(t *testing.T) {
	p := told(t, `{"type":"a"}`, `{"type":"b"}`)
	any := func(Event) bool { return true }
	e, next := p.WaitEvent(0, time.Second, "event", any)
	if e.Type != "a" || next != 1 {
		t.Errorf("first wait: %s, next %d", e.Type, next)
	}
	if e, next = p.WaitEvent(next, time.Second, "b", any); e.Type != "b" || next != 2 {
		t.Errorf("second wait: %s, next %d", e.Type, next)
	}
	go p.listen(&runtime.EventBindingCalled{Name: binding, Payload: `{"type":"c","n":1}`})
	e, _ = p.WaitEvent(next, 10*time.Second, "c", any)
	var data struct{ N int }
	if err := json.Unmarshal(e.Data, &data); e.Type != "c" || err != nil || data.N != 1 {
		t.Errorf("third wait: %s %s", e.Type, e.Data)
	}
	p.listen(&runtime.EventBindingCalled{Name: binding, Payload: `{`})
	p.listen(&runtime.EventBindingCalled{Name: "other", Payload: `{"type":"d"}`})
	if events := p.Events(); len(events) != 4 || events[3].Type != "malformed" {
		t.Errorf("events %v, want the fourth to be malformed and no fifth", events)
	}
}

// scriptOf is the PACKAGE/FILE that the player page loads for a player.
func scriptOf(t *testing.T, page string, player Player) string {
	t.Helper()
	m := regexp.MustCompile(regexp.QuoteMeta(`"`+string(player)+`": {`) + `.*script: "([^"]+)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("the player page does not know %s", player)
	}
	return m[1]
}

func listed(list, script string) bool {
	pkg, file, _ := strings.Cut(script, "/")
	for line := range strings.Lines(list) {
		if f := strings.Fields(line); len(f) == 3 && f[1] == pkg && path.Base(f[2]) == file {
			return true
		}
	}
	return false
}

// Every player the page offers is one whose file the lists of assets name.
func TestPlayersAreListed(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(root(), "assets", "files.txt"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := playerFiles.ReadFile("player/rig.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, player := range []Player{HLSJS, DashJS, Shaka, HLSJSOld, DashJSOld, ShakaOld} {
		script := scriptOf(t, string(page), player)
		if !listed(string(list), script) {
			t.Errorf("%s is played with %s, which assets/files.txt does not take", player, script)
		}
	}
}
