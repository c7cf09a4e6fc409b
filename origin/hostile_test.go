package origin

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// canary listens on loopback and counts connections.
func canary(t *testing.T) (addr string, seen *atomic.Int64) {
	t.Helper()
	r := newRaw(t, func(c net.Conn, _ string, _ *raw) bool {
		write(c, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n#EXTM3U\n")
		return false
	})
	return strings.TrimPrefix(r.url, "http://"), &r.conns
}

// TestPrivateAddressesAreRefused: without the operator's list, no way of
// writing it leads inside.
func TestPrivateAddressesAreRefused(t *testing.T) {
	addr, seen := canary(t)
	_, port, _ := net.SplitHostPort(addr)
	r := newRig(t, Config{})
	for _, host := range []string{
		"127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "[::1]", "localhost", "a.localhost", "0.0.0.0",
		"169.254.169.254", "[fd00::1]", "[fd00:ec2::254]", "10.0.0.1", "192.168.0.1", "[64:ff9b::7f00:1]",
	} {
		g := r.group(func(c *GroupConfig) {
			c.AllowPrivate = nil
			c.Deadlines.FirstByte = time.Second
		}, "http://"+host+":"+port)
		_, err := r.fetch(g, Manifest, "latest/meta-data")
		if err == nil {
			t.Errorf("%s was fetched", host)
		}
		if e, _ := AsError(err); net.ParseIP(strings.Trim(host, "[]")) != nil && (e.Reason != ErrProhibited || e.Token() != "destination_ip_prohibited" || e.HTTPStatus() != 502) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("the canary saw %d connections", n)
	}
}

// TestProxyFromEnvironment: none is used.
func TestProxyFromEnvironment(t *testing.T) {
	addr, seen := canary(t)
	t.Setenv("HTTP_PROXY", "http://"+addr)
	t.Setenv("http_proxy", "http://"+addr)
	t.Setenv("NO_PROXY", "")
	r := newRig(t, Config{})
	g := r.group(nil, "http://no-such-host.invalid")
	if _, err := r.fetch(g, Manifest, "x"); reason(err) != ErrOriginDown {
		t.Errorf("%v", err)
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("the canary saw %d connections", n)
	}
}

// TestRedirects: at most three, within the group's origins.
func TestRedirects(t *testing.T) {
	addr, seen := canary(t)
	second := newScript(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/end" {
			w.Header().Set("Location", "http://"+addr+"/")
			w.WriteHeader(307)
			return
		}
		says(playlist+"#second\n")(w, req)
	})
	var first *script
	first = newScript(t, func(w http.ResponseWriter, req *http.Request) {
		to := map[string]string{
			"/metadata":  "http://169.254.169.254/latest/meta-data/",
			"/canary":    "http://" + addr + "/",
			"/localhost": "http://" + strings.Replace(addr, "127.0.0.1", "localhost", 1) + "/",
			"/mapped":    "http://" + strings.Replace(addr, "127.0.0.1", "[::ffff:127.0.0.1]", 1) + "/",
			"/noscheme":  "//" + addr + "/",
			"/file":      "file:///etc/passwd",
			"/gopher":    "gopher://" + addr + "/_GET",
			"/user":      strings.Replace(first.URL, "http://", "http://user@", 1) + "/end",
			"/broken":    "http://[::1/",
			"/loop":      "/loop",
			"/4":         "/3", "/3": "/2", "/2": "/1", "/1": "end",
			"/other": second.URL + "/end#fragment",
			"/https": strings.Replace(first.URL, "http://", "https://", 1) + "/end",
		}[req.URL.Path]
		if to == "" {
			says(playlist)(w, req)
			return
		}
		w.Header().Set("Location", to)
		w.WriteHeader(302)
	})
	r := newRig(t, Config{})
	g := r.group(func(c *GroupConfig) {
		c.Origins[0].Fields = append(c.Origins[0].Fields, fieldOf("X-Secret", "first"))
	}, first.URL, second.URL)
	for _, p := range []string{"metadata", "canary", "localhost", "mapped", "noscheme", "file", "gopher", "user", "broken", "loop", "4", "https"} {
		if _, err := r.fetch(g, Manifest, p); reason(err) != ErrRedirect {
			t.Errorf("%s: %v", p, err)
		}
	}
	for range ejectAfter { // both origins were ejected, and come back
		r.add(time.Minute)
		r.must(g, Manifest, "end")
	}
	for _, p := range []string{"3", "2", "1", "end"} {
		if res, err := r.fetch(g, Manifest, p); err != nil || res.body != playlist {
			t.Errorf("%s: %+v %v", p, res, err)
		}
	}
	if first.lastRequest().Header.Get("X-Secret") != "first" {
		t.Error("the first origin's own field was not sent to it")
	}
	if res, err := r.fetch(g, Manifest, "other"); err != nil || res.body != playlist+"#second\n" {
		t.Errorf("other: %+v %v", res, err)
	}
	if second.lastRequest().Header.Get("X-Secret") != "" {
		t.Error("the first origin's own field went to the second")
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("the canary saw %d connections", n)
	}
}

