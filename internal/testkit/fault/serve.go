package fault

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers for every host of the stream.
func (s *Stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, since := s.state()
	if f.Serve != nil && f.Serve(w, r) {
		return
	}
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", "*")
	text := func(kind, body string) {
		if f.Text != nil {
			body = f.Text(r, body)
		}
		header.Set("Content-Type", kind)
		if header.Get("Cache-Control") == "" {
			header.Set("Cache-Control", "max-age=1")
		}
		if f.Header != nil {
			f.Header(r, header)
		}
		_, _ = io.WriteString(w, body)
	}
	switch path := r.URL.Path; {
	case path == "/master.m3u8":
		text("application/vnd.apple.mpegurl", s.master())
	case path == "/manifest.mpd":
		m := s.mpd(s.clock(path))
		m.Since, m.From = since, s.from()
		if f.MPD != nil {
			f.MPD(m)
		}
		text("application/dash+xml", m.write())
	case strings.HasPrefix(path, "/hls/"):
		s.serveList(w, r, f, since, text)
	case path == "/steer":
		header.Set("Cache-Control", "no-store")
		text("application/vnd.apple.steering-list", `{"VERSION":1,"TTL":5,"RELOAD-URI":"http://edge.test/steer?again=1","PATHWAY-PRIORITY":["alpha","beta"]}`)
	case strings.Contains(path, "/media/"):
		s.serveMedia(w, r, f)
	case path == "/clock":
		_, _ = io.WriteString(w, s.cfg.Now().Add(10*time.Second).UTC().Format(time.RFC3339Nano))
	default:
		http.NotFound(w, r)
	}
}

// serveList answers for a media playlist, with the delivery directives of
// rfc8216bis, section 6.2.5.
func (s *Stream) serveList(w http.ResponseWriter, r *http.Request, f *Fault, since time.Duration, text func(kind, body string)) {
	pathway, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/hls/"), "/")
	rendition := strings.TrimSuffix(name, ".m3u8")
	q := r.URL.Query()
	if s.cfg.LowLatency {
		if status := s.block(r.Context(), r.URL.Path, q); status != 0 {
			http.Error(w, "", status)
			return
		}
		f, since = s.state()
	}
	p := s.playlist(pathway, rendition, s.clock(r.URL.Path))
	p.Since, p.From = since, s.from()
	if f.Playlist != nil {
		f.Playlist(p)
	}
	body := p.write()
	if q.Get("_HLS_skip") != "" && s.cfg.LowLatency {
		body = skip(p)
	}
	text("application/vnd.apple.mpegurl", body)
}

// block waits for what a request asks for; the status is 0 when it is there.
func (s *Stream) block(ctx context.Context, path string, q url.Values) int {
	if !q.Has("_HLS_msn") {
		if q.Has("_HLS_part") {
			return http.StatusBadRequest
		}
		return 0
	}
	msn, err := strconv.Atoi(q.Get("_HLS_msn"))
	if err != nil {
		return http.StatusBadRequest
	}
	until := time.Duration(msn) * Length // segment n has media sequence number n+1
	if part := q.Get("_HLS_part"); part != "" {
		k, err := strconv.Atoi(part)
		if err != nil {
			return http.StatusBadRequest
		}
		until = time.Duration(msn-1)*Length + time.Duration(k+1)*Part
	}
	now := s.clock(path)
	if until > now+2*Length+Length {
		return http.StatusBadRequest
	}
	t := time.NewTimer(max(0, until-now))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return http.StatusServiceUnavailable
	case <-t.C:
		return 0
	}
}

// skip writes a delta update: all but the last six target durations.
func skip(p *Playlist) string {
	d := *p
	n := len(p.Segments) - 7
	if n < 1 {
		return p.write()
	}
	d.Extra = append([]string{fmt.Sprintf("#EXT-X-SKIP:SKIPPED-SEGMENTS=%d", n)}, p.Extra...)
	d.Segments = p.Segments[n:]
	return d.write()
}

func (s *Stream) serveMedia(w http.ResponseWriter, r *http.Request, f *Fault) {
	pathway, _, _ := strings.Cut(r.Host, ".")
	dir, file, _ := strings.Cut(r.URL.Path, "/media/")
	token := strings.TrimPrefix(strings.TrimPrefix(dir, "/"), "hdntl=")
	hls := token == ""
	if hls {
		token = r.URL.Query().Get("hdnts")
	}
	if token != Token(pathway) {
		http.Error(w, "the token does not fit", http.StatusForbidden)
		return
	}
	b, n, err := s.media(file, hls)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if n >= 0 && !s.cfg.VOD {
		ready := time.Duration(n+1) * Length
		var k int
		if _, err := fmt.Sscanf(file[strings.IndexByte(file, '/')+1:], "%d.%d.m4s", &n, &k); err == nil {
			ready = time.Duration(n)*Length + time.Duration(k+1)*Part
		}
		if wait := ready - s.cfg.Now().Sub(s.cfg.Epoch); wait > Length {
			http.NotFound(w, r)
			return
		} else if wait > 0 {
			t := time.NewTimer(wait)
			defer t.Stop()
			select {
			case <-r.Context().Done():
				return
			case <-t.C:
			}
		}
	}
	if f.Media != nil {
		b = f.Media(r.URL.Path, bytes.Clone(b))
	}
	w.Header().Set("Content-Type", "video/mp4")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
}
