package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"manifold/internal/testkit/bubble"
	"manifold/manifest"
	"manifold/manifest/dash"
	"manifold/manifest/hls"
)

const (
	testSession = "AQdXh2Zq0vTn3LrE5yUoPw"
	testToken   = "exp=1700000000~acl=/live/*~hmac=0a1b2c3d"
	testToken2  = "bcdn_token=Zm9vYmFy&expires=1700000000"
)

var (
	testValues   = [][]byte{[]byte(testSession), []byte(testToken), []byte(testToken2), nil}
	testLengths  = []int{len(testSession), len(testToken), len(testToken2), 0}
	testPathways = []manifest.Pathway{
		{ID: "alpha", Base: "https://alpha.example/live/", Token: manifest.InQuery},
		{ID: "beta", Base: "https://beta.example/live/", Token: manifest.InPath, TokenAt: len("https://beta.example/")},
		{ID: "gamma", Base: "https://gamma.example/cache/live/"},
	}
	testSteering = &manifest.Steering{Before: "/.manifold/steer/news?s=", After: "&v=1"}
)

const testSource = "http://origin.example/live/"

// testShapes are what the corpora are rendered for.
var testShapes = map[string]*manifest.Shape{
	"all-in-path": {Prefix: "/news", Edge: "https://edge.example", Source: testSource, Location: true, Pathways: testPathways[1:], Steering: testSteering, SlotLengths: testLengths},
	"steered":     {Prefix: "/news", Edge: "https://edge.example", Source: testSource, Location: true, Pathways: testPathways, Steering: testSteering, SlotLengths: testLengths},
	"single":      {Prefix: "/news", Source: testSource, Pathways: testPathways, SlotLengths: testLengths},
	"backup":      {Prefix: "/news", Source: testSource, Pathways: testPathways, Backups: 1, SlotLengths: testLengths},
	"in-path":     {Prefix: "/news", Source: testSource, Pathways: testPathways[1:], Backups: 9, SlotLengths: testLengths},
	"proxied":     {Prefix: "/news", Edge: "https://edge.example", Source: testSource, Pathways: testPathways, Steering: testSteering, Segments: manifest.SegmentsProxy, SlotLengths: testLengths},
	"cohort":      {Cohort: "eu", Source: testSource, Pathways: testPathways[2:], Steering: &manifest.Steering{Before: "/steer?c=eu", NoSession: true}},
	"sd": {Prefix: "/news", Source: testSource, Pathways: testPathways, Steering: testSteering, SlotLengths: testLengths,
		Filter: &manifest.Filter{MaxLines: 720, Codecs: []string{"avc1", "mp4a"}, SDROnly: true, Languages: []string{"de"}}},
	"nothing": {Prefix: "/news", Source: testSource, Pathways: testPathways, Backups: 1, SlotLengths: testLengths,
		Filter: &manifest.Filter{MinBitrate: 1e9, MaxLines: 1, Languages: []string{"xx"}}},
	"descending": {Prefix: "/news", Source: testSource, Pathways: testPathways, Backups: 2, SlotLengths: testLengths,
		Filter: &manifest.Filter{Order: manifest.Descending}},
	"theirs":      {Prefix: "/news", Source: testSource, Pathways: testPathways, Backups: 2, OriginSteering: true, SlotLengths: testLengths},
	"no-pathways": {Prefix: "/news", Source: testSource},
}

// template is what Offer gets its bytes from.
type template interface {
	Kind() manifest.Kind
	Source() []byte
	Append([]byte, *manifest.Plan) []byte
	AppendGzip([]byte, *manifest.Plan) []byte
}

// corpusTemplates compiles all manifests of the corpora.
func corpusTemplates(t testing.TB) map[string]template {
	t.Helper()
	all := make(map[string]template)
	for _, pattern := range corpora {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var tm template
			if looksLikeXML(body) {
				tm, err = dash.Compile(body)
			} else {
				tm, err = hls.Compile(body)
			}
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(file)] = tm
		}
	}
	return all
}

// judgeOf renders a template and judges it.
func judgeOf(tm template, shape *manifest.Shape, output []byte) (verdict, []string) {
	c := &shadowCase{kind: tm.Kind(), source: tm.Source(), output: output, plan: manifest.Plan{Shape: shape, Path: "v720/index.m3u8", Values: testValues}}
	return c.judge()
}

