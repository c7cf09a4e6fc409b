package hls

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"manifold/manifest"
)

func render(t *testing.T, src, shape, path string) string {
	t.Helper()
	tmpl, err := Compile([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return string(tmpl.Append(nil, &manifest.Plan{Shape: shapes[shape], Path: path, Values: values}))
}

// TestCopiesKeepLineEnds: what is added has the line ends of the source, and a
// source whose last line does not end is ended before something is added.
func TestCopiesKeepLineEnds(t *testing.T) {
	const open = "#EXTM3U\r\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"x\",URI=\"a.m3u8\"\r\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\r\nv.m3u8"
	for shape, variants := range map[string]int{"steered": 3, "single": 1, "backup": 2, "backups": 2} {
		out := render(t, open, shape, "m.m3u8")
		if n := strings.Count(out, "#EXT-X-STREAM-INF"); n != variants {
			t.Errorf("%s: %d variants:\n%s", shape, n, out)
		}
		if strings.Count(out, "\n") != strings.Count(out, "\r\n") || strings.Contains(out, "\r\n\r\n") || strings.Count(out, "\r") != strings.Count(out, "\n") {
			t.Errorf("%s: line ends differ: %q", shape, out)
		}
		if ended := strings.HasSuffix(out, "\n"); ended != (variants > 1) {
			t.Errorf("%s: ends with %q", shape, out[len(out)-20:])
		}
	}
	out := render(t, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv.m3u8\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",URI=\"a.m3u8\"", "backup", "m.m3u8")
	if want := "alpha/a.m3u8\"\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a-beta\",URI=\"/news/~" + session + "/beta/a.m3u8\"\n"; !strings.HasSuffix(out, want) {
		t.Errorf("got %q", out)
	}
}

// TestGroupNames: a copied group never takes the name of another one of its
// type, and variants refer to the copies.
func TestGroupNames(t *testing.T) {
	out := render(t, `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="1",URI="1.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a-beta",NAME="2",URI="2.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="a",NAME="3",URI="3.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="a",NAME="4",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a",SUBTITLES="a",CLOSED-CAPTIONS="a"
v1.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO="a-beta"
v2.m3u8
`, "steered", "m.m3u8")
	ids := make(map[string]string)
	for _, m := range regexp.MustCompile(`TYPE=([A-Z-]+),GROUP-ID="([^"]+)",NAME="(\d)"`).FindAllStringSubmatch(out, -1) {
		key := m[1] + " " + m[2]
		if ids[key] != "" {
			t.Errorf("%s is the group of %s and %s", key, ids[key], m[3])
		}
		ids[key] = m[3]
	}
	for _, want := range []string{
		`AUDIO="a",SUBTITLES="a",CLOSED-CAPTIONS="a",STABLE-VARIANT-ID="v1.m3u8",PATHWAY-ID="alpha"`,
		`AUDIO="a-beta-2",SUBTITLES="a-beta",CLOSED-CAPTIONS="a",STABLE-VARIANT-ID="v1.m3u8",PATHWAY-ID="beta"`,
		`AUDIO="a-beta",STABLE-VARIANT-ID="v2.m3u8",PATHWAY-ID="alpha"`,
		`AUDIO="a-beta-beta",STABLE-VARIANT-ID="v2.m3u8",PATHWAY-ID="beta"`,
		`AUDIO="a-beta-gamma",STABLE-VARIANT-ID="v2.m3u8",PATHWAY-ID="gamma"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	if len(ids) != 3*3+1 {
		t.Errorf("groups %v", ids)
	}
}

// TestStableIDs: only allowed characters (rfc8216bis, section 4.4.6.2), equal
// for the same URI, different for others, the origin's own kept.
func TestStableIDs(t *testing.T) {
	tail := "\n#EXT-X-STREAM-INF:BANDWIDTH=1\n"
	out := render(t, "#EXTM3U"+tail+"v/1.m3u8"+tail+"v/1.m3u8?a=1"+tail+"v/1.m3u8?a=2"+tail+"./v/1.m3u8"+tail+
		"https://elsewhere.example/1.m3u8"+tail+strings.Repeat("long/", 30)+"a.m3u8"+tail+"größe.m3u8"+
		"\n#EXT-X-STREAM-INF:STABLE-VARIANT-ID=\"mine\",BANDWIDTH=1\nv/2.m3u8\n", "steered", "m.m3u8")
	var got []string
	for _, m := range regexp.MustCompile(`STABLE-VARIANT-ID="([^"]*)"`).FindAllStringSubmatch(out, -1) {
		if !regexp.MustCompile(`^[A-Za-z0-9+/=._-]+$`).MatchString(m[1]) || len(m[1]) > 64 {
			t.Errorf("id %q", m[1])
		}
		got = append(got, m[1])
	}
	if len(got) != 24 {
		t.Fatalf("%d ids: %q", len(got), got)
	}
	for i, id := range got {
		if id != got[i%8] {
			t.Errorf("variant %d has %q on one pathway and %q on another", i%8, got[i%8], id)
		}
	}
	seen := make(map[string]bool)
	for _, id := range got[:8] {
		seen[id] = true
	}
	if got[0] != "v/1.m3u8" || got[3] != got[0] || got[7] != "mine" || len(seen) != 7 {
		t.Errorf("ids %q", got[:8])
	}
}

