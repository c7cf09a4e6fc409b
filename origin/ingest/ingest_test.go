package ingest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"manifold/exchange"
)

func clock() time.Time { return time.Date(2026, 3, 1, 12, 30, 15, 250e6, time.UTC) }

func newServer(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := New(cfg, clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

type answer struct {
	status int
	header http.Header
	body   string
}

// do serves one request from the given address; fields are "Name: value".
func do(t *testing.T, s *Server, from, method, target, body string, fields ...string) answer {
	t.Helper()
	ex := exchange.Acquire(context.Background(), nil)
	defer exchange.Release(ex)
	h := headers{http.Header{}, -1}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		h.Set(name, value)
	}
	ex.Method, ex.Header, ex.Remote = method, h, netip.MustParseAddrPort(from)
	if body != "" {
		ex.RequestBody = strings.NewReader(body)
	}
	if err := ex.SetTarget(target); err != nil {
		t.Fatal(err)
	}
	s.Serve(ex)
	a := answer{status: ex.Status, header: http.Header{}, body: string(ex.Body)}
	for _, f := range ex.Fields() {
		a.header.Add(f.Name, strings.Clone(f.Value))
	}
	if ex.Stream != nil {
		data, err := io.ReadAll(io.LimitReader(ex.Stream, ex.StreamSize))
		if err != nil || int64(len(data)) != ex.StreamSize {
			t.Errorf("stream of %d bytes says it has %d, %v", len(data), ex.StreamSize, err)
		}
		a.body = string(data)
	}
	return a
}

const (
	local  = "127.0.0.1:1234"
	far    = "192.0.2.7:1234"
	secret = "0123456789abcdef"
)

// places are the same content in a folder and in memory.
func places(t *testing.T, objects map[string]string) map[string]*Server {
	servers := map[string]*Server{
		"folder": newServer(t, Config{Directory: t.TempDir()}),
		"memory": newServer(t, Config{}),
	}
	for _, s := range servers {
		for name, data := range objects {
			if err := s.Put(context.Background(), name, []byte(data)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return servers
}

const (
	livePlaylist = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:6,\n7.m4s\n"
	liveMPD      = `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" minimumUpdatePeriod="PT4S"></MPD>`
)

func TestTypesAndFreshness(t *testing.T) {
	tests := []struct{ name, content, contentType, cache string }{
		{"live/i.m3u8", livePlaylist, "application/vnd.apple.mpegurl", "public, max-age=3"},
		{"vod/i.m3u8", livePlaylist + "#EXT-X-ENDLIST\n", "application/vnd.apple.mpegurl", "public, max-age=3600"},
		{"one.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n", "application/vnd.apple.mpegurl", "no-cache"},
		{"odd.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:six\n", "application/vnd.apple.mpegurl", "no-cache"},
		{"master.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx.m3u8\n", "application/vnd.apple.mpegurl", "public, max-age=60"},
		{"live.mpd", liveMPD, "application/dash+xml", "public, max-age=2"},
		{"ended.mpd", strings.Replace(liveMPD, ` minimumUpdatePeriod="PT4S"`, "", 1), "application/dash+xml", "public, max-age=10"},
		{"vod.mpd", strings.Replace(liveMPD, "dynamic", "static", 1), "application/dash+xml", "public, max-age=3600"},
		{"none.mpd", "<html>", "application/dash+xml", "no-cache"},
		{"year.mpd", strings.Replace(liveMPD, "PT4S", "P1Y", 1), "application/dash+xml", "no-cache"},
		{"init.mp4", "x", "video/mp4", immutable},
		{"a.m4a", "x", "audio/mp4", immutable},
		{"1.m4s", "x", "video/iso.segment", immutable},
		{"1.CMFV", "x", "video/mp4", immutable},
		{"1.vtt", "WEBVTT\n", "text/vtt; charset=utf-8", immutable},
		{"1.ts", "x", "video/mp2t", immutable},
		{"x", "x", "application/octet-stream", other},
	}
	objects := map[string]string{}
	for _, tt := range tests {
		objects[tt.name] = tt.content
	}
	for place, s := range places(t, objects) {
		for _, tt := range tests {
			a := do(t, s, far, "GET", "/"+tt.name, "")
			if a.status != 200 || a.body != tt.content {
				t.Errorf("%s %s: %d %q", place, tt.name, a.status, a.body)
			}
			for field, want := range map[string]string{"Content-Type": tt.contentType, "Cache-Control": tt.cache,
				"Access-Control-Allow-Origin": "*", "Timing-Allow-Origin": "*", "Accept-Ranges": "bytes"} {
				if got := a.header.Get(field); got != want {
					t.Errorf("%s %s: %s: %q, want %q", place, tt.name, field, got, want)
				}
			}
		}
	}
}

func TestConditionsAndRanges(t *testing.T) {
	big := strings.Repeat("0123456789", 20_000)
	for place, s := range places(t, map[string]string{"a.m4s": "0123456789", "big.m4s": big, "empty.m4s": ""}) {
		first := do(t, s, far, "GET", "/a.m4s", "")
		etag, date := first.header.Get("ETag"), first.header.Get("Last-Modified")
		past := clock().Add(-200 * 365 * 24 * time.Hour).Format(http.TimeFormat)
		tests := []struct {
			fields string
			status int
			body   string
			cr     string
		}{
			{"If-None-Match: " + etag, 304, "", ""},
			{"If-None-Match: \"x\", W/" + etag, 304, "", ""},
			{"If-None-Match: \"x\", y", 200, "0123456789", ""},
			{"If-None-Match: *", 304, "", ""},
			{"If-None-Match: \"x\"|If-Modified-Since: " + date, 200, "0123456789", ""},
			{"If-Modified-Since: " + date, 304, "", ""},
			{"If-Modified-Since: " + past, 200, "0123456789", ""},
			{"If-Modified-Since: yesterday", 200, "0123456789", ""},
			{"If-Match: \"x\"", 412, "the object is another one now\n", ""},
			{"If-Match: W/" + etag, 412, "the object is another one now\n", ""},
			{"If-Match: " + etag, 200, "0123456789", ""},
			{"If-Unmodified-Since: " + past, 412, "the object is another one now\n", ""},
			{"Range: bytes=2-4", 206, "234", "bytes 2-4/10"},
			{"Range: bytes=8-", 206, "89", "bytes 8-9/10"},
			{"Range: bytes=-3", 206, "789", "bytes 7-9/10"},
			{"Range: bytes=-30", 206, "0123456789", "bytes 0-9/10"},
			{"Range: bytes=9-99999999999999999999999", 206, "9", "bytes 9-9/10"},
			{"Range: BYTES=0-0", 206, "0", "bytes 0-0/10"},
			{"Range: bytes=10-", 416, "the object ends before this range\n", "bytes */10"},
			{"Range: bytes=-0", 416, "the object ends before this range\n", "bytes */10"},
			{"Range: bytes=4-2", 200, "0123456789", ""},
			{"Range: bytes=0-1,4-5", 200, "0123456789", ""},
			{"Range: seconds=0-1", 200, "0123456789", ""},
			{"Range: bytes=x-y", 200, "0123456789", ""},
			{"Range: bytes=0-1|If-Range: " + etag, 206, "01", "bytes 0-1/10"},
			{"Range: bytes=0-1|If-Range: W/" + etag, 200, "0123456789", ""},
			{"Range: bytes=0-1|If-Range: " + date, 206, "01", "bytes 0-1/10"},
			{"Range: bytes=0-1|If-Range: " + past, 200, "0123456789", ""},
			{"Range: bytes=0-1|If-None-Match: " + etag, 304, "", ""},
		}
		for _, tt := range tests {
			a := do(t, s, far, "GET", "/a.m4s", "", strings.Split(tt.fields, "|")...)
			if a.status != tt.status || a.body != tt.body || a.header.Get("Content-Range") != tt.cr {
				t.Errorf("%s, %s: %d %q %q", place, tt.fields, a.status, a.body, a.header.Get("Content-Range"))
			}
			if a.status == 304 && (a.header.Get("ETag") != etag || a.header.Get("Cache-Control") != immutable) {
				t.Errorf("%s, %s: the 304 has fields %v", place, tt.fields, a.header)
			}
		}
		if a := do(t, s, far, "GET", "/big.m4s", "", "Range: bytes=100005-199999"); a.status != 206 || a.body != big[100005:] {
			t.Errorf("%s: large range: %d, %d bytes", place, a.status, len(a.body))
		}
		if a := do(t, s, far, "GET", "/big.m4s", ""); a.status != 200 || a.body != big {
			t.Errorf("%s: large object: %d, %d bytes", place, a.status, len(a.body))
		}
		if a := do(t, s, far, "GET", "/empty.m4s", "", "Range: bytes=0-"); a.status != 416 {
			t.Errorf("%s: range of an empty object: %d", place, a.status)
		}
	}
}

func TestRefusals(t *testing.T) {
	s := newServer(t, Config{})
	if err := s.Put(context.Background(), "a/b.m4s", []byte("x")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		method, target string
		status         int
	}{
		{"GET", "/nothing.m4s", 404}, {"GET", "/", 404}, {"GET", "/a", 404}, {"GET", "/a/", 404}, {"GET", "/.incoming/x", 404},
		{"GET", "/a/b.m4s/c", 404}, {"PUT", "/a/c.m4s", 405}, {"DELETE", "/a/b.m4s", 405}, {"PATCH", "/a/b.m4s", 405},
		{"TRACE", "/a/b.m4s", 405}, {"OPTIONS", "/a/b.m4s", 204},
	}
	for _, tt := range tests {
		a := do(t, s, local, tt.method, tt.target, "")
		if a.status != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.target, a.status, tt.status)
		}
		if a.status == 405 && a.header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s %s: Allow: %q", tt.method, tt.target, a.header.Get("Allow"))
		}
	}
}

func TestTime(t *testing.T) {
	s := newServer(t, Config{})
	a := do(t, s, far, "GET", "/live/news/time", "")
	if a.status != 200 || a.body != "2026-03-01T12:30:15.250Z" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %q %v", a.status, a.body, a.header)
	}
	if a := do(t, newServer(t, Config{TimeName: "utc"}), far, "GET", "/time", ""); a.status != 404 {
		t.Errorf("time has another name, and /time gives %d", a.status)
	}
}

