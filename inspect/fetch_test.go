package inspect

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

const small = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n"

// fetch fetches path from a server that is closed at the end of the test.
func fetch(t *testing.T, h http.HandlerFunc, path string, change func(*Fetcher)) (*Source, error) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	f, err := NewFetcher(s.URL+path, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	if change != nil {
		change(f)
	}
	return f.Fetch(t.Context(), s.URL+path)
}

func TestFetch(t *testing.T) {
	s, err := fetch(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/vnd.apple.mpegurl")
		h.Set("Age", "7")
		h.Set("Cache-Control", "max-age=4")
		h.Set("Content-Encoding", "gzip")
		if r.Header.Get("X-Key") != "secret" || r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("headers are %v", r.Header)
		}
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(small))
		_ = z.Close()
	}, "/a.m3u8?token=abc", func(f *Fetcher) { f.Header = http.Header{"X-Key": {"secret"}} })
	if err != nil {
		t.Fatal(err)
	}
	r := Inspect(s, time.Now)
	if r.Kind != "hls-media" || r.Errors()+r.Warnings() != 0 || *r.HTTP.Age != 7 || r.HTTP.Encoding != "gzip" || r.HTTP.Wire == len(small) {
		t.Errorf("%+v %+v", r, r.HTTP)
	}
	var page bytes.Buffer
	if err := r.WriteText(&page, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"HTTP/1.1 200", "age 7 s", "max-age=4", "on the wire"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q:\n%s", want, page.String())
		}
	}
	if strings.Contains(page.String(), "token=abc") {
		t.Errorf("the page has the token:\n%s", page.String())
	}
}

func TestMediaTypes(t *testing.T) {
	for field, fine := range map[string]bool{
		"application/vnd.apple.mpegurl": true, "audio/mpegurl; charset=utf-8": true, "Application/X-MPEGURL": true, "text/plain": false, "": false,
	} {
		r := Inspect(&Source{Body: []byte(small), HTTP: &Answer{MediaType: field}}, atNoon)
		if (r.Warnings() == 0) != fine {
			t.Errorf("%q: %v", field, r.Problems)
		}
	}
}

// TestFetchFails gives answers that no manifest has, and asks for a word that
// helps; none may show the token of the URL.
func TestFetchFails(t *testing.T) {
	endless := func(w http.ResponseWriter, r *http.Request) {
		block := bytes.Repeat([]byte("#EXTINF:4,\na.ts\n"), 4096)
		for r.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
	tests := map[string]struct {
		h    http.HandlerFunc
		want string
	}{
		"404":     {http.NotFound, "404 Not Found"},
		"403":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, "a token may be missing"},
		"304":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, "which was not asked for"},
		"endless": {endless, "goes on behind"},
		"100 MB": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000000")
			_, _ = w.Write([]byte("#EXTM3U\n"))
		}, "100.0 MB"},
		"a bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 64<<20))
			_ = z.Close()
		}, "no manifest compresses so well"},
		"no gzip": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte(small))
		}, "said to be gzip, and is not"},
		"brotli": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = w.Write([]byte(small))
		}, "encoded as br"},
		"a circle": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }, "more than 5 redirects"},
		"a file": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(302)
		}, "only http and https"},
		"a hang-up": {func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			_ = c.Close()
		}, "EOF"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := fetch(t, c.h, "/a.m3u8?token=secret", nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if !strings.HasPrefix(err.Error(), "cannot ") || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestFetchTimesOut(t *testing.T) {
	_, err := fetch(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done() // the client gives up
	}, "/a.m3u8", func(f *Fetcher) { f.Timeout = 50 * time.Millisecond })
	if err == nil || !strings.Contains(err.Error(), "no complete answer in 50 ms") {
		t.Error(err)
	}
}

func TestFetchOverTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(small)) }))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = nil
	f, err := NewFetcher(s.URL, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Fetch(t.Context(), s.URL); err == nil || !strings.Contains(err.Error(), "--ca") {
		t.Errorf("without the authority: %v", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	if f, err = NewFetcher(s.URL, pool, time.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	if _, err := f.Fetch(t.Context(), s.URL); err != nil {
		t.Error(err)
	}
	if _, err := f.Fetch(t.Context(), "http"+strings.TrimPrefix(s.URL, "https")); err == nil {
		t.Error("http to an https port was fetched")
	}
}

// TestHeadersStayWithTheirHost redirects to another host: the headers, which
// may be credentials, do not follow.
func TestHeadersStayWithTheirHost(t *testing.T) {
	var leaked atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked.Store(r.Header.Get("X-Key") != "" || r.Header.Get("Authorization") != "")
		_, _ = w.Write([]byte(small))
	}))
	t.Cleanup(other.Close)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(other.URL, "http://"))
	s, err := fetch(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://other.localhost:"+port+"/b.m3u8", http.StatusFound)
	}, "/a.m3u8", func(f *Fetcher) { f.Header = http.Header{"X-Key": {"secret"}, "Authorization": {"Bearer secret"}} })
	if err != nil {
		t.Fatal(err)
	}
	if leaked.Load() {
		t.Error("headers followed a redirect to another host")
	}
	if len(s.HTTP.Redirects) != 1 || !strings.Contains(s.HTTP.URL, "other.localhost") {
		t.Errorf("%+v", s.HTTP)
	}
}

// TestPublicHostsDoNotLeadInside asks the dialer for loopback on behalf of
// another host than the one that was named, which was public.
func TestPublicHostsDoNotLeadInside(t *testing.T) {
	var seen atomic.Int64
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }))
	t.Cleanup(canary.Close)
	f, err := NewFetcher("https://public.example/a.m3u8", nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Fetch(t.Context(), canary.URL); err == nil || !strings.Contains(err.Error(), "a public host must not lead there") {
		t.Error(err)
	}
	if seen.Load() != 0 {
		t.Error("the canary was asked")
	}
}