// TestShadowAgrees renders the corpora for many shapes: the second opinion
// finds nothing wrong, and is a witness for nearly all.
func TestShadowAgrees(t *testing.T) {
	var counts [verdictCount]int
	for name, tm := range corpusTemplates(t) {
		for shapeName, shape := range testShapes {
			plan := &manifest.Plan{Shape: shape, Path: "v720/index.m3u8", Values: testValues}
			for _, output := range [][]byte{tm.Append(nil, plan), tm.AppendGzip(nil, plan)} {
				v, what := judgeOf(tm, shape, output)
				if counts[v]++; v == differs {
					t.Errorf("%s, %s: %v\n%s", name, shapeName, what, tm.Append(nil, plan))
				}
			}
		}
	}
	all := counts[agrees] + counts[disputed] + counts[unread]
	t.Logf("%d agree, %d are disputed, %d cannot be read", counts[agrees], counts[disputed], counts[unread])
	if counts[agrees]*100 < all*95 {
		t.Errorf("only %d of %d agree", counts[agrees], all)
	}
}

// TestShadowSees spoils answers in ways that a broken rendering would: each is
// found.
func TestShadowSees(t *testing.T) {
	media := "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\na.ts\n#EXTINF:3.5,\nb.ts\n#EXTINF:4,\nc.ts\n"
	master := "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000,RESOLUTION=640x360,CODECS=\"avc1.64001f\"\na.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2000,RESOLUTION=1280x720,CODECS=\"avc1.64001f\"\nb.m3u8\n"
	mpd := `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="p" minBufferTime="PT2S" mediaPresentationDuration="PT24S">
<BaseURL>m/</BaseURL>
<Period id="a" duration="PT12S"><AdaptationSet mimeType="video/mp4"><SegmentTemplate media="$Time$" timescale="1"><SegmentTimeline><S t="0" d="4" r="2"/></SegmentTimeline></SegmentTemplate><Representation id="v" bandwidth="1"/><Representation id="w" bandwidth="2"/></AdaptationSet></Period>
<Period id="b" duration="PT12S"><AdaptationSet mimeType="video/mp4"><SegmentTemplate media="$Time$" timescale="1"><SegmentTimeline><S t="0" d="4" r="2"/></SegmentTimeline></SegmentTemplate><Representation id="v" bandwidth="1"/></AdaptationSet></Period>
</MPD>`
	for _, c := range []struct {
		name, source, shape string
		from, to            string // the first is replaced by the second, once
		want                string
	}{
		{"a segment is lost", media, "single", "#EXTINF:3.5,\nhttps://alpha.example/live/v720/b.ts?" + testToken + "\n", "", "segments: 3 here, 2 there"},
		{"a segment is twice", media, "single", "#EXTINF:3.5,\n", "#EXTINF:3.5,\nb.ts\n#EXTINF:3.5,\n", "segments: 3 here, 4 there"},
		{"a duration", media, "in-path", "3.5", "5.3", "segment 2: 3.5 s here, 5.3 s there"},
		{"the sequence", media, "single", "SEQUENCE:7", "SEQUENCE:8", "media sequence: 7 here, 8 there"},
		{"an end", media, "single", "#EXT-X-VERSION:3\n", "#EXT-X-VERSION:3\n#EXT-X-ENDLIST\n", "ended: false here, true there"},
		{"a variant is lost", master, "steered", "#EXT-X-STREAM-INF:BANDWIDTH=2000,RESOLUTION=1280x720,CODECS=\"avc1.64001f\",STABLE-VARIANT-ID=\"v720/b.m3u8\",PATHWAY-ID=\"beta\"\n/news/~" + testSession + "/beta/v720/b.m3u8\n", "", "variants: 6 here, 5 there"},
		{"a pathway in place of another", master, "steered", "/beta/v720/b.m3u8", "/gamma/v720/b.m3u8", "variants of pathway alpha: 2, of beta: 1"},
		{"no backup", master, "backup", "#EXT-X-STREAM-INF:BANDWIDTH=2000", "#", "variants: 4 here, 3 there"},
		{"a bandwidth", master, "single", "BANDWIDTH=2000", "BANDWIDTH=3000", "none of the source's"},
		{"a resolution", master, "single", "1280x720", "1280x721", "none of the source's"},
		{"the filter kept what it should not", master, "nothing", "#EXTM3U\n", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2000,RESOLUTION=1280x720,CODECS=\"avc1.64001f\"\nb.m3u8\n", "variants: "},
		{"a Period is lost", mpd, "single", `<Period id="b"`, `<!-- `, ""},
		{"a Period's id", mpd, "in-path", `id="b"`, `id="c"`, "Period 2: id b here, c there"},
		{"a Period's duration", mpd, "in-path", `id="a" duration="PT12S"`, `id="a" duration="PT13S"`, "Period 1: duration: 12 s here, 13 s there"},
		{"a Representation is lost", mpd, "all-in-path", `<Representation id="w" bandwidth="2"/>`, "", "Representations: 2 here, 1 there"},
		{"a segment of a timeline", mpd, "in-path", `r="2"`, `r="1"`, "segments: 3 here, 2 there"},
		{"the length of segments", mpd, "in-path", `d="4"`, `d="5"`, "length: 12 s here, 15 s there"},
		{"static became dynamic", mpd, "in-path", `type="static"`, `type="dynamic"`, "dynamic: false here, true there"},
		{"a pathway's base URL", mpd, "all-in-path", `<BaseURL serviceLocation="gamma">https://gamma.example/cache/live/v720/m/</BaseURL>`, "", "base URLs of pathway beta: 1, of gamma: 0"},
		{"a stranger under a filter", mpd, "nothing", `id="v"`, `id="z"`, "Representation z is none of the source's"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tm template
			var err error
			if looksLikeXML([]byte(c.source)) {
				tm, err = dash.Compile([]byte(c.source))
			} else {
				tm, err = hls.Compile([]byte(c.source))
			}
			if err != nil {
				t.Fatal(err)
			}
			shape := testShapes[c.shape]
			right := string(tm.Append(nil, &manifest.Plan{Shape: shape, Path: "v720/index.m3u8", Values: testValues}))
			if v, what := judgeOf(tm, shape, []byte(right)); v != agrees {
				t.Fatalf("%v: %v\n%s", v, what, right)
			}
			wrong := strings.Replace(right, c.from, c.to, 1)
			if c.name == "a Period is lost" {
				from := strings.Index(right, `<Period id="b"`)
				wrong = right[:from] + right[from+strings.Index(right[from:], "</Period>")+len("</Period>"):]
				c.want = "Periods: 2 here, 1 there"
			}
			if wrong == right {
				t.Fatalf("%q is not in\n%s", c.from, right)
			}
			v, what := judgeOf(tm, shape, []byte(wrong))
			if v != differs || !strings.Contains(strings.Join(what, "; "), c.want) {
				t.Errorf("%v: %v, want %q\n%s", v, what, c.want, wrong)
			}
		})
	}
}