func TestWho(t *testing.T) {
	both := newServer(t, Config{LoopbackWrites: true, WriteTokens: []string{"another-token-of-16", secret}, MaxObject: 10})
	onlyLocal := newServer(t, Config{LoopbackWrites: true})
	tests := []struct {
		s              *Server
		from, method   string
		target, fields string
		body           string
		status         int
	}{
		{both, local, "PUT", "/x/1.m4s", "", "one", 201},
		{both, local, "POST", "/x/1.m4s", "", "two", 204},
		{both, "[::1]:9", "PUT", "/x/2.m4s", "", "", 201},
		{both, "[::ffff:127.0.0.1]:9", "PUT", "/x/3.m4s", "", "", 201},
		{both, far, "PUT", "/x/4.m4s", "", "four", 401},
		{both, far, "PUT", "/x/4.m4s", "Authorization: Bearer wrong", "four", 401},
		{both, far, "PUT", "/x/4.m4s", "Authorization: Basic " + secret, "four", 401},
		{both, far, "PUT", "/x/4.m4s", "Authorization: bearer " + secret, "four", 201},
		{both, local, "POST", "/x/1.m4s", "Origin: https://evil.example", "three", 401},
		{both, local, "POST", "/x/1.m4s", "Sec-Fetch-Site: cross-site", "three", 401},
		{both, local, "PUT", "/x/5.m4s", "", "0123456789a", 413},
		{both, local, "PUT", "/x/5.m4s", "Content-Length: 11", "", 413},
		{both, local, "PUT", "/x/5.m4s", "Content-Range: bytes 0-1/10", "01", 400},
		{both, local, "PUT", "/x/1.m4s", "If-None-Match: *", "new", 412},
		{both, local, "PUT", "/x/6.m4s", "If-None-Match: *", "new", 201},
		{both, local, "PUT", "/x/7.m4s", "If-Match: *", "new", 412},
		{both, local, "PUT", "/x/.hidden", "", "new", 400},
		{both, local, "PUT", "/live/time", "", "new", 403},
		{both, local, "DELETE", "/x/6.m4s", "", "", 204},
		{both, local, "DELETE", "/x/6.m4s", "", "", 404},
		{onlyLocal, far, "PUT", "/x/1.m4s", "", "x", 403},
		{onlyLocal, far, "PUT", "/x/1.m4s", "Authorization: Bearer ", "x", 403},
	}
	for _, tt := range tests {
		var fields []string
		if tt.fields != "" {
			fields = []string{tt.fields}
		}
		if a := do(t, tt.s, tt.from, tt.method, tt.target, tt.body, fields...); a.status != tt.status {
			t.Errorf("%s %s from %s with %q: %d %s", tt.method, tt.target, tt.from, tt.fields, a.status, a.body)
		}
	}
	if a := do(t, both, far, "GET", "/x/1.m4s", ""); a.body != "two" {
		t.Errorf("after all of it: %q", a.body)
	}
	if a := do(t, both, far, "GET", "/x/5.m4s", ""); a.status != 404 {
		t.Errorf("a refused object is there: %d", a.status)
	}
}

