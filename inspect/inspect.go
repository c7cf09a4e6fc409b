package inspect

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"manifold/manifest"
	"manifold/manifest/dash"
	"manifold/manifest/hls"
)

// Source is a manifest to inspect.
type Source struct {
	// Name is shown: a URL, a file's name.
	Name string
	Body []byte
	// HTTP is how it came, nil for a file. What depends on the clock (the age
	// of a live edge) is only asked of what was just fetched.
	HTTP *Answer
}

// compileRuns is how often a manifest is compiled to time it; the fastest run
// counts.
const compileRuns = 5

// Inspect reads a manifest. It does not fail: what cannot be read is a problem
// of the report. Time and memory are linear in the body, whose bounds are those
// of manifest/hls and manifest/dash. now is the clock.
func Inspect(s *Source, now func() time.Time) *Report {
	r := &Report{Name: s.Name, HTTP: s.HTTP, Bytes: len(s.Body), Gzip: gzipSize(s.Body), Problems: []Problem{}}
	var at *time.Time
	if s.HTTP != nil {
		t := now()
		at = &t
	}
	if looksLikeXML(s.Body) {
		r.dash(s.Body, at, now)
	} else {
		r.hls(s.Body, at, now)
	}
	r.checkHTTP()
	return r
}

func (r *Report) hls(body []byte, at *time.Time, now func() time.Time) {
	t, took, err := timed(now, func() (*hls.Template, error) { return hls.Compile(body) })
	if err != nil {
		r.Problems = append(r.Problems, unreadable(err, body))
		return
	}
	r.Kind, r.Compile = t.Kind().String(), took
	if t.Kind() == manifest.HLSMultivariant {
		r.Multivariant, r.Problems = readMultivariant(t)
		r.Opinions = append(r.Opinions, secondMaster(t))
		return
	}
	r.Media, r.Problems = readMedia(t, at)
	r.Opinions = append(r.Opinions, secondMedia(t))
}

func (r *Report) dash(body []byte, at *time.Time, now func() time.Time) {
	t, took, err := timed(now, func() (*dash.Template, error) { return dash.Compile(body) })
	if err != nil {
		r.Problems = append(r.Problems, unreadable(err, body))
		return
	}
	r.Kind, r.Compile = t.Kind().String(), took
	r.MPD, r.Problems = readMPD(t, at)
	r.Together = presentationOf(t)
	r.Opinions = append(r.Opinions, secondMPD(t))
}

// timed compiles a few times and gives the fastest run.
func timed[T any](now func() time.Time, compile func() (T, error)) (t T, took Seconds, err error) {
	for i := range compileRuns {
		from := now()
		if t, err = compile(); err != nil {
			return t, 0, err
		}
		if d := Seconds(now().Sub(from)); i == 0 || d < took {
			took = d
		}
	}
	return t, took, nil
}

// unreadable turns a compiler's error into a problem.
func unreadable(err error, body []byte) Problem {
	p := Problem{Grade: Error, Text: err.Error()}
	var h *hls.Error
	var d *dash.Error
	switch {
	case errors.As(err, &h):
		p.Line, p.Column, p.Text = h.Line, h.Column, h.Text
		switch {
		case errors.Is(err, hls.ErrNotPlaylist):
			p.Clause = "rfc8216bis 4.4.1.1"
			p.Cure = guess(body)
		case errors.Is(err, hls.ErrSyntax):
			p.Clause = "rfc8216bis 4.1"
		}
	case errors.As(err, &d):
		p.Line, p.Column, p.Path, p.Text = d.Line, d.Column, d.Path, d.Text
		p.Clause, p.Cure = "XML 1.0", guess(body)
	}
	return p
}

// guess says what a body that is no manifest may be.
func guess(body []byte) string {
	head := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 1024)]))
	switch {
	case len(head) == 0:
		return "the body is empty"
	case bytes.HasPrefix(head, []byte("<!doctype html")), bytes.HasPrefix(head, []byte("<html")):
		return "it is a web page: perhaps an error page, or a login"
	case bytes.HasPrefix(head, []byte("<smoothstreamingmedia")):
		return "it is a Smooth Streaming manifest"
	case bytes.HasPrefix(head, []byte("<vast")), bytes.HasPrefix(head, []byte("<vmap")):
		return "it is an answer of an ad server"
	case bytes.HasPrefix(head, []byte("<?xml")), bytes.HasPrefix(head, []byte("<")):
		return ""
	case head[0] == '{' || head[0] == '[':
		return "it is JSON: perhaps an error of the server, or a steering answer"
	case body[0] == 0x47 && len(body) > 188 && body[188] == 0x47:
		return "it is a segment (MPEG-TS): inspect the playlist that lists it"
	case bytes.HasPrefix(body, []byte{0x1f, 0x8b}):
		return "it is gzip: the server compresses it without saying so"
	case len(body) > 8 && (string(body[4:8]) == "ftyp" || string(body[4:8]) == "styp" || string(body[4:8]) == "moof"):
		return "it is a segment (MP4): inspect the manifest that lists it"
	case bytes.HasPrefix(head, []byte("webvtt")):
		return "it is a subtitle segment: inspect the playlist that lists it"
	}
	return ""
}

// looksLikeXML tells an MPD from a playlist, as the edge does: the first
// character after a byte order mark and white space is "<".
func looksLikeXML(body []byte) bool {
	head := bytes.TrimPrefix(body[:min(len(body), 64)], []byte("\ufeff"))
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("<"))
}

// gzipSize is the size of the gzip form at the usual level.
func gzipSize(body []byte) int {
	var n counter
	w := gzip.NewWriter(&n)
	_, _ = w.Write(body) // a counter takes all
	_ = w.Close()
	return int(n)
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// mediaTypes are those that players accept for each kind (RFC 8216bis, section
// 4; ISO/IEC 23009-1, annex C).
var mediaTypes = map[string][]string{
	"hls":  {"application/vnd.apple.mpegurl", "audio/mpegurl", "application/x-mpegurl", "audio/x-mpegurl"},
	"dash": {"application/dash+xml", "video/vnd.mpeg.dash.mpd"},
}

// checkHTTP checks what the server said along with the manifest.
func (r *Report) checkHTTP() {
	if r.HTTP == nil || r.Kind == "" {
		return
	}
	want, clause := mediaTypes["hls"], "rfc8216bis 4"
	if r.MPD != nil {
		want, clause = mediaTypes["dash"], "ISO/IEC 23009-1 annex C"
	}
	if have := mediaType(r.HTTP.MediaType); !slices.Contains(want, have) {
		text := "the server sends it as " + short(have)
		if have == "" {
			text = "the server does not say what it is (no Content-Type)"
		}
		r.Problems = append(r.Problems, Problem{Grade: Warning, Text: text, Cure: "send Content-Type: " + want[0], Clause: clause})
	}
}

func mediaType(field string) string {
	t, _, _ := strings.Cut(field, ";")
	return strings.ToLower(strings.TrimSpace(t))
}
