package proxy

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"manifold/explain"
	"manifold/session"
)

// reasons lists what a trace says, a reason each.
func reasons(t *explain.Trace) string {
	var out []string
	for _, e := range t.Entries {
		out = append(out, string(e.Reason))
	}
	return strings.Join(out, " ")
}

func TestExplainAnImaginedViewer(t *testing.T) {
	s := newStage(t, func(c *Config) {
		c.Sets[0].Pathways[2].Only = []MatchConfig{{Countries: []string{"FR"}}}
	})
	if err := s.proxy.Conditions().SetDrain("public", "beta", &Drain{Who: "ops", Why: "maintenance", Since: s.now}); err != nil {
		t.Fatal(err)
	}
	im := &Imagined{URL: "https://edge.example/news/master.m3u8?device=hlsjs", Country: session.Country{'D', 'E'}, ASN: 3320, Address: netip.MustParseAddr("198.51.100.1"), Device: "shaka", Tier: "gold"}
	got, err := s.proxy.Explain(t.Context(), im)
	if err != nil {
		t.Fatal(err)
	}
	const want = "listen.imaginary route.any-host access.assumed device.named choose.split choose.drained choose.forbidden fetch.miss compile.done plan.steered plan.token plan.token render.plain"
	if r := reasons(got.Trace); r != want {
		t.Errorf("got  %s\nwant %s", r, want)
	}
	var text strings.Builder
	if err := got.Trace.Text(&text); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), "\n"); n >= 40 {
		t.Errorf("%d lines", n)
	}
	for _, part := range []string{"country DE", "tier gold", "by ops: maintenance", "shaka", "format akamai"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("%q is not in\n%s", part, text.String())
		}
	}
	if got.Status != 200 || !strings.Contains(got.Body, `PATHWAY-ID="alpha"`) || strings.Contains(got.Body, "gamma") {
		t.Errorf("%d\n%s", got.Status, got.Body)
	}
	// Another viewer, another answer, side by side.
	im.Country, im.Device = session.Country{'F', 'R'}, "conservative"
	other, err := s.proxy.Explain(t.Context(), im)
	if err != nil {
		t.Fatal(err)
	}
	var diff strings.Builder
	if err := explain.Diff(&diff, got.Trace, other.Trace); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(diff.String(), "< device") || !strings.Contains(diff.String(), "> device") {
		t.Error(diff.String())
	}
}

func TestExplainFollowsTheClockAsked(t *testing.T) {
	s := newStage(t, nil)
	until := s.now.Add(time.Hour)
	if err := s.proxy.Conditions().AddOverride("public", Override{ID: "1", Pathway: "gamma", Who: "ops", Why: "a match", Until: until}); err != nil {
		t.Fatal(err)
	}
	im := &Imagined{URL: "https://edge.example/news/manifest.mpd", Device: "dashjs"}
	for at, want := range map[time.Time]bool{{}: true, s.now.Add(2 * time.Hour): false} {
		im.At = at
		got, err := s.proxy.Explain(t.Context(), im)
		if err != nil {
			t.Fatal(err)
		}
		if has := strings.Contains(reasons(got.Trace), "choose.override"); has != want {
			t.Errorf("at %v: %s", at, reasons(got.Trace))
		}
	}
}

func TestExplainSaysWhyNot(t *testing.T) {
	s := newStage(t, nil)
	for url, want := range map[string]string{
		"https://edge.example/nothing/x.m3u8":                   "route.none",
		"https://edge.example/news/~x":                          "route.address",
		"https://edge.example/news/master.m3u8?token=x.y.z":     "access.refused",
		"https://edge.example/news/absent.m3u8":                 "fetch.failed",
		"https://edge.example/news/junk.mpd":                    "compile.failed",
		"https://edge.example/news/v360/index.m3u8":             "plan.redirect",
		"https://edge.example/news/v360/seg7.m4s":               "plan.segments",
		"https://edge.example/.manifold/steer/news/~" + "AAAA":  "access.refused",
		"http://edge.example/open/manifest.mpd?device=nonsense": "access.open",
	} {
		got, err := s.proxy.Explain(t.Context(), &Imagined{URL: url, Device: map[bool]string{true: "hlsjs"}[!strings.Contains(url, "device")]})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(reasons(got.Trace), want) {
			t.Errorf("%s: %s, want %s among them", url, reasons(got.Trace), want)
		}
	}
	for _, url := range []string{"", "/news/x.m3u8", "ftp://edge.example/x", "https://edge.example/a/../b"} {
		if _, err := s.proxy.Explain(t.Context(), &Imagined{URL: url}); err == nil {
			t.Errorf("%q was explained", url)
		}
	}
	im := &Imagined{URL: "https://edge.example/news/master.m3u8", Device: "rokku"}
	if _, err := s.proxy.Explain(t.Context(), im); err == nil || !strings.Contains(err.Error(), `"rokku"`) || !strings.Contains(err.Error(), "roku") {
		t.Errorf("a device that there is not: %v, want its name and those there are", err)
	}
}

func TestExplainHeader(t *testing.T) {
	const secretText = "tell me"
	s := newStage(t, func(c *Config) { c.Explain = []byte(secretText) })
	target := "/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(nil)
	if res := s.ask("GET", target, fields{explainHeader: "guess"}).ok(t); res.header[explainHeader] != "" {
		t.Error("a wrong secret was told")
	}
	res := s.ask("GET", target, fields{explainHeader: secretText}).ok(t)
	var trace explain.Trace
	if err := json.Unmarshal([]byte(res.header[explainHeader]), &trace); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(reasons(&trace), "listen.real route.any-host access.token device.named choose.stay") || !strings.HasPrefix(res.body, "#EXTM3U") {
		t.Errorf("%s\n%s", reasons(&trace), res.body)
	}
	if strings.Contains(res.header[explainHeader], s.viewerToken(nil)) || regexp.MustCompile(`~[A-Za-z0-9_-]{104}`).MatchString(res.header[explainHeader]) {
		t.Error("a token or a session is in the trace")
	}
	body := s.ask("GET", target+"&explain", fields{explainHeader: secretText}).ok(t)
	if err := json.Unmarshal([]byte(body.body), &trace); err != nil || body.header["Cache-Control"] != "no-store" {
		t.Errorf("%v %v: %s", err, body.header, body.body)
	}
	refused := s.ask("GET", "/news/master.m3u8", fields{explainHeader: secretText})
	if refused.status != 401 || !strings.Contains(refused.header[explainHeader], "access.refused") {
		t.Errorf("%+v", refused)
	}
}