func TestFullAndConflict(t *testing.T) {
	s := newServer(t, Config{LoopbackWrites: true, MemoryLimit: 1000})
	if a := do(t, s, local, "PUT", "/a.m4s", strings.Repeat("x", 600)); a.status != 201 {
		t.Fatal(a.status)
	}
	if a := do(t, s, local, "PUT", "/b.m4s", strings.Repeat("x", 600)); a.status != 507 {
		t.Errorf("full memory: %d", a.status)
	}
	s = newServer(t, Config{LoopbackWrites: true, Directory: t.TempDir()})
	if a := do(t, s, local, "PUT", "/a/b.m4s", "x"); a.status != 201 {
		t.Fatal(a.status)
	}
	for _, target := range []string{"/a", "/a/b.m4s/c"} {
		if a := do(t, s, local, "PUT", target, "x"); a.status != 409 {
			t.Errorf("PUT %s: %d", target, a.status)
		}
	}
}

// A body that breaks off leaves what was there; one that trickles in is not
// seen before its last byte.
func TestUploadAppearsWhole(t *testing.T) {
	for place, cfg := range map[string]Config{"folder": {Directory: t.TempDir(), LoopbackWrites: true}, "memory": {LoopbackWrites: true}} {
		s := newServer(t, cfg)
		base := listen(t, s)
		pr, pw := io.Pipe()
		var wg sync.WaitGroup
		wg.Go(func() {
			req, _ := http.NewRequest("PUT", base+"/live/1.m4s", pr)
			resp, err := http.DefaultClient.Do(req)
			if err != nil || resp.StatusCode != 201 {
				t.Errorf("%s: %v %v", place, resp, err)
				return
			}
			_ = resp.Body.Close()
		})
		for range 10 {
			if _, err := pw.Write([]byte("part")); err != nil {
				t.Fatal(err)
			}
			if a := do(t, s, far, "GET", "/live/1.m4s", ""); a.status != 404 {
				t.Errorf("%s: %d in the middle of the upload", place, a.status)
			}
		}
		_ = pw.Close()
		wg.Wait()
		if a := do(t, s, far, "GET", "/live/1.m4s", ""); a.body != strings.Repeat("part", 10) {
			t.Errorf("%s: %q", place, a.body)
		}

		pr, pw = io.Pipe()
		wg.Go(func() {
			req, _ := http.NewRequest("PUT", base+"/live/1.m4s", pr)
			if resp, err := http.DefaultClient.Do(req); err == nil {
				t.Errorf("%s: a broken upload was answered %d", place, resp.StatusCode)
				_ = resp.Body.Close()
			}
		})
		_, _ = pw.Write([]byte("half"))
		_ = pw.CloseWithError(io.ErrUnexpectedEOF)
		wg.Wait()
		if a := do(t, s, far, "GET", "/live/1.m4s", ""); a.body != strings.Repeat("part", 10) {
			t.Errorf("%s: after a broken upload: %q", place, a.body)
		}
	}
}