// TestShadowSeesBrokenGzip spoils a compressed answer.
func TestShadowSeesBrokenGzip(t *testing.T) {
	tm, err := hls.Compile([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	shape := testShapes["single"]
	out := tm.AppendGzip(nil, &manifest.Plan{Shape: shape, Path: "a.m3u8", Values: testValues})
	if v, what := judgeOf(tm, shape, out); v != agrees {
		t.Fatalf("%v: %v", v, what)
	}
	out[len(out)/2] ^= 0x55
	if v, what := judgeOf(tm, shape, out); v != differs || !strings.Contains(what[0], "gzip") {
		t.Errorf("%v: %v", v, what)
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 64<<20))
	_ = z.Close()
	if v, what := judgeOf(tm, shape, bomb.Bytes()); v != differs {
		t.Errorf("%v: %v", v, what)
	}
}

// TestShadowDisputes gives a source that grafov/m3u8 misreads: it is no
// witness.
func TestShadowDisputes(t *testing.T) {
	body, err := os.ReadFile("../manifest/hls/testdata/corpus/media-integer-durations.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	tm, err := hls.Compile(body)
	if err != nil {
		t.Fatal(err)
	}
	shape := testShapes["single"]
	out := tm.Append(nil, &manifest.Plan{Shape: shape, Path: "a.m3u8", Values: testValues})
	if v, what := judgeOf(tm, shape, out); v != disputed {
		t.Errorf("%v: %v", v, what)
	}
	// And one that it panics on.
	if v, _ := judgeOf(tm, shape, []byte("#EXTM3U\n#EXT-X-MAP:\n0")); v != unread {
		t.Errorf("%v", v)
	}
}

// always samples every answer.
func always() uint64 { return 0 }

// offered runs a shadow over answers inside a bubble of virtual time, and gives
// what it logged.
func offered(t *testing.T, cfg ShadowConfig, f func(s *Shadow)) (ShadowCounts, string) {
	t.Helper()
	var log bytes.Buffer
	var counts ShadowCounts
	bubble.Test(t, func(t *testing.T) {
		s, err := NewShadow(cfg, slog.New(slog.NewJSONHandler(&log, nil)), time.Now, always)
		if err != nil {
			t.Fatal(err)
		}
		f(s)
		s.Close()
		counts = s.Counts()
	})
	return counts, log.String()
}

func TestShadowKeepsCases(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cases")
	source := []byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI=\"https://user:pass@keys.example/k?secret=hunter2&n=1\"\n#EXTINF:4,\na.ts?origin=hunter2\n#EXTINF:4,\nb.ts\n#EXT-X-ENDLIST\n")
	tm, err := hls.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	plan := &manifest.Plan{Shape: testShapes["single"], Path: "v720/index.m3u8", Values: testValues}
	out := append(tm.Append(nil, plan), "#EXTINF:4,\n/news/~AQdXh2Zq0vTn3LrE5yUoPQ/alpha/c.ts\n"...)
	counts, log := offered(t, ShadowConfig{Every: 1, Folder: dir}, func(s *Shadow) {
		for range 3 {
			s.Offer(tm.Kind(), tm.Source(), out, plan)
		}
		bubble.Wait()
	})
	if counts.Differs != 3 || counts.Dropped != 0 {
		t.Errorf("%+v", counts)
	}
	if strings.Count(log, "\n") != 1 || !strings.Contains(log, "segments: 2 here, 3 there") || !strings.Contains(log, `"case":`) {
		t.Errorf("the log is\n%s", log)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Fatalf("%v %v", names, err)
	}
	all := log
	for _, file := range []string{"case.json", "source.m3u8", "output.m3u8"} {
		body, err := os.ReadFile(filepath.Join(dir, names[0].Name(), file))
		if err != nil {
			t.Fatal(err)
		}
		all += string(body)
	}
	for _, secret := range []string{testSession, testToken, "hunter2", "user:pass", "AQdXh2Zq0vTn3LrE5yUoPQ", "0a1b2c3d"} {
		if strings.Contains(all, secret) {
			t.Errorf("%s is kept:\n%s", secret, all)
		}
	}
	var info caseInfo
	body, _ := os.ReadFile(filepath.Join(dir, names[0].Name(), "case.json"))
	if err := json.Unmarshal(body, &info); err != nil || info.Verdict != "differs" || len(info.Shape.Pathways) != 3 || info.Path != "v720/index.m3u8" {
		t.Errorf("%v %+v", err, info)
	}
	// A kept output is still a manifest, with the same fault.
	output, _ := os.ReadFile(filepath.Join(dir, names[0].Name(), "output.m3u8"))
	if r := Inspect(&Source{Body: output}, atNoon); r.Media == nil || r.Media.Segments != 3 {
		t.Errorf("%s", output)
	}
	if st, err := os.Stat(filepath.Join(dir, names[0].Name(), "source.m3u8")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
}

// TestShadowFolderIsBounded keeps more cases than the folder holds.
func TestShadowFolderIsBounded(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "not-a-case"), 0o700); err != nil {
		t.Fatal(err)
	}
	offered(t, ShadowConfig{Every: 1, Folder: dir, Cases: 3}, func(s *Shadow) {
		for i := range 8 {
			src := []byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n" + strings.Repeat("#EXTINF:4,\na.ts\n", i+1) + "#EXT-X-ENDLIST\n")
			s.Offer(manifest.HLSMedia, src, []byte(small+strings.Repeat("#EXTINF:4,\na.ts\n", i+1)), &manifest.Plan{Shape: testShapes["single"], Path: fmt.Sprint(i)})
			time.Sleep(time.Second) // of the bubble's clock
		}
	})
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) != 4 || !slices.Contains(names, "not-a-case") {
		t.Errorf("%v", names)
	}
	f := &caseFolder{dir: dir, cases: 3, bytes: 10}
	if _, err := f.save(&shadowCase{kind: manifest.DASH, source: make([]byte, 100), plan: manifest.Plan{Shape: &manifest.Shape{}}}, differs, nil, noon); err == nil {
		t.Error("a case larger than the folder was kept")
	}
}

