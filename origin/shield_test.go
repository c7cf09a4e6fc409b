package origin

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestHitMissAndExpiry(t *testing.T) {
	o := newScript(t, says(playlist, "Cache-Control: max-age=4", `ETag: "1"`, "Set-Cookie: a=b", "X-Internal: secret"))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)

	if res := r.must(g, Manifest, "index.m3u8"); res.state != Miss || res.body != playlist ||
		res.cache != "manifold; fwd=uri-miss; fwd-status=200; stored; ttl=4" {
		t.Errorf("first: %+v", res)
	}
	r.add(3 * time.Second)
	if res := r.must(g, Manifest, "index.m3u8"); res.state != Hit || res.age != 3*time.Second || res.cache != "manifold; hit; ttl=1" {
		t.Errorf("second: %+v", res)
	}
	if n := o.requests.Load(); n != 1 {
		t.Errorf("%d origin requests, want 1", n)
	}
	o.set(says(playlist+"#EXT-X-ENDLIST\n", "Cache-Control: max-age=4"))
	r.add(10 * time.Second)
	if res := r.must(g, Manifest, "index.m3u8"); res.state != Miss || !strings.HasSuffix(res.body, "ENDLIST\n") ||
		res.cache != "manifold; fwd=stale; fwd-status=200; stored; ttl=4" {
		t.Errorf("expired: %+v", res)
	}
	if got := o.lastRequest().Header.Get("If-None-Match"); got != `"1"` {
		t.Errorf("If-None-Match is %q", got)
	}
	c := g.Counters()
	if c.Hits != 1 || c.Misses != 2 || c.OriginRequests != 2 || c.OriginBytes == 0 {
		t.Errorf("counters: %+v", c)
	}
}

func TestOriginRequest(t *testing.T) {
	o := newScript(t, says(playlist))
	r := newRig(t, Config{Name: "edge-1"})
	g := r.group(func(c *GroupConfig) {
		c.Query = []string{"z", "a"}
		c.Headers = []string{"X-Tenant"}
		c.Origins[0].Host = "origin.example"
		c.Origins[0].URL += "/root/"
	}, o.URL)
	_, err := r.ask(&Request{Group: g, Class: Manifest, Path: "a%20b/x.m3u8",
		Query:  "_HLS_msn=7&z=1&CMCD=bl%3D1&a=2&token=s3cret&zz=9&a=1",
		Header: headers{"X-Tenant": "blue", "Cookie": "sid=1", "X-Forwarded-Host": "evil"}})
	if err != nil {
		t.Fatal(err)
	}
	req := o.lastRequest()
	if req.RequestURI != "/root/a%20b/x.m3u8?a=2&a=1&z=1" {
		t.Errorf("target is %s", req.RequestURI)
	}
	if req.Host != "origin.example" {
		t.Errorf("host is %s", req.Host)
	}
	want := http.Header{
		"User-Agent": {"edge-1"}, "Via": {"1.1 edge-1"}, "Accept": {"*/*"}, "Accept-Encoding": {"gzip"}, "X-Tenant": {"blue"},
	}
	for name, v := range req.Header {
		if strings.Join(want[name], ",") != strings.Join(v, ",") {
			t.Errorf("field %s: %q", name, v)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("not sent: %v", want)
	}
}

// headers is an exchange.Headers.
type headers map[string]string

func (h headers) Get(name string) string { return h[name] }
func (h headers) Each(f func(name, value string) bool) {
	for n, v := range h {
		if !f(n, v) {
			return
		}
	}
}

// TestPoisoning varies what a viewer can send, one thing at a time: nobody
// else's answer changes.
func TestPoisoning(t *testing.T) {
	o := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=100")
		_, _ = w.Write([]byte("#EXTM3U\n#" + r.RequestURI + r.Host + r.Header.Get("X-Forwarded-Host") + r.Header.Get("X-Original-URL") + "\n"))
	})
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	first := r.must(g, Manifest, "m.m3u8").body
	names := []string{
		"X-Forwarded-Host", "X-Forwarded-Proto", "X-Original-URL", "X-Rewrite-URL", "Host", "Cookie", "Authorization",
		"Accept-Language", "Range", "If-None-Match", "X-HTTP-Method-Override", "Forwarded", "Origin", "Cache-Control",
	}
	for _, n := range names {
		res, err := r.ask(&Request{Group: g, Class: Manifest, Path: "m.m3u8", Header: headers{n: "evil.example"}})
		if err != nil || res.body != first {
			t.Errorf("%s changed the answer: %q %v", n, res.body, err)
		}
	}
	for _, q := range []string{"x=1", "_HLS_msn=4", "CMCD=a", "utm=z&y", "?", "%00", "a;b=c", "callback=x"} {
		res, err := r.ask(&Request{Group: g, Class: Manifest, Path: "m.m3u8", Query: q})
		if err != nil || res.body != first {
			t.Errorf("query %q changed the answer: %q %v", q, res.body, err)
		}
	}
	if n := o.requests.Load(); n != 1 {
		t.Errorf("%d origin requests, want 1", n)
	}
}