func TestHead(t *testing.T) {
	s := newServer(t, Config{})
	if err := s.Put(context.Background(), "a.m4s", bytes.Repeat([]byte("x"), 100_000)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Head(listen(t, s) + "/a.m4s")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 || resp.ContentLength != 100_000 || resp.Header.Get("Content-Range") != "" {
		t.Errorf("%v", resp)
	}
}

// A name is kept beyond the Exchange, whose storage serves the next request.
func TestNamesOutliveTheExchange(t *testing.T) {
	s := newServer(t, Config{LoopbackWrites: true})
	for i := range 100 {
		if a := do(t, s, local, "PUT", fmt.Sprintf("/live/%02d.m4s", i), "x"); a.status != 201 {
			t.Fatal(a.status)
		}
	}
	for i := range 100 {
		if a := do(t, s, far, "GET", fmt.Sprintf("/live/%02d.m4s", i), ""); a.status != 200 {
			t.Fatalf("object %d: %d", i, a.status)
		}
	}
}

// FFmpeg's own DASH and HLS muxers write into the server with chunked PUT.
func TestFFmpegWrites(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal("ffmpeg is not installed: apt-get install ffmpeg")
	}
	dir := t.TempDir()
	s := newServer(t, Config{Directory: dir, Memory: []string{"live"}, LoopbackWrites: true})
	taken := make(chan string, 100)
	base := listen(t, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		s.Serve(ex)
		if ex.Method == http.MethodPut {
			taken <- strings.Clone(ex.Path)
		}
	}))
	for _, where := range []string{"/live/x/", "/vod/x/"} {
		out, err := exec.Command(ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "warning",
			"-f", "lavfi", "-i", "testsrc2=size=192x108:rate=25", "-t", "2", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25",
			"-f", "dash", "-seg_duration", "1", "-use_template", "1", "-use_timeline", "1", "-hls_playlist", "1", "-hls_master_name", "master.m3u8",
			"-method", "PUT", base+where+"manifest.mpd").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		names := []string{"manifest.mpd", "master.m3u8", "media_0.m3u8", "init-stream0.m4s", "chunk-stream0-00002.m4s"}
		missing := map[string]bool{} // FFmpeg ends before its last PUTs are answered
		for _, name := range names {
			missing[where+name] = true
		}
		for len(missing) > 0 {
			select {
			case path := <-taken:
				delete(missing, path)
			case <-time.After(20 * time.Second):
				t.Fatalf("these did not come: %v", missing)
			}
		}
		for _, name := range names {
			resp, err := http.Get(base + where + name)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != 200 || len(data) == 0 || err != nil {
				t.Errorf("%s%s: %d, %d bytes, %v", where, name, resp.StatusCode, len(data), err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "live")); err == nil {
		t.Error("the live content is on the disk")
	}
}

func TestValidate(t *testing.T) {
	cfg := Config{Memory: []string{"live/", "../x"}, MemoryLimit: -1, MaxObject: -1, WriteTokens: []string{"short"}, TimeName: "a/b"}
	got := cfg.Validate().Error()
	for _, want := range []string{"memory[1]: ", "memory_limit: ", "max_object: ", "write_tokens[0]: 5 characters", "time_name: "} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "short") || strings.Contains(got, "memory[0]") {
		t.Errorf("too much in:\n%s", got)
	}
	if _, err := New(cfg, clock, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("New took a wrong Config")
	}
}

