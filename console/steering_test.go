package console

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"manifold/explain"
	"manifold/origin"
	"manifold/proxy"
)

// edgeOfTest is an edge that notes what it is told.
type edgeOfTest struct {
	override proxy.Override
	load     float64
	asked    proxy.Imagined
}

func (e *edgeOfTest) Pathways() []proxy.PathwayStatus {
	return []proxy.PathwayStatus{{Set: "public", ID: "alpha", Weight: 1, Health: "down"}}
}
func (e *edgeOfTest) Status() []proxy.PathwayStatus                 { return e.Pathways() }
func (e *edgeOfTest) SetDrain(set, id string, d *proxy.Drain) error { return nil }
func (e *edgeOfTest) Ready() error                                  { return nil }
func (e *edgeOfTest) AddOverride(set string, o proxy.Override) error {
	e.override = o
	return nil
}
func (e *edgeOfTest) RemoveOverride(set, id string) error {
	if id != "known" {
		return errors.New("no such override")
	}
	return nil
}
func (e *edgeOfTest) SetLoad(set, id string, load float64) error {
	e.load = load
	return nil
}
func (e *edgeOfTest) Explain(_ context.Context, im *proxy.Imagined) (*proxy.Explained, error) {
	e.asked = *im
	t := &explain.Trace{}
	t.Route(explain.RouteNone, "", "", "x")
	return &proxy.Explained{Trace: t, Status: 404, Body: "text"}, nil
}
func (e *edgeOfTest) EachCount(f func(proxy.Count)) {
	f(proxy.Count{Channel: "news", Kind: "mpd", Protocol: "h3", Class: 2, Requests: 7})
}
func (e *edgeOfTest) EachEvent(f func(channel, event string, n uint64)) {
	f("news", "unknown_tier", 3)
}
func (e *edgeOfTest) EachShield(f func(channel string, c origin.GroupCounters)) {
	f("news", origin.GroupCounters{Hits: 8, Coalesced: 9, OriginRequests: 11, Hedges: 1, Compiles: 6, CompileErrors: 2})
}
func (e *edgeOfTest) EachRefusal(f func(channel, stage string, n uint64))  { f("news", "access", 5) }
func (e *edgeOfTest) EachBytes(f func(channel, kind string, bytes uint64)) { f("news", "mpd", 700) }

const testToken = "the admin token of this test"

func testConsole(e *edgeOfTest) *Console {
	now := func() time.Time { return time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC) }
	c := New(Config{Token: testToken}, e, slog.New(slog.DiscardHandler), now)
	c.AddSteering(e)
	c.AddExplain(e)
	c.AddMetrics(Sources{Requests: e, Pathways: e.Pathways, Shield: func() origin.Counters { return origin.Counters{LiveEntries: 3} }, Listen: func() Connections { return Connections{TCP: 4, Requests: 12, Waiting: 10} },
		Shadow: func() map[string]uint64 { return map[string]uint64{"differs": 2} }})
	return c
}

