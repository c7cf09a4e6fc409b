package benchmarks

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"manifold/internal/testkit/sample"
	"manifold/manifest"
	"manifold/manifest/dash"
	"manifold/manifest/hls"
)

// contender is one way to do what a scenario asks for; what it gives is valid
// until it runs again, and nil where the scenario asks only to read.
type contender struct {
	name string
	run  func() ([]byte, error)
}

// scenario is one comparison. The first contender is ours.
type scenario struct {
	name, about string
	contenders  func(tb testing.TB) []contender
}

var scenarios = []scenario{
	{"RenderLive6", "live playlist, 6 segments", renderHLS(sample.Playlist(6, false))},
	{"RenderVOD500", "VOD playlist, 500 segments", renderHLS(sample.Playlist(500, true))},
	{"RenderVOD5000", "VOD playlist, 5,000 segments", renderHLS(sample.Playlist(5000, true))},
	{"RenderLiveMPD", "live MPD, segment timelines", renderMPD(sample.MPD(1, 30))},
	{"RenderMultiPeriodMPD", "live MPD, 12 periods", renderMPD(sample.MPD(12, 15))},
	{"GzipLive6", "live playlist, 6 segments, gzip", gzipHLS(sample.Playlist(6, false))},
	{"GzipVOD500", "VOD playlist, 500 segments, gzip", gzipHLS(sample.Playlist(500, true))},
	{"GzipVOD5000", "VOD playlist, 5,000 segments, gzip", gzipHLS(sample.Playlist(5000, true))},
	{"GzipLiveMPD", "live MPD, gzip", gzipMPD(sample.MPD(1, 30))},
	{"CompileVOD500", "reading a VOD playlist, 500 segments", compileHLS(sample.Playlist(500, true))},
	{"CompileLiveMPD", "reading a live MPD", compileMPD(sample.MPD(1, 30))},
}

func renderHLS(src []byte) func(testing.TB) []contender {
	return func(tb testing.TB) []contender {
		ours := render(tb, compile(tb, hls.Compile, src), mediaPlan())
		return []contender{
			ours,
			{"grafov", func() ([]byte, error) { return grafovRender(src) }},
			{"eyevinn", func() ([]byte, error) { return eyevinnRender(src) }},
			memcpy(tb, ours),
		}
	}
}

func renderMPD(src []byte) func(testing.TB) []contender {
	return func(tb testing.TB) []contender {
		ours := render(tb, compile(tb, dash.Compile, src), mpdPlan())
		return []contender{
			ours,
			{"godash", func() ([]byte, error) { return godashRender(src) }},
			{"eyevinn", func() ([]byte, error) { return dashmpdRender(src) }},
			memcpy(tb, ours),
		}
	}
}

func gzipHLS(src []byte) func(testing.TB) []contender {
	return func(tb testing.TB) []contender { return gzipped(tb, compile(tb, hls.Compile, src), mediaPlan()) }
}

func gzipMPD(src []byte) func(testing.TB) []contender {
	return func(tb testing.TB) []contender { return gzipped(tb, compile(tb, dash.Compile, src), mpdPlan()) }
}

func compileHLS(src []byte) func(testing.TB) []contender {
	return func(testing.TB) []contender {
		return []contender{
			{"manifold", func() ([]byte, error) { _, err := hls.Compile(src); return nil, err }},
			{"grafov", func() ([]byte, error) { _, err := grafovDecode(src); return nil, err }},
			{"eyevinn", func() ([]byte, error) { _, err := eyevinnDecode(src); return nil, err }},
		}
	}
}

func compileMPD(src []byte) func(testing.TB) []contender {
	return func(testing.TB) []contender {
		return []contender{
			{"manifold", func() ([]byte, error) { _, err := dash.Compile(src); return nil, err }},
			{"godash", func() ([]byte, error) { return nil, godashRead(src) }},
			{"eyevinn", func() ([]byte, error) { return nil, dashmpdRead(src) }},
		}
	}
}

