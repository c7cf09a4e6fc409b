package origin

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"manifold/exchange"
)

func TestValidate(t *testing.T) {
	good := GroupConfig{Name: "g", Origins: []OriginConfig{{URL: "https://origin.example/live"}}, Query: []string{"lang"}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, test := range []struct {
		change func(*GroupConfig)
		want   string
	}{
		{func(c *GroupConfig) { c.Name = "" }, `the origin group has no name`},
		{func(c *GroupConfig) { c.Origins = nil }, `urls: there is no origin URL`},
		{func(c *GroupConfig) { c.Origins[0].URL = "ftp://x/" }, `origin URL "ftp://x/" is neither http nor https`},
		{func(c *GroupConfig) { c.Origins[0].URL = "http:///x" }, `origin URL "http:///x" has no host`},
		{func(c *GroupConfig) { c.Origins[0].URL = "http://u:secret@h/" }, `origin URL of host "h" carries a user: send credentials as a header field`},
		{func(c *GroupConfig) { c.Origins[0].URL = "http://h/?a" }, `has a query or fragment`},
		{func(c *GroupConfig) { c.Origins[0].URL = "http://[::1/" }, `cannot read origin URL`},
		{func(c *GroupConfig) { c.Origins[0].Host = "a b" }, `urls[0].host: host "a b" is not a host`},
		{func(c *GroupConfig) {
			c.Origins[0].Fields = []exchange.Field{{Name: "X", Value: "a\r\nb"}}
		}, `header field "X" cannot be sent`},
		{func(c *GroupConfig) { c.Query = []string{"_HLS_msn"} }, `query parameter "_HLS_msn" belongs to the edge`},
		{func(c *GroupConfig) { c.Query = []string{"cmcd"} }, `query parameter "cmcd" belongs to the edge`},
		{func(c *GroupConfig) { c.Query = []string{"a=b"} }, `query parameter "a=b" cannot be declared`},
		{func(c *GroupConfig) { c.Headers = []string{"Host"} }, `header "Host" cannot be declared`},
		{func(c *GroupConfig) { c.Headers = []string{"Transfer-Encoding"} }, `header "Transfer-Encoding" cannot be declared`},
		{func(c *GroupConfig) { c.Keep = []string{"Set-Cookie"} }, `header "Set-Cookie" cannot be declared`},
		{func(c *GroupConfig) { c.Deadlines.Idle = -1 }, `deadlines.idle: -1ns is negative`},
		{func(c *GroupConfig) { c.Limits.Ratio = -1 }, `limits.ratio: -1 is negative`},
	} {
		c := good
		c.Origins = []OriginConfig{good.Origins[0]}
		test.change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
	if _, err := New(Config{Name: "a b", LiveBytes: -1}, time.Now, nil); err == nil || !strings.Contains(err.Error(), "not a token") || !strings.Contains(err.Error(), "live: -1 is negative") {
		t.Errorf("%v", err)
	}
}

// TestGroupsAreKeptOverAReload: equal configurations are one group; a backup
// more keeps the cache, another origin does not.
func TestGroupsAreKeptOverAReload(t *testing.T) {
	o := newScript(t, says(playlist, "Cache-Control: max-age=60"))
	other := newScript(t, says(playlist+"#other\n", "Cache-Control: max-age=60"))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	if again := r.group(nil, o.URL); again != g {
		t.Error("an equal configuration made another group")
	}
	r.must(g, Manifest, "x")
	more := r.group(nil, o.URL, other.URL)
	if more == g {
		t.Error("another configuration is the same group")
	}
	if res := r.must(more, Manifest, "x"); res.state != Hit {
		t.Errorf("with a backup: %+v", res)
	}
	if res := r.must(r.group(nil, other.URL), Manifest, "x"); res.state != Miss || res.body != playlist+"#other\n" {
		t.Errorf("with another origin: %+v", res)
	}
	if res := r.must(r.group(func(c *GroupConfig) { c.Name = "vod" }, o.URL), Manifest, "x"); res.state != Miss {
		t.Errorf("with another name: %+v", res)
	}
	runtime.KeepAlive(g)
	// What nobody holds is let go.
	for i := range 100 {
		r.group(func(c *GroupConfig) { c.Name = strings.Repeat("n", i+1) }, o.URL)
	}
	runtime.GC()
	r.group(nil, o.URL)
	r.Shield.mu.Lock()
	n := len(r.groups)
	r.Shield.mu.Unlock()
	if n > 20 {
		t.Errorf("%d groups are remembered", n)
	}
	if len(r.clients) != 1 {
		t.Errorf("%d sets of connections for one dialling policy", len(r.clients))
	}
}

func TestTLSOrigin(t *testing.T) {
	srv := httptest.NewTLSServer(says(playlist))
	srv.Config.ErrorLog = nil
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	r := newRig(t, Config{RootCAs: roots})
	if res := r.must(r.group(nil, srv.URL), Manifest, "x"); res.body != playlist {
		t.Errorf("%+v", res)
	}
}

// TestClose: waiting viewers, readers in mid-body and background fills end, and
// nothing can be fetched after.
func TestClose(t *testing.T) {
	o := newScript(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "body") {
			_, _ = io.WriteString(w, "first")
			w.(http.Flusher).Flush()
		}
		<-req.Context().Done()
	})
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Segment, Path: "body"})
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := r.fetch(g, Manifest, "waiting")
		waiting <- err
	}()
	r.waitFor(g, Manifest, "waiting", 1)
	r.Close()
	if err := <-waiting; reason(err) != ErrClosed {
		t.Errorf("the waiting viewer got %v", err)
	}
	rd := a.Reader()
	if b, err := io.ReadAll(rd); string(b) != "first" || reason(err) != ErrClosed {
		t.Errorf("the reader got %q %v", b, err)
	}
	_ = rd.Close()
	if _, err := r.fetch(g, Manifest, "later"); reason(err) != ErrClosed {
		t.Errorf("after Close: %v", err)
	}
	r.Close()
}

// TestReaderGivesUp: a viewer who leaves does not stay in Read.
func TestReaderGivesUp(t *testing.T) {
	o := newScript(t, func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-req.Context().Done()
	})
	r := newRig(t, Config{})
	ctx, leave := context.WithCancel(t.Context())
	a, err := r.Fetch(ctx, &Request{Group: r.group(nil, o.URL), Class: Segment, Path: "x"})
	if err != nil {
		t.Fatal(err)
	}
	rd := a.Reader()
	defer rd.Close()
	buf := make([]byte, 10)
	if n, err := rd.Read(buf); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	leave()
	if _, err := rd.Read(buf); reason(err) != ErrCancelled {
		t.Errorf("%v", err)
	}
}

// TestFillPanics: a bug in a fill is its viewers' error, and nobody hangs.
func TestFillPanics(t *testing.T) {
	o := newScript(t, fails(500))
	s, err := New(Config{}, time.Now, func() float64 { panic("a bug") })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := &rig{Shield: s, t: t}
	g := r.group(nil, o.URL)
	for range 2 {
		if _, err := r.fetch(g, Manifest, "x"); reason(err) != ErrProtocol || !strings.Contains(err.Error(), "a bug") {
			t.Errorf("%v", err)
		}
	}
}