// TestHomePathway: of an origin's own pathways one is kept, the first that
// leads below the root.
func TestHomePathway(t *testing.T) {
	const foreign, ours = "https://a.example/v.m3u8", "v.m3u8"
	for name, c := range map[string]struct{ src, want string }{
		"first":            {"#EXT-X-STREAM-INF:PATHWAY-ID=\"A\"\n1.m3u8\n#EXT-X-STREAM-INF:PATHWAY-ID=\"B\"\n2.m3u8\n", "1.m3u8"},
		"named":            {"#EXT-X-CONTENT-STEERING:SERVER-URI=\"s\",PATHWAY-ID=\"B\"\n#EXT-X-STREAM-INF:PATHWAY-ID=\"A\"\n1.m3u8\n#EXT-X-STREAM-INF:PATHWAY-ID=\"B\"\n2.m3u8\n", "2.m3u8"},
		"named, not there": {"#EXT-X-CONTENT-STEERING:SERVER-URI=\"s\",PATHWAY-ID=\"C\"\n#EXT-X-STREAM-INF:PATHWAY-ID=\"A\"\n1.m3u8\n#EXT-X-STREAM-INF:PATHWAY-ID=\"B\"\n2.m3u8\n", "1.m3u8"},
		"below the root":   {"#EXT-X-STREAM-INF:PATHWAY-ID=\"A\"\n" + foreign + "\n#EXT-X-STREAM-INF:PATHWAY-ID=\"B\"\n" + ours + "\n", ours},
		"none has an id":   {"#EXT-X-STREAM-INF:A=1\n1.m3u8\n#EXT-X-STREAM-INF:PATHWAY-ID=\"B\"\n2.m3u8\n", "1.m3u8"},
		"all foreign":      {"#EXT-X-STREAM-INF:PATHWAY-ID=\"A\"\n" + foreign + "\n#EXT-X-STREAM-INF:PATHWAY-ID=\"B\"\nhttps://b.example/\n", foreign},
	} {
		out := render(t, "#EXTM3U\n"+c.src, "single", "m.m3u8")
		if strings.Count(out, "#EXT-X-STREAM-INF") != 1 || !strings.HasSuffix(out, c.want+"\n") || strings.Contains(out, "PATHWAY") || strings.Contains(out, "STEERING") {
			t.Errorf("%s:\n%s", name, out)
		}
	}
}

// TestNothingToSteer: no steering tag without a variant, since its PATHWAY-ID
// must be that of one.
func TestNothingToSteer(t *testing.T) {
	const src = "#EXTM3U\n#EXT-X-SESSION-DATA:DATA-ID=\"a\",VALUE=\"b\"\n"
	if out := render(t, src, "steered", "m.m3u8"); out != src {
		t.Errorf("got %q", out)
	}
}

// TestPathIsNotKept: the storage of a plan's path belongs to the request.
func TestPathIsNotKept(t *testing.T) {
	tmpl, err := Compile(live(1))
	if err != nil {
		t.Fatal(err)
	}
	path := []byte("one/a.m3u8")
	plan := &manifest.Plan{Shape: shapes["proxied"], Path: unsafe.String(&path[0], len(path)), Values: values}
	one := tmpl.Append(nil, plan)
	copy(path, "two")
	two := tmpl.Append(nil, plan)
	copy(path, "one")
	if !bytes.Contains(two, []byte("alpha/two/segment")) || !bytes.Equal(one, tmpl.Append(nil, plan)) {
		t.Errorf("two/a.m3u8 gives %q", two)
	}
}

// TestManyAtOnce has many viewers ask for the same forms first.
func TestManyAtOnce(t *testing.T) {
	tmpl, err := Compile(vod(50))
	if err != nil {
		t.Fatal(err)
	}
	want := tmpl.Append(nil, &manifest.Plan{Shape: shapes["proxied"], Path: "a/b.m3u8", Values: values})
	tmpl, _ = Compile(tmpl.Source())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			plan := &manifest.Plan{Shape: shapes["proxied"], Path: "a/b.m3u8", Values: values}
			for range 50 {
				if got := tmpl.Append(nil, plan); !bytes.Equal(got, want) {
					t.Errorf("got %q", got)
					return
				}
				if got := gunzip(t, tmpl.AppendGzip(nil, plan)); !bytes.Equal(got, want) {
					t.Errorf("gzip gives %q", got)
					return
				}
			}
		})
	}
	all.Wait()
}
