package fault

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// serve answers instead of the stream where the path contains part.
func serve(part string, answer func(w http.ResponseWriter, r *http.Request)) *Fault {
	return &Fault{Serve: func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.Host+r.URL.Path, part) {
			return false
		}
		answer(w, r)
		return true
	}}
}

func status(part string, code int) *Fault {
	return serve(part, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "trouble", code) })
}

func page(part string) *Fault {
	return serve(part, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title>\n<p>Your session has ended.</p>\n")
	})
}

func bytesOf(part string, change func(path string, b []byte) []byte) *Fault {
	return &Fault{Media: func(path string, b []byte) []byte {
		if strings.Contains(path, part) {
			return change(path, b)
		}
		return b
	}}
}

// HTTP are the faults of servers and of the bytes they serve.
var HTTP = map[string]*Fault{
	"a playlist says 503":   status("edge.test/hls/alpha/v1.m3u8", http.StatusServiceUnavailable),
	"a playlist hangs":      {Serve: func(_ http.ResponseWriter, r *http.Request) bool { return hang(r, "/hls/alpha/v1.m3u8") }},
	"a playlist never ends": serve("/hls/alpha/v1.m3u8", endless),
	"redirects go round":    serve("/hls/alpha/v1.m3u8", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }),
	"redirects go on and on": serve("/hls/alpha/v1.m3u8", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path+"?"+r.URL.RawQuery+"x", http.StatusFound)
	}),
	"the entry is a page":  page("edge.test/m"),
	"a playlist is a page": page("/hls/alpha/v1.m3u8"),
	"a variant leads back": serve("/hls/alpha/v1.m3u8", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/hls/alpha/v1.m3u8\n")
	}),
	"a manifest is called a page": {Header: func(_ *http.Request, h http.Header) { h.Set("Content-Type", "text/html") }},
	"a personal list is public":   replace(".m3u8", ".m3u8?sessionId=0123456789abcdef"),
	"a playlist is slow":          {Serve: func(_ http.ResponseWriter, r *http.Request) bool { return slow(r, "/v1.m3u8", 1200*time.Millisecond) }},
	"segments say 404":            status("9.m4s", http.StatusNotFound),
	"initialisations say 404":     status("init.mp4", http.StatusNotFound),
	"keys say 404":                status("media/key", http.StatusNotFound),
	"one pathway is down":         status("beta.test", http.StatusServiceUnavailable),
	"the first pathway is down":   status("alpha.test", http.StatusServiceUnavailable),
	"all pathways are down":       status(".test/media/", http.StatusServiceUnavailable),
	"keys are text":               bytesOf("/key", func(string, []byte) []byte { return []byte("000102030405060708090a0b0c0d0e0f") }),
	"segments are garbled": bytesOf(".m4s", func(path string, b []byte) []byte {
		if !isAd(numberOf(path)) {
			b[3] ^= 0x55
		}
		return b
	}),
	"segments are cut short":      bytesOf("9.m4s", func(_ string, b []byte) []byte { return b[:len(b)-100] }),
	"segments are pages":          bytesOf("9.m4s", func(string, []byte) []byte { return []byte("<!doctype html><p>Not found.</p>") }),
	"initialisations are pages":   bytesOf("init.mp4", func(string, []byte) []byte { return []byte("<!doctype html><p>Not found.</p>") }),
	"initialisations are swapped": bytesOf("init.mp4", func(path string, _ []byte) []byte { b, _ := initOf("v0", !strings.Contains(path, "ad.init")); return b }),
	"samples are missing":         bytesOf("9.m4s", func(path string, _ []byte) []byte { b, _ := segmentOf(numberOf(path), 0); return b }),
	"media time jumps":            bytesOf("1.m4s", func(path string, _ []byte) []byte { b, _ := segmentOf(numberOf(path)+5, -1); return b }),
	"blocking does not block":     {Serve: func(_ http.ResponseWriter, r *http.Request) bool { return forget(r, "_HLS_msn", "_HLS_part") }},
	"blocking blocks too long": {Serve: func(_ http.ResponseWriter, r *http.Request) bool {
		return r.URL.Query().Has("_HLS_msn") && slow(r, "", 8*time.Second)
	}},
	"part without msn is taken": {Serve: func(_ http.ResponseWriter, r *http.Request) bool {
		return !r.URL.Query().Has("_HLS_msn") && forget(r, "_HLS_part")
	}},
	"far blocking is taken": {Serve: func(_ http.ResponseWriter, r *http.Request) bool {
		return !r.URL.Query().Has("_HLS_part") && forget(r, "_HLS_msn")
	}},
	"hinted parts are gone": {Serve: gone},
	"deltas skip too much": {Text: func(r *http.Request, s string) string {
		if r.URL.Query().Has("_HLS_skip") {
			s = strings.Replace(s, "SKIPPED-SEGMENTS=5", "SKIPPED-SEGMENTS=6", 1)
		}
		return s
	}},
	"deltas are not given": {Serve: func(_ http.ResponseWriter, r *http.Request) bool { return forget(r, "_HLS_skip") }},
}

// forget removes parameters of a request and lets it go on.
func forget(r *http.Request, names ...string) bool {
	q := r.URL.Query()
	for _, name := range names {
		q.Del(name)
	}
	if strings.HasPrefix(r.URL.Path, "/hls/") {
		r.URL.RawQuery = q.Encode()
	}
	return false
}

func gone(w http.ResponseWriter, r *http.Request) bool {
	if strings.Contains(r.URL.Path, "/media/") && strings.Count(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/'):], ".") == 2 {
		http.Error(w, "gone", http.StatusGone)
		return true
	}
	return false
}

func endless(w http.ResponseWriter, _ *http.Request) {
	block := []byte(strings.Repeat("#EXTINF:2,\nx.m4s\n", 4096))
	for {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func slow(r *http.Request, suffix string, d time.Duration) bool {
	if strings.HasSuffix(r.URL.Path, suffix) {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-r.Context().Done():
		case <-t.C:
		}
	}
	return false
}

func numberOf(path string) (n int) {
	_, _ = fmt.Sscanf(path[strings.LastIndexByte(path, '/')+1:], "%d.m4s", &n)
	return n
}
