package origin

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"manifold/exchange"
)

// TestConditionsAndRanges is RFC 9110, sections 13 and 14, from the cached
// whole: the origin never sees them.
func TestConditionsAndRanges(t *testing.T) {
	const body = "0123456789"
	o := newScript(t, says(body, `ETag: "v1"`, "Last-Modified: "+anHourAgo, "Content-Type: video/mp4", "Cache-Control: max-age=60"))
	r := newRig(t, Config{Name: "cdn"})
	g := r.group(nil, o.URL)
	for _, test := range []struct {
		rng, ifRange, inm, ims string
		status                 int
		body, contentRange     string
	}{
		{"", "", "", "", 200, body, ""},
		{"bytes=0-3", "", "", "", 206, "0123", "bytes 0-3/10"},
		{"bytes=3-3", "", "", "", 206, "3", "bytes 3-3/10"},
		{"Bytes=8-", "", "", "", 206, "89", "bytes 8-9/10"},
		{"bytes=0-", "", "", "", 206, body, "bytes 0-9/10"},
		{"bytes=5-99", "", "", "", 206, "56789", "bytes 5-9/10"},
		{"bytes=5-99999999999999999999999", "", "", "", 206, "56789", "bytes 5-9/10"},
		{"bytes=-3", "", "", "", 206, "789", "bytes 7-9/10"},
		{"bytes=-99", "", "", "", 206, body, "bytes 0-9/10"},
		{"bytes=-0", "", "", "", 416, "", "bytes */10"},
		{"bytes=10-", "", "", "", 416, "", "bytes */10"},
		{"bytes=10-12", "", "", "", 416, "", "bytes */10"},
		{"bytes=99999999999999999999999-", "", "", "", 416, "", "bytes */10"},
		{"bytes=5-3", "", "", "", 200, body, ""},
		{"bytes=-", "", "", "", 200, body, ""},
		{"bytes=a-b", "", "", "", 200, body, ""},
		{"bytes=1-2,4-5", "", "", "", 200, body, ""},
		{"bytes 1-2", "", "", "", 200, body, ""},
		{"items=1-2", "", "", "", 200, body, ""},
		{"bytes=+1-2", "", "", "", 200, body, ""},
		{"bytes=0-3", `"v1"`, "", "", 206, "0123", "bytes 0-3/10"},
		{"bytes=0-3", `"v2"`, "", "", 200, body, ""},
		{"bytes=0-3", `W/"v1"`, "", "", 200, body, ""},
		{"bytes=0-3", anHourAgo, "", "", 206, "0123", "bytes 0-3/10"},
		{"bytes=0-3", date, "", "", 200, body, ""},
		{"bytes=0-3", "nonsense", "", "", 200, body, ""},
		{"", "", `"v1"`, "", 304, "", ""},
		{"", "", `W/"v1"`, "", 304, "", ""},
		{"", "", `"a", W/"b" ,"v1"`, "", 304, "", ""},
		{"", "", "*", "", 304, "", ""},
		{"", "", `"v2"`, "", 200, body, ""},
		{"", "", `"v2"`, anHourAgo, 200, body, ""}, // If-None-Match goes before
		{"", "", `"open`, "", 200, body, ""},
		{"", "", "v1", "", 200, body, ""},
		{"", "", "", anHourAgo, 304, "", ""},
		{"", "", "", date, 304, "", ""},
		{"", "", "", dayAgo, 200, body, ""},
		{"", "", "", "nonsense", 200, body, ""},
		{"bytes=0-3", "", `"v1"`, "", 304, "", ""},
		{"bytes=0-3", "", `"v2"`, "", 206, "0123", "bytes 0-3/10"},
	} {
		req := Request{Group: g, Class: Segment, Path: "s.m4s", Range: test.rng, IfRange: test.ifRange, IfNoneMatch: test.inm, IfModifiedSince: test.ims}
		a, err := r.Fetch(t.Context(), &req)
		if err != nil {
			t.Fatal(err)
		}
		size := a.Size()
		whole, err := a.Bytes()
		if err != nil || a.Status() != test.status || string(whole) != test.body || size != int64(len(test.body)) {
			t.Errorf("%+v: %d %q (size %d) %v", test, a.Status(), whole, size, err)
		}
		ex := exchange.Acquire(t.Context(), nil)
		a.Respond(ex)
		var read []byte
		if ex.Stream != nil {
			read, err = io.ReadAll(ex.Stream)
		}
		if err != nil || string(read) != test.body || ex.Status != test.status || ex.ResponseField("Content-Range") != test.contentRange {
			t.Errorf("%+v: written: %d %q, %q, %v", test, ex.Status, read, ex.ResponseField("Content-Range"), err)
		}
		exchange.Release(ex)
	}
	if n := o.requests.Load(); n != 1 {
		t.Errorf("%d origin requests, want 1", n)
	}
	if h := o.lastRequest().Header; h.Get("Range") != "" || h.Get("If-None-Match") != "" {
		t.Errorf("the origin saw %v", h)
	}
}

