package explain

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/explain.md")

func sample() *Trace {
	t := &Trace{}
	t.Listen(ListenReal, "h3", "GET", "edge.example", "/news/master.m3u8", "192.0.2.7")
	t.Route(RouteAnyHost, "news", "/news", "master.m3u8")
	t.Access(AccessToken, "0011223344556677", "DE", "", time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	t.Device(DeviceNamed, "hlsjs", "")
	t.Pathway(1, "alpha", ChooseSplit, 50, 61.2, "")
	t.Pathway(2, "beta", ChooseDrained, 30, 44, "by ops: maintenance")
	t.Fetch(FetchHit, "master.m3u8", 1200*time.Millisecond, 800*time.Millisecond, "")
	t.Compile(CompileDone, "hls-multivariant", false, 0, 3, "")
	t.Plan(PlanSteered, "", "alpha, beta")
	t.Render(RenderGzip, 200, 912, "")
	return t
}

func TestText(t *testing.T) {
	var b strings.Builder
	if err := sample().Text(&b); err != nil {
		t.Fatal(err)
	}
	const want = `listen   h3: the request came over a socket (method GET, host edge.example, path /news/master.m3u8, address 192.0.2.7)
route    news: no channel names the host; among the channels for any host the prefix is the longest that fits (prefix /news, rest master.m3u8)
access   0011223344556677: the viewer's token was verified and allows the path (country DE, expires 2026-11-24T00:00:00Z)
device   hlsjs: the request names its device profile
choose   alpha: the weighted split of sessions puts it here (rank 1, weight 50, score 61.2)
         beta: an operator drains it (rank 2, weight 30, score 44, detail by ops: maintenance)
fetch    master.m3u8: the shield had it, fresh (age 1.2s, fresh for 800ms)
compile  hls-multivariant: the template of this version, made once and kept beside it (state finished, variants 3)
plan     the player follows content steering: every pathway is declared, with the steering server (detail alpha, beta)
render   200: the same, on the compressed template (bytes 912)
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestDiff(t *testing.T) {
	a, b := sample(), sample()
	b.Entries[3].Subject = "shaka"
	b.Entries = append(b.Entries[:5], b.Entries[6:]...)
	last := len(b.Entries) - 2
	b.Plan(PlanRedirect, "", "")
	b.Render(RenderPlain, 200, 9120, "")
	b.Entries[last], b.Entries[last+1], b.Entries[last+2] = b.Entries[last+2], b.Entries[last], b.Entries[last+3]
	b.Entries = b.Entries[:last+3]
	var out strings.Builder
	if err := Diff(&out, a, b); err != nil {
		t.Fatal(err)
	}
	const want = `  listen   h3: the request came over a socket (method GET, host edge.example, path /news/master.m3u8, address 192.0.2.7)
  route    news: no channel names the host; among the channels for any host the prefix is the longest that fits (prefix /news, rest master.m3u8)
  access   0011223344556677: the viewer's token was verified and allows the path (country DE, expires 2026-11-24T00:00:00Z)
< device   hlsjs: the request names its device profile     │ > device   shaka: the request names its device profile
  choose   alpha: the weighted split of sessions puts it here (rank 1, weight 50, score 61.2)
< choose   beta: an operator drains it (rank 2, weight 30, │
           score 44, detail by ops: maintenance)           │
  fetch    master.m3u8: the shield had it, fresh (age 1.2s, fresh for 800ms)
  compile  hls-multivariant: the template of this version, made once and kept beside it (state finished, variants 3)
                                                           │ > plan     a media playlist at its entry address: the
                                                           │            player is sent to its session address, where it
                                                           │            stays
  plan     the player follows content steering: every pathway is declared, with the steering server (detail alpha, beta)
< render   200: the same, on the compressed template       │ > render   200: copied spans, filled slots (bytes 9120)
           (bytes 912)                                     │
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestJSON(t *testing.T) {
	raw, err := json.Marshal(sample())
	if err != nil {
		t.Fatal(err)
	}
	var back Trace
	if err := json.Unmarshal(raw, &back); err != nil || len(back.Entries) != 10 || back.Entries[0].Reason != ListenReal {
		t.Errorf("%v: %s", err, raw)
	}
}

func TestEveryReasonIsExplainedOnce(t *testing.T) {
	seen := map[Reason]bool{}
	for _, m := range Reasons() {
		if seen[m.Reason] || m.Text == "" || !strings.HasPrefix(string(m.Reason), string(m.Stage)+".") {
			t.Errorf("%+v", m)
		}
		seen[m.Reason] = true
	}
	source, err := os.ReadFile("reason.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), " Reason = \""); n != len(seen) {
		t.Errorf("%d reasons are declared, %d explained", n, len(seen))
	}
}

func TestOffCostsNothing(t *testing.T) {
	var off *Trace
	if n := testing.AllocsPerRun(1000, func() {
		off.Listen(ListenReal, "h3", "GET", "h", "/p", "a")
		off.Route(RouteHost, "c", "/p", "r")
		off.Access(AccessToken, "s", "DE", "t", time.Time{})
		off.Device(DeviceNamed, "d", "ua")
		off.Pathway(1, "alpha", ChooseSplit, 1, 2, "")
		off.Fetch(FetchHit, "p", 1, 2, "")
		off.Compile(CompileDone, "k", true, 1, 2, "")
		off.Plan(PlanSteered, "", "")
		off.Token("alpha", "f", "query", "/", time.Time{})
		off.Render(RenderPlain, 200, 1, "")
		off.Refused(401, "no")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestDocsAreCurrent holds docs/explain.md to the list of reasons.
func TestDocsAreCurrent(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Why: the reasons an edge can give\n\nGenerated from `explain/reason.go` by `go generate ./explain`; do not edit.\n\n")
	b.WriteString("`manifold explain URL` and the `Manifold-Explain` header give one or more of these for each stage of a request,\nin this order. The list is closed: there is no other reason for anything.\n")
	last := Stage("")
	for _, m := range Reasons() {
		if m.Stage != last {
			fmt.Fprintf(&b, "\n## %s\n\n| reason | means |\n| --- | --- |\n", m.Stage)
			last = m.Stage
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", m.Reason, m.Text)
	}
	const name = "../docs/explain.md"
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil || string(have) != b.String() {
		t.Errorf("%s is not current: run go generate ./explain (%v)", name, err)
	}
}