// TestRedirectedPath: where an answer was found is known as far as that is below
// the root, also after a 304.
func TestRedirectedPath(t *testing.T) {
	origin := newScript(t, func(w http.ResponseWriter, req *http.Request) {
		to := map[string]string{
			"/root/a/one.m3u8": "/root/b/c%20d/two.m3u8?signed", "/root/out.m3u8": "/elsewhere.m3u8",
			"/root/dots.m3u8": "/root/x%2fy.m3u8", "/root/loop.m3u8": "/root/end.m3u8",
		}[req.URL.EscapedPath()]
		switch {
		case to != "":
			w.Header().Set("Location", to)
			w.WriteHeader(307)
		case req.Header.Get("If-None-Match") != "":
			w.WriteHeader(304)
		default:
			w.Header().Set("ETag", `"1"`)
			says(playlist)(w, req)
		}
	})
	r := newRig(t, Config{})
	g := r.group(nil, origin.URL+"/root")
	for path, want := range map[string]string{
		"a/one.m3u8": "b/c d/two.m3u8", "out.m3u8": "", "dots.m3u8": "", "loop.m3u8": "end.m3u8", "end.m3u8": "",
	} {
		for round := range 2 {
			a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Manifest, Path: path})
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if got := a.Path(); got != want {
				t.Errorf("%s, round %d: found at %q, want %q", path, round, got, want)
			}
			a.Release()
			r.add(time.Hour)
		}
	}
}

func gz(data []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, 1)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func encoded(coding string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", coding)
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Cache-Control", "max-age=60")
		_, _ = w.Write(body)
	}
}

// noise is text that gzip shrinks, but not a hundredfold.
func noise(n int) []byte {
	rnd := rand.New(rand.NewPCG(7, 7))
	b := bytes.NewBufferString("#EXTM3U\n")
	for b.Len() < n {
		fmt.Fprintf(b, "#EXTINF:4.000,\nseg%08x.m4s\n", rnd.Uint32())
	}
	return b.Bytes()
}

func TestDecompression(t *testing.T) {
	good := noise(300 << 10)
	small := gz(good)
	bomb := gz(make([]byte, 10<<20))
	for name, test := range map[string]struct {
		h    http.HandlerFunc
		want Reason
		body []byte
	}{
		"good":             {encoded("gzip", small), "", good},
		"x-gzip":           {encoded("x-gzip", small), "", good},
		"identity":         {encoded("identity", good), "", good},
		"two members":      {encoded("gzip", slices.Concat(small, gz([]byte("#more\n")))), "", append(bytes.Clone(good), "#more\n"...)},
		"small and dense":  {encoded("gzip", gz(append([]byte("#EXTM3U\n"), make([]byte, 60<<10)...))), "", append([]byte("#EXTM3U\n"), make([]byte, 60<<10)...)},
		"bomb":             {encoded("gzip", bomb), ErrBomb, nil},
		"ratio":            {encoded("gzip", gz(append([]byte("#EXTM3U\n"), make([]byte, 500<<10)...))), ErrBomb, nil},
		"too much decoded": {encoded("gzip", gz(noise(1<<20))), ErrBomb, nil},
		"bomb of bombs":    {encoded("gzip, gzip", gz(bomb)), ErrEncoding, nil},
		"br":               {encoded("br", good), ErrEncoding, nil},
		"zstd":             {encoded("zstd", good), ErrEncoding, nil},
		"not gzip":         {encoded("gzip", good), ErrEncoding, nil},
		"cut":              {encoded("gzip", small[:1000]), ErrIncomplete, nil},
		"only a header":    {encoded("gzip", small[:10]), ErrIncomplete, nil},
		"bad checksum":     {encoded("gzip", slices.Concat(small[:len(small)-8], []byte("12345678"))), ErrEncoding, nil},
		"junk behind":      {encoded("gzip", slices.Concat(small, []byte("junk junk junk junk"))), ErrEncoding, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := newScript(t, test.h)
			for _, class := range []Class{Manifest, Segment} {
				r := newRig(t, Config{LibraryBytes: -1})
				g := r.group(func(c *GroupConfig) { c.Limits = Limits{Manifest: 16 << 20, Decoded: 600 << 10} }, o.URL)
				var before, after runtime.MemStats
				if name == "bomb" {
					runtime.ReadMemStats(&before)
				}
				began := time.Now()
				res, err := r.fetch(g, class, "x")
				if name == "bomb" {
					runtime.ReadMemStats(&after)
					if d := time.Since(began); d > 2*time.Second {
						t.Errorf("%s took %v", class, d)
					}
					if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
						t.Errorf("%s allocated %d MiB", class, grown>>20)
					}
				}
				if test.want != "" {
					if reason(err) != test.want {
						t.Errorf("%s: %v, want %q", class, err, test.want)
					}
					continue
				}
				if err != nil || res.body != string(test.body) {
					t.Errorf("%s: %d bytes, %v; want %d", class, len(res.body), err, len(test.body))
				}
			}
		})
	}
}