// TestRespond is how a cache passes an answer on.
func TestRespond(t *testing.T) {
	o := newScript(t, says("media", `ETag: "v1"`, "Content-Type: video/mp4", "Cache-Control: max-age=60", "Age: 5", "Server: nginx"))
	r := newRig(t, Config{Name: "cdn-a"})
	g := r.group(nil, o.URL)
	r.must(g, Segment, "s.m4s")
	r.add(10 * time.Second)
	a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Segment, Path: "s.m4s"})
	if err != nil {
		t.Fatal(err)
	}
	ex := exchange.Acquire(t.Context(), nil)
	defer exchange.Release(ex)
	a.Respond(ex)
	want := map[string]string{
		"Etag": `"v1"`, "Content-Type": "video/mp4", "Cache-Control": "max-age=60", "Age": "15",
		"Cache-Status": "cdn-a; hit; ttl=45", "Accept-Ranges": "bytes",
	}
	for _, f := range ex.Fields() {
		if want[f.Name] != f.Value {
			t.Errorf("%s: %s", f.Name, f.Value)
		}
		delete(want, f.Name)
	}
	if len(want) > 0 || ex.StreamSize != 5 {
		t.Errorf("missing %v; size %d", want, ex.StreamSize)
	}
}

// TestRangeWhileFilling: a range of known length is answered before the whole
// is there; where the length is not known yet, as soon as its bytes are.
func TestRangeWhileFilling(t *testing.T) {
	for name, length := range map[string]string{"length known": "10", "length unknown": ""} {
		t.Run(name, func(t *testing.T) {
			rest := make(chan struct{})
			o := newScript(t, func(w http.ResponseWriter, _ *http.Request) {
				if length != "" {
					w.Header().Set("Content-Length", length)
				}
				_, _ = io.WriteString(w, "01234")
				w.(http.Flusher).Flush()
				<-rest
				_, _ = io.WriteString(w, "56789")
			})
			r := newRig(t, Config{})
			g := r.group(nil, o.URL)
			a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Segment, Path: "s", Range: "bytes=1-3"})
			if err != nil {
				t.Fatal(err)
			}
			cr := string(a.AppendContentRange(nil))
			if want := "bytes 1-3/" + or(length, "*"); a.Status() != 206 || cr != want {
				t.Errorf("%d %s, want %s", a.Status(), cr, want)
			}
			rd := a.Reader()
			if b, err := io.ReadAll(rd); string(b) != "123" || err != nil {
				t.Errorf("%q %v", b, err)
			}
			_ = rd.Close()
			open, err := r.Fetch(t.Context(), &Request{Group: g, Class: Segment, Path: "s", Range: "bytes=4-"})
			if err != nil {
				t.Fatal(err)
			}
			close(rest)
			want := map[string]string{"10": "456789", "": "0123456789"}[length]
			rd = open.Reader()
			if b, err := io.ReadAll(rd); string(b) != want || err != nil {
				t.Errorf("open range: %d %q %v", open.Status(), b, err)
			}
			_ = rd.Close()
		})
	}
}

// TestRangeBeyondWhatCame: a part was promised before the length was known, and
// the body turns out to be shorter.
func TestRangeBeyondWhatCame(t *testing.T) {
	o := newScript(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "01234")
		w.(http.Flusher).Flush()
	})
	r := newRig(t, Config{})
	res, err := r.ask(&Request{Group: r.group(nil, o.URL), Class: Segment, Path: "s", Range: "bytes=2-9"})
	if err != nil || res.status != 206 || res.body != "234" {
		t.Errorf("%+v %v", res, err)
	}
	if !strings.Contains(res.cache, "fwd=uri-miss") {
		t.Errorf("%s", res.cache)
	}
}