// template is what hls and dash compile to.
type template interface {
	Append(dst []byte, plan *manifest.Plan) []byte
	AppendGzip(dst []byte, plan *manifest.Plan) []byte
}

func compile[T template](tb testing.TB, compile func([]byte) (T, error), src []byte) T {
	tb.Helper()
	t, err := compile(src)
	if err != nil {
		tb.Fatalf("cannot compile the input: %v", err)
	}
	return t
}

// render is ours: a compiled template, rendered into storage that is kept.
func render(tb testing.TB, t template, plan *manifest.Plan) contender {
	tb.Helper()
	dst := t.Append(nil, plan)
	return contender{"manifold", func() ([]byte, error) {
		dst = t.Append(dst[:0], plan)
		return dst, nil
	}}
}

// memcpy copies a render: no way of making it is faster.
func memcpy(tb testing.TB, ours contender) contender {
	tb.Helper()
	out, err := ours.run()
	if err != nil {
		tb.Fatal(err)
	}
	src := slices.Clone(out)
	dst := make([]byte, 0, len(src))
	return contender{"memcpy", func() ([]byte, error) {
		dst = append(dst[:0], src...)
		return dst, nil
	}}
}

// gzipped are our compressed template, and our render compressed anew with
// kept writers.
func gzipped(tb testing.TB, t template, plan *manifest.Plan) []contender {
	tb.Helper()
	dst := t.AppendGzip(nil, plan)
	all := []contender{{"manifold", func() ([]byte, error) {
		dst = t.AppendGzip(dst[:0], plan)
		return dst, nil
	}}}
	for _, level := range []int{1, 6} {
		var out bytes.Buffer
		w, err := gzip.NewWriterLevel(&out, level)
		if err != nil {
			tb.Fatal(err)
		}
		text := t.Append(nil, plan)
		all = append(all, contender{fmt.Sprint("klauspost", level), func() ([]byte, error) {
			out.Reset()
			w.Reset(&out)
			text = t.Append(text[:0], plan)
			if _, err := w.Write(text); err != nil {
				return nil, err
			}
			err := w.Close()
			return out.Bytes(), err
		}})
	}
	return all
}

// TestContenders holds that all contenders of a scenario make the same
// manifest, as far as a player sees: the same URIs, segments and Periods.
func TestContenders(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			var want []string
			for i, c := range s.contenders(t) {
				out, err := c.run()
				if err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				if strings.HasPrefix(s.name, "Compile") {
					continue
				}
				if strings.HasPrefix(s.name, "Gzip") {
					out = gunzip(t, out)
				}
				got := essence(string(out))
				if i == 0 {
					want = got
					if len(want) < 7 {
						t.Fatalf("only %d things found in our output:\n%s", len(want), out)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s makes another manifest than ours:\n%s", c.name, out[:min(len(out), 2000)])
				}
			}
		})
	}
}

func gunzip(t *testing.T, member []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(member))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// essence is what a manifest tells a player to fetch and when.
func essence(manifest string) []string {
	var found []string
	if strings.HasPrefix(manifest, "#EXTM3U") {
		for line := range strings.Lines(manifest) {
			line = strings.TrimSpace(line)
			switch {
			case strings.HasPrefix(line, "#EXTINF:"):
				found = append(found, strings.TrimRight(strings.TrimSuffix(line, ","), "0"))
			case strings.HasPrefix(line, "#EXT-X-MAP"), line != "" && line[0] != '#':
				found = append(found, line)
			}
		}
		return found
	}
	for _, piece := range []string{mpdBase + "</BaseURL>", mpdLocation + "</Location>", "<Period ", "<AdaptationSet ",
		"<SegmentTimeline>", "<S t=", "<Representation ", "media=\"$RepresentationID$/$Time$.m4s\""} {
		found = append(found, fmt.Sprint(piece, strings.Count(manifest, piece)))
	}
	return found
}