// TestDecodedTagIsWeak: the decoded bytes are not what a strong tag named; the
// origin is asked by the tag it gave.
func TestDecodedTagIsWeak(t *testing.T) {
	o := newScript(t, encoded("gzip", gz([]byte(playlist))))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Manifest, Path: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if a.ETag() != `W/"v1"` {
		t.Errorf("ETag %s", a.ETag())
	}
	a.Release()
	r.add(61 * time.Second)
	o.set(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("If-None-Match") != `"v1"` {
			t.Errorf("If-None-Match %s", req.Header.Get("If-None-Match"))
		}
		w.Header().Set("ETag", `"v1"`)
		w.WriteHeader(304)
	})
	a, err = r.Fetch(t.Context(), &Request{Group: g, Class: Manifest, Path: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if a.ETag() != `W/"v1"` || a.State() != Revalidated && a.State() != Stale {
		t.Errorf("after a 304: ETag %s, %v", a.ETag(), a.State())
	}
	a.Release()
	r.settled()
}

// TestNotAManifest: a 200 is not enough.
func TestNotAManifest(t *testing.T) {
	for _, test := range []struct {
		class       Class
		contentType string
		body        string
		want        Reason
	}{
		{Manifest, "application/vnd.apple.mpegurl", playlist, ""},
		{Manifest, "audio/mpegurl", playlist, ""},
		{Manifest, "audio/x-mpegurl; charset=utf-8", playlist, ""},
		{Manifest, "application/dash+xml", "<MPD/>", ""},
		{Manifest, "video/vnd.mpeg.dash.mpd", "<MPD/>", ""},
		{Manifest, "text/plain", playlist, ""},
		{Manifest, "text/xml", "<?xml version='1.0'?><MPD/>", ""},
		{Manifest, "application/octet-stream", playlist, ""},
		{Manifest, "text/html", "<!DOCTYPE html><title>Sorry</title>", ErrNotManifest},
		{Manifest, "Text/HTML; charset=utf-8", "sorry", ErrNotManifest},
		{Manifest, "application/vnd.apple.mpegurl", "\ufeff \n<!doctype HTML>", ErrNotManifest},
		{Manifest, "application/vnd.apple.mpegurl", "<html lang=en>", ErrNotManifest},
		{Manifest, "application/json", `{"error":1}`, ErrNotManifest},
		{Manifest, "video/mp4", "ftyp", ErrNotManifest},
		{Manifest, "image/png", "\x89PNG", ErrNotManifest},
		{Manifest, "application/vnd.apple.mpegurl", "", ErrNotManifest},
		{Segment, "video/mp4", "ftyp", ""},
		{Segment, "application/json", "{}", ""},
		{Segment, "text/vtt", "WEBVTT", ""},
		{Segment, "video/mp4", "", ""},
		{Segment, "text/html", "<p>captive portal", ErrNotMedia},
		{Segment, "video/mp4", "<!DOCTYPE html>", ErrNotMedia},
	} {
		o := newScript(t, says(test.body, "Content-Type: "+test.contentType))
		r := newRig(t, Config{LibraryBytes: -1})
		_, err := r.fetch(r.group(nil, o.URL), test.class, "x")
		if reason(err) != test.want {
			t.Errorf("%s %s %q: %v, want %q", test.class, test.contentType, test.body, err, test.want)
		}
	}
}

// TestTooLarge: declared, undeclared and endless bodies end with an error, and
// what a length promises is not believed before it is sent.
func TestTooLarge(t *testing.T) {
	endless := func(c net.Conn, _ string, _ *raw) bool {
		write(c, "HTTP/1.1 200 OK\r\n\r\n")
		for write(c, strings.Repeat("#EXTM3U endless\n", 256)) {
		}
		return false
	}
	chunked := func(c net.Conn, _ string, _ *raw) bool {
		write(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for write(c, "10\r\n#EXTM3U endless\n\r\n") {
		}
		return false
	}
	declared := func(c net.Conn, _ string, r *raw) bool {
		write(c, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n#EXTM3U\n")
		<-r.quit
		return false
	}
	exact := func(c net.Conn, _ string, _ *raw) bool {
		return write(c, "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n"+strings.Repeat("#", 65536))
	}
	over := func(c net.Conn, _ string, _ *raw) bool {
		write(c, "HTTP/1.1 200 OK\r\n\r\n"+strings.Repeat("#", 65537))
		return false
	}
	for name, test := range map[string]struct {
		f    func(net.Conn, string, *raw) bool
		want Reason
	}{
		"endless": {endless, ErrTooLarge}, "chunked": {chunked, ErrTooLarge}, "declared": {declared, ErrTooLarge},
		"exact": {exact, ""}, "over": {over, ErrTooLarge},
	} {
		for _, class := range []Class{Manifest, Segment} {
			o := newRaw(t, test.f)
			r := newRig(t, Config{LibraryBytes: -1})
			g := r.group(func(c *GroupConfig) { c.Limits = Limits{Manifest: 64 << 10, Segment: 64 << 10} }, o.url)
			_, err := r.fetch(g, class, "x")
			if reason(err) != test.want {
				t.Errorf("%s, %s: %v, want %q", name, class, err, test.want)
			}
			if e, ok := AsError(err); ok && (e.HTTPStatus() != 502 || e.Token() != "http_response_body_size") {
				t.Errorf("%s: %d %s", name, e.HTTPStatus(), e.Token())
			}
			r.settled()
			if n := r.Counters().FillingBytes; n != 0 {
				t.Errorf("%s, %s: %d bytes are still counted as being filled", name, class, n)
			}
		}
	}
}

// TestFillingBudget: all fills together are bounded as well.
func TestFillingBudget(t *testing.T) {
	o := newScript(t, says(playlist+strings.Repeat("#", 100<<10)))
	r := newRig(t, Config{FillingBytes: 32 << 10})
	g := r.group(nil, o.URL)
	for _, class := range []Class{Manifest, Segment} {
		_, err := r.fetch(g, class, "x")
		e, ok := AsError(err)
		if !ok || e.Reason != ErrOverload || e.HTTPStatus() != 503 {
			t.Errorf("%s: %v", class, err)
		}
	}
	r.settled()
	if n := r.Counters().FillingBytes; n != 0 {
		t.Errorf("%d bytes are still counted as being filled", n)
	}
}

// TestBadHTTP: no answer of an origin brings anything but an error in bounded
// time.
func TestBadHTTP(t *testing.T) {
	for name, text := range map[string]string{
		"not HTTP":        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
		"two lengths":     "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nContent-Length: 3\r\n\r\n#EXTM3U\n",
		"negative length": "HTTP/1.1 200 OK\r\nContent-Length: -8\r\n\r\n#EXTM3U\n",
		"TE unknown":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: smoke\r\n\r\n#EXTM3U\n",
		"206 unasked":     "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-7/9\r\nContent-Length: 8\r\n\r\n#EXTM3U\n",
		"304 unasked":     "HTTP/1.1 304 Not Modified\r\n\r\n",
		"101":             "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
		"204":             "HTTP/1.1 204 No Content\r\n\r\n",
		"300":             "HTTP/1.1 300 Multiple Choices\r\nContent-Length: 0\r\n\r\n",
		"302 to nowhere":  "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
		"999":             "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
		"long header":     "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 1<<20) + "\r\n\r\n#EXTM3U\n",
		"NUL in a field":  "HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 8\r\n\r\n#EXTM3U\n",
		"nothing":         "",
	} {
		for _, class := range []Class{Manifest, Segment} {
			o := newRaw(t, func(c net.Conn, _ string, _ *raw) bool { write(c, text); return false })
			r := newRig(t, Config{LibraryBytes: -1})
			if res, err := r.fetch(r.group(nil, o.url), class, "x"); err == nil {
				t.Errorf("%s, %s: %+v", name, class, res)
			} else if e, ok := AsError(err); !ok || e.HTTPStatus() != 502 {
				t.Errorf("%s, %s: %v", name, class, err)
			}
		}
	}
	// Interim answers are passed over (RFC 9110, section 15.2), not endlessly.
	o := newRaw(t, func(c net.Conn, _ string, _ *raw) bool {
		return write(c, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n#EXTM3U\n")
	})
	r := newRig(t, Config{})
	if res := r.must(r.group(nil, o.url), Manifest, "x"); res.body != "#EXTM3U\n" {
		t.Errorf("103: %+v", res)
	}
	flood := newRaw(t, func(c net.Conn, _ string, _ *raw) bool {
		for write(c, "HTTP/1.1 103 Early Hints\r\n\r\n") {
		}
		return false
	})
	if _, err := r.fetch(r.group(nil, flood.url), Manifest, "x"); err == nil {
		t.Error("endless 103 gave an answer")
	}
}

// An origin that switches protocols is let go of at once: its body is a
// connection, which no deadline ends, and everybody would wait for it.
func TestSwitchingProtocolsIsRefused(t *testing.T) {
	o := newRaw(t, func(c net.Conn, _ string, _ *raw) bool {
		if !write(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n") {
			return false
		}
		_, _ = c.Read(make([]byte, 1)) // until the other side ends it
		return false
	})
	r := newRig(t, Config{})
	for _, class := range []Class{Manifest, Segment} {
		_, err := r.fetch(r.group(nil, o.url), class, "x")
		e, ok := AsError(err)
		if !ok || e.Reason != ErrProtocol || e.HTTPStatus() != 502 || e.Status != 101 {
			t.Errorf("%v", err)
		}
	}
}

// TestErrorTokens: what a gateway shows is the token and the
// reason; hosts and causes are in Error, for the log.
func TestErrorTokens(t *testing.T) {
	r := newRig(t, Config{})
	for _, test := range []struct {
		url    string
		reason Reason
		token  string
		status int
		proxy  string // Proxy-Status
	}{
		{refusing(t), ErrOriginDown, "connection_refused", 502, "edge; error=connection_refused"},
		{"http://no-such-host.invalid", ErrOriginDown, "dns_error", 502, "edge; error=dns_error"},
		{"https://" + strings.TrimPrefix(newScript(t, says("x")).URL, "http://"), ErrOriginDown, "tls_protocol_error", 502, "edge; error=tls_protocol_error"},
		{newScript(t, hang).URL, ErrTimeout, "http_response_timeout", 504, "edge; error=http_response_timeout"},
		{newScript(t, fails(503)).URL, ErrStatus, "http_protocol_error", 503, "edge; received-status=503"},
		{newScript(t, fails(404)).URL, ErrStatus, "http_protocol_error", 404, "edge; received-status=404"},
		{newScript(t, fails(500)).URL, ErrStatus, "http_protocol_error", 502, "edge; error=http_protocol_error; received-status=500"},
		{newRaw(t, func(net.Conn, string, *raw) bool { return false }).url, ErrIncomplete, "http_response_incomplete", 502, "edge; error=http_response_incomplete"},
	} {
		g := r.group(func(c *GroupConfig) { c.Deadlines.FirstByte = 500 * time.Millisecond }, test.url)
		_, err := r.fetch(g, Manifest, "x")
		e, ok := AsError(err)
		if !ok || e.Reason != test.reason || e.Token() != test.token || e.HTTPStatus() != test.status {
			t.Errorf("%s: %v: token %s, status %d", test.url, err, e.Token(), e.HTTPStatus())
			continue
		}
		u, _ := url.Parse(test.url)
		if got := string(e.AppendProxyStatus(nil, "edge")); got != test.proxy {
			t.Errorf("Proxy-Status: %s, want %s", got, test.proxy)
		}
		if !strings.Contains(err.Error(), u.Host) {
			t.Errorf("the error does not name the origin: %v", err)
		}
	}
	var zero Error
	if zero.Token() != "proxy_internal_error" {
		t.Error("an unknown reason has another token")
	}
}

// TestAllowPrivateIsExact: a list for one block opens no other.
func TestAllowPrivateIsExact(t *testing.T) {
	addr, seen := canary(t)
	r := newRig(t, Config{})
	g := r.group(func(c *GroupConfig) {
		c.AllowPrivate = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32"), netip.MustParsePrefix("10.0.0.0/8")}
	}, "http://"+addr)
	if _, err := r.fetch(g, Manifest, "x"); reason(err) != ErrProhibited {
		t.Errorf("%v", err)
	}
	if seen.Load() != 0 {
		t.Error("the canary was reached")
	}
}