func FuzzConditions(f *testing.F) {
	f.Add("bytes=0-1", `"a", W/"b"`, "Sun, 01 Mar 2026 12:30:15 GMT", int64(10))
	f.Add("bytes=-1", `*`, "", int64(0))
	f.Add("bytes=9223372036854775807-", `W/"`, "x", int64(1<<40))
	f.Fuzz(func(t *testing.T, rng, list, date string, size int64) {
		if size < 0 {
			return
		}
		if r, state := parseRange(rng, size); state == rangeSatisfiable && (r.from < 0 || r.size <= 0 || r.from+r.size > size) {
			t.Errorf("range %q of %d bytes: %+v", rng, size, r)
		}
		h := headers{http.Header{"If-None-Match": {list}, "If-Modified-Since": {date}, "If-Match": {list}}, -1}
		switch status := precondition(h, `"b"`, clock(), true); status {
		case 0, 304, 412:
		default:
			t.Errorf("status %d", status)
		}
	})
}

func FuzzLifetime(f *testing.F) {
	f.Add("a.m3u8", []byte(livePlaylist))
	f.Add("a.mpd", []byte(liveMPD))
	f.Add("a.mpd", []byte("<MPD type = 'dynamic' minimumUpdatePeriod=\"PT1H0.5S"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if s := Lifetime(name, data); s == "" || strings.ContainsAny(s, "\r\n") {
			t.Errorf("%q", s)
		}
	})
}