func call(c *Console, method, path, token, body string) (int, string) {
	r := httptest.NewRequest(method, "http://localhost:9090"+path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	text, _ := io.ReadAll(w.Body)
	return w.Code, string(text)
}

func TestOverrides(t *testing.T) {
	e := &edgeOfTest{}
	c := testConsole(e)
	const good = `{"pathway":"alpha","match":{"countries":["DE"]},"who":"ops","why":"a match","until":"2026-11-23T22:00:00Z"}`
	for _, q := range []struct {
		method, path, token, body string
		status                    int
	}{
		{"POST", "/api/v1/overrides/public", "", good, 401},
		{"POST", "/api/v1/overrides/public", "wrong", good, 401},
		{"POST", "/api/v1/overrides/public", testToken, `{"pathway":"alpha"}`, 422},
		{"POST", "/api/v1/overrides/public", testToken, `{"pathway":"alpha","colour":1}`, 400},
		{"POST", "/api/v1/overrides/public", testToken, good, 201},
		{"DELETE", "/api/v1/overrides/public/known", testToken, "", 200},
		{"DELETE", "/api/v1/overrides/public/unknown", testToken, "", 404},
		{"PUT", "/api/v1/pathways/public/alpha/load", testToken, `{"load":42.5}`, 200},
		{"PUT", "/api/v1/pathways/public/alpha/load", testToken, `{"load":"much"}`, 400},
	} {
		if status, text := call(c, q.method, q.path, q.token, q.body); status != q.status {
			t.Errorf("%s %s %s: %d, want %d: %s", q.method, q.path, q.body, status, q.status, text)
		}
	}
	if e.override.Pathway != "alpha" || e.override.ID == "" || e.override.Since.IsZero() || e.override.Match.Countries[0] != "DE" || e.load != 42.5 {
		t.Errorf("%+v, load %v", e.override, e.load)
	}
}

func TestExplain(t *testing.T) {
	e := &edgeOfTest{}
	c := testConsole(e)
	status, text := call(c, "POST", "/api/v1/explain", testToken, `{"url":"https://edge.example/news/master.m3u8","from":"de","asn":3320,"device":"shaka","at":"2026-11-24T20:00:00+01:00"}`)
	if status != http.StatusOK || !strings.Contains(text, `"route.none"`) || strings.Contains(text, `"body"`) {
		t.Errorf("%d %s", status, text)
	}
	if e.asked.Country.String() != "DE" || e.asked.ASN != 3320 || e.asked.Device != "shaka" || e.asked.At.UTC().Hour() != 19 {
		t.Errorf("asked for %+v", e.asked)
	}
	for _, bad := range []string{`{}`, `{"url":"x","from":"Germany"}`, `{"url":"x","address":"1.2"}`} {
		if status, text := call(c, "POST", "/api/v1/explain", testToken, bad); status != 422 {
			t.Errorf("%s: %d %s", bad, status, text)
		}
	}
	if status, _ := call(c, "POST", "/api/v1/explain", "", `{"url":"x"}`); status != 401 {
		t.Errorf("without the token: %d", status)
	}
}

func TestMetrics(t *testing.T) {
	status, text := call(testConsole(&edgeOfTest{}), "GET", "/metrics", "", "")
	if status != http.StatusOK {
		t.Fatal(status)
	}
	for _, line := range []string{
		`manifold_requests_total{channel="news",class="2xx",kind="mpd",protocol="h3"} 7`,
		`manifold_channel_events_total{channel="news",event="unknown_tier"} 3`,
		`manifold_refusals_total{channel="news",stage="access"} 5`,
		`manifold_response_bytes_total{channel="news",kind="mpd"} 700`,
		`manifold_pathway_health{pathway="alpha",set="public",state="down"} 1`,
		`manifold_shield_entries{zone="live"} 3`,
		`manifold_connections{transport="tcp"} 4`,
		`manifold_requests_in_flight 12`,
		`manifold_requests_waiting 10`,
		`manifold_shield_requests_total{channel="news",result="hit"} 8`,
		`manifold_shield_requests_total{channel="news",result="coalesced"} 9`,
		`manifold_shield_requests_total{channel="news",result="stale-if-error"} 0`,
		`manifold_origin_requests_total{channel="news"} 11`,
		`manifold_origin_second_requests_total{channel="news",why="hedge"} 1`,
		`manifold_compiles_total{channel="news"} 6`,
		`manifold_compile_errors_total{channel="news"} 2`,
		`manifold_shadow_total{result="differs"} 2`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is not in the metrics", line)
		}
	}
}

// Metrics that the documentation names exist, and have a help and a type once.
func TestMetricsAreDocumented(t *testing.T) {
	e := testConsole(&edgeOfTest{})
	_, text := call(e, "GET", "/metrics", "", "")
	page, err := os.ReadFile("../docs/cookbook.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`manifold_[a-z_]+`).FindAllString(string(page), -1)
	if len(names) < 15 {
		t.Fatalf("%d names", len(names))
	}
	for _, name := range names {
		for _, kind := range []string{"HELP", "TYPE"} {
			// Without connection events there is no such family.
			if n := strings.Count(text, "# "+kind+" "+name+" "); n != 1 && name != "manifold_connection_events_total" {
				t.Errorf("%s: %s is there %d times", name, kind, n)
			}
		}
	}
}

func TestForeignHostsAreRefused(t *testing.T) {
	r := httptest.NewRequest("GET", "http://evil.example/api/v1/pathways", nil)
	w := httptest.NewRecorder()
	testConsole(&edgeOfTest{}).ServeHTTP(w, r)
	if w.Code != http.StatusMisdirectedRequest {
		t.Errorf("status %d", w.Code)
	}
}