// TestShadowIsBounded offers more than the budget and the queue hold: nothing
// waits, what is over is dropped.
func TestShadowIsBounded(t *testing.T) {
	tm, err := hls.Compile([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	plan := &manifest.Plan{Shape: testShapes["single"], Path: "a.m3u8", Values: testValues}
	out := tm.Append(nil, plan)
	offer := func(n int) func(*Shadow) {
		return func(s *Shadow) {
			for range n {
				s.Offer(tm.Kind(), tm.Source(), out, plan)
			}
		}
	}
	counts, _ := offered(t, ShadowConfig{Every: 1, PerSecond: 5, Queue: 1000}, func(s *Shadow) {
		for range 10 {
			offer(100)(s)
			time.Sleep(time.Second)
		}
	})
	if n := counts.Agrees; n < 50 || n > 56 {
		t.Errorf("a budget of 5 a second for 10 s: %+v", counts)
	}
	if counts.Agrees+counts.Dropped != 1000 {
		t.Errorf("%+v do not make 1000", counts)
	}
	counts, _ = offered(t, ShadowConfig{Every: 1, PerSecond: 1e6, QueueBytes: 1}, offer(10))
	if counts.Dropped != 10 {
		t.Errorf("answers larger than the queue were taken: %+v", counts)
	}
	counts, _ = offered(t, ShadowConfig{Every: 1}, func(s *Shadow) {
		s.Offer(tm.Kind(), tm.Source(), out, nil)
		s.Offer(tm.Kind(), tm.Source(), out, &manifest.Plan{})
	})
	if counts != (ShadowCounts{}) {
		t.Errorf("identity was read again: %+v", counts)
	}
}

// TestShadowSamples takes one in so many.
func TestShadowSamples(t *testing.T) {
	n := uint64(0)
	tm, err := hls.Compile([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	plan := &manifest.Plan{Shape: testShapes["single"], Path: "a.m3u8", Values: testValues}
	out := tm.Append(nil, plan)
	s, err := NewShadow(ShadowConfig{PerSecond: 1e6, Queue: 100}, slog.New(slog.DiscardHandler), time.Now, func() uint64 { n++; return n })
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		s.Offer(tm.Kind(), tm.Source(), out, plan)
	}
	s.Close()
	s.Close() // a second time does no harm
	if c := s.Counts(); c.Agrees+c.Dropped != 10 || c.Agrees == 0 {
		t.Errorf("%+v of 10,000", c)
	}
}

func TestShadowOff(t *testing.T) {
	s, err := NewShadow(ShadowConfig{Every: -1}, nil, nil, nil)
	if err != nil || s != nil {
		t.Fatalf("%v %v", s, err)
	}
	s.Offer(manifest.DASH, nil, nil, nil)
	s.Close()
	if s.Counts() != (ShadowCounts{}) {
		t.Error("it counted")
	}
	if _, err := NewShadow(ShadowConfig{PerSecond: -1}, nil, nil, nil); err == nil {
		t.Error("a negative budget was accepted")
	}
	if _, err := NewShadow(ShadowConfig{Folder: "/dev/null/x"}, nil, nil, nil); err == nil {
		t.Error("a folder that cannot be was accepted")
	}
	var _ interface {
		Offer(manifest.Kind, []byte, []byte, *manifest.Plan)
	} = s
}

// FuzzRedact asks that blotting keeps the length and leaves no secret.
func FuzzRedact(f *testing.F) {
	f.Add([]byte("https://u:p@a.example/~"+testSession+"/x?t="+testToken+"&amp;n=$Number%05d$"), []byte(testToken))
	f.Add([]byte("#EXT-X-KEY:URI=\"k?a={$b}&c=d\",IV=0x12"), []byte("secret"))
	f.Fuzz(func(t *testing.T, text, secret []byte) {
		out := redact(text, [][]byte{secret})
		if len(out) != len(text) {
			t.Fatalf("%d became %d", len(text), len(out))
		}
		if len(secret) >= minSecret && bytes.Trim(secret, "x") != nil && len(bytes.Trim(secret, "x")) > 0 && bytes.Contains(out, secret) && !bytes.ContainsAny(secret, "x") {
			t.Errorf("%q is in %q", secret, out)
		}
	})
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"a.ts?tok=abc&x=1":                           "a.ts?tok=xxx&x=x",
		`media="$Number%05d$.m4s?t=$Time$&amp;k=ab"`: `media="$Number%05d$.m4s?t=$Time$&amp;k=xx"`,
		"{$base}/a.ts?s={$token}&z=9":                "{$base}/a.ts?s={$token}&z=x",
		"/news/~abcdef/alpha/x.m3u8":                 "/news/~xxxxxx/alpha/x.m3u8",
		"/news/~c.eu/alpha/x.m3u8":                   "/news/~c.eu/alpha/x.m3u8",
		"https://me:pw@a.example/x":                  "https://xxxxx@a.example/x",
		"#EXTINF:4,\nsecret99.ts\n":                  "#EXTINF:4,\nxxxxxxxx.ts\n",
	} {
		if got := string(redact([]byte(in), [][]byte{[]byte("secret99"), []byte("b")})); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