func TestPathsThatAreRefused(t *testing.T) {
	o := newScript(t, says(playlist))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL+"/root")
	for _, p := range []string{
		"/x", "../x", "a/../x", "a/..", ".", "a/./b", "%2e%2e/x", "a/.%2E", "a//b", "x?y", "x#y", `a\b`, "a\x00b", "a b",
		"..%2fx", "a%5cb", "a%00", "a%0d%0ab", "%zz", "a%2", "\xc3\xbc",
	} {
		if _, err := r.fetch(g, Manifest, p); reason(err) != ErrPath {
			t.Errorf("%q: %v", p, err)
		}
	}
	for _, p := range []string{"", "a", "a/", "a%20b", "...", "a/..b", "%252e", "~x/=;,+"} {
		if _, err := r.fetch(g, Manifest, p); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func TestRevalidationKeepsWhatWasCompiled(t *testing.T) {
	lines := []string{"Cache-Control: max-age=1", `ETag: "v1"`, "Last-Modified: Sun, 01 Mar 2026 11:00:00 GMT"}
	o := newScript(t, says(playlist, lines...))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	calls := 0
	compile := func(d Document) (Compiled, error) {
		calls++
		return Compiled{Value: calls, Facts: Facts{Target: 6 * time.Second}}, nil
	}
	r.observe(g, "m.m3u8", compile)
	r.add(2 * time.Minute)
	o.set(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("If-None-Match") != `"v1"` || req.Header.Get("If-Modified-Since") == "" {
			t.Error("the request is not conditional")
		}
		w.Header().Set("Cache-Control", "max-age=50")
		w.Header().Set("Content-Type", "text/other")
		w.WriteHeader(304)
	})
	if res := r.observe(g, "m.m3u8", compile); res.state != Revalidated || res.body != playlist ||
		res.cache != "manifold; fwd=stale; fwd-status=304; stored; ttl=50" {
		t.Errorf("304: %+v", res)
	}
	r.add(49 * time.Second)
	if res := r.observe(g, "m.m3u8", compile); res.state != Hit {
		t.Errorf("after the 304: %+v", res)
	}
	r.add(2 * time.Minute)
	// The same bytes again, without validators: the version stays as well.
	o.set(says(playlist, "Cache-Control: max-age=1"))
	a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Manifest, Path: "m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	if a.ETag() != "" {
		t.Errorf("ETag is %q, want that of the new answer", a.ETag())
	}
	a.Release()
	r.observe(g, "m.m3u8", compile)
	if calls != 1 {
		t.Errorf("compiled %d times, want once", calls)
	}
	r.add(2 * time.Minute)
	o.set(says(playlist+"\n", "Cache-Control: max-age=1"))
	r.observe(g, "m.m3u8", compile)
	if calls != 2 {
		t.Errorf("a new body: compiled %d times, want twice", calls)
	}
}

func Test304ForAnotherVersion(t *testing.T) {
	o := newScript(t, says(playlist, "Cache-Control: max-age=1", `ETag: "v1"`))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	r.must(g, Manifest, "m.m3u8")
	r.add(2 * time.Minute)
	o.set(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("ETag", `"v2"`)
		if req.Header.Get("If-None-Match") != "" {
			w.WriteHeader(304)
			return
		}
		_, _ = w.Write([]byte(playlist + "#v2\n"))
	})
	if res := r.must(g, Manifest, "m.m3u8"); res.body != playlist+"#v2\n" {
		t.Errorf("%+v", res)
	}
}