func TestURLsThatAreNone(t *testing.T) {
	for _, text := range []string{"ftp://a.example/x", "https:///x", "http://[::1", "/etc/passwd"} {
		if _, err := NewFetcher(text, nil, time.Now); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadFile(filepath.Join(dir, "nothing")); err == nil || !strings.HasPrefix(err.Error(), "cannot read") {
		t.Error(err)
	}
	if _, err := ReadFile(dir); err == nil {
		t.Error("a folder was read")
	}
	if _, err := Read("zero", zeros{}); err == nil || !strings.Contains(err.Error(), "goes on behind") {
		t.Error(err)
	}
	pem := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(pem, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Roots(pem); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestAge compares live edges with the clock.
func TestAge(t *testing.T) {
	const form = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:9\n#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:4,\na.ts\n#EXTINF:4,\nb.ts\n#EXTINF:4,\nc.ts\n"
	const mpd = `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" profiles="p" minBufferTime="PT2S" availabilityStartTime="%[1]s" publishTime="%[1]s" minimumUpdatePeriod="PT2S">` +
		`<Period id="a" start="PT0S"><AdaptationSet mimeType="audio/mp4" codecs="mp4a.40.2"><SegmentTemplate media="$Time$"><SegmentTimeline><S t="0" d="4" r="2"/></SegmentTimeline></SegmentTemplate><Representation id="a" bandwidth="1"/></AdaptationSet></Period>` +
		`<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="x"/></MPD>`
	for _, c := range []struct {
		begin time.Duration // of the first segment, against now
		want  string
	}{
		{-14 * time.Second, ""},
		{-2 * time.Minute, "ago|is 1 m 48 s old|is 108 s old"},
		{time.Hour, "in the future"},
	} {
		date := noon.Add(c.begin).Format(time.RFC3339)
		for name, body := range map[string]string{"hls": fmt.Sprintf(form, date), "dash": fmt.Sprintf(mpd, date)} {
			r := Inspect(&Source{Body: []byte(body), HTTP: &Answer{MediaType: "application/vnd.apple.mpegurl"}}, atNoon)
			if name == "dash" {
				r = Inspect(&Source{Body: []byte(body), HTTP: &Answer{MediaType: "application/dash+xml"}}, atNoon)
			}
			text := told(r)
			ok := c.want == "" && text == ""
			for want := range strings.SplitSeq(c.want, "|") {
				ok = ok || want != "" && strings.Contains(text, want)
			}
			if !ok {
				t.Errorf("%s, %v: %s, want %q", name, c.begin, text, c.want)
			}
			if file := Inspect(&Source{Body: []byte(body)}, atNoon); file.Errors()+file.Warnings() != 0 {
				t.Errorf("%s, %v: a file was compared with the clock: %v", name, c.begin, file.Problems)
			}
		}
	}
}

// TestDeep follows a multivariant playlist over HTTP and in files.
func TestDeep(t *testing.T) {
	const master = "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",CHANNELS=\"2\",URI=\"audio.m3u8\"\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=16x9,AUDIO=\"a\"\nv.m3u8\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=16x9,AUDIO=\"a\"\nw.m3u8\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=3,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=16x9,AUDIO=\"a\"\ngone.m3u8\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=4,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=16x9,AUDIO=\"a\"\nmaster.m3u8\n" +
		"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.64001f\",RESOLUTION=16x9,URI=\"i.m3u8\"\n"
	files := map[string]string{
		"master.m3u8": master,
		"v.m3u8":      small,
		"w.m3u8":      strings.Replace(small, "TARGETDURATION:4", "TARGETDURATION:6", 1),
		"audio.m3u8":  strings.Replace(small, "#EXT-X-ENDLIST\n", "#EXTINF:9,\nb.ts\n", 1),
		"i.m3u8":      small,
	}
	dir := t.TempDir()
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(r *Report) {
		t.Helper()
		text := told(r)
		for _, want := range []string{"target durations differ: 4 s in v.m3u8, 6 s in w.m3u8", "one is live, another is not", "master.m3u8 is no media playlist", "i.m3u8 is listed as an I-frame playlist"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not told:\n%s", want, text)
			}
		}
		if together := r.Together; together == nil || len(together.Ladders) != 1 || together.Ladders[0].Reference != "w.m3u8" || len(together.Ladders[0].Streams) != 6 {
			t.Errorf("together %+v", r.Together)
		}
		if len(r.Playlists) != 6 {
			t.Fatalf("%d playlists", len(r.Playlists))
		}
		if p := r.Playlists[2]; p.Name != "gone.m3u8" || p.Errors() != 1 || p.Kind != "" {
			t.Errorf("%+v", p)
		}
		var page bytes.Buffer
		if err := r.WriteText(&page, false); err != nil || !strings.Contains(page.String(), "6 playlists one level deeper") {
			t.Errorf("%v\n%s", err, page.String())
		}
	}
	name := filepath.Join(dir, "master.m3u8")
	s, err := ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r := Inspect(s, atNoon)
	r.Deep(t.Context(), OpenFile(name), atNoon)
	check(r)

	srv := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(srv.Close)
	f, err := NewFetcher(srv.URL+"/master.m3u8", nil, atNoon)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	if s, err = f.Fetch(t.Context(), srv.URL+"/master.m3u8"); err != nil {
		t.Fatal(err)
	}
	r = Inspect(s, atNoon)
	r.Deep(t.Context(), OpenURL(f, s.HTTP.URL), atNoon)
	check(r)
}

// TestDeepStaysOutside gives references that lead out of where they may.
func TestDeepStaysOutside(t *testing.T) {
	open := OpenFile("testdata/master.m3u8")
	for _, ref := range []string{"/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/", "//host/x", "a%zz"} {
		if _, err := open(context.Background(), ref); err == nil || strings.Contains(err.Error(), "no such file") {
			t.Errorf("%s: %v", ref, err)
		}
	}
	f, err := NewFetcher("https://public.example/a.m3u8", nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"file:///etc/passwd", "http://127.0.0.1:1/", "data:text/plain,x"} {
		if _, err := OpenURL(f, "https://public.example/a.m3u8")(t.Context(), ref); err == nil {
			t.Errorf("%s was opened", ref)
		}
	}
}
