package manifest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// inflate reads one gzip member by the standard library, which checks CRC-32
// and ISIZE.
func inflate(member []byte) ([]byte, error) {
	src := bytes.NewReader(member)
	r, err := gzip.NewReader(src)
	if err != nil {
		return nil, err
	}
	r.Multistream(false)
	out, err := io.ReadAll(r)
	if err == nil && src.Len() > 0 {
		err = fmt.Errorf("%d bytes after the member", src.Len())
	}
	return out, err
}

// gzips checks that AppendGzip gives a member whose content is the plain
// render, and returns it.
func gzips(t interface {
	Helper()
	Fatalf(string, ...any)
}, f *Form, values [][]byte) []byte {
	t.Helper()
	want := f.Append(nil, values)
	out := f.AppendGzip([]byte("before"), values)
	if !bytes.HasPrefix(out, []byte("before")) {
		t.Fatalf("AppendGzip changed what was before")
	}
	out = out[len("before"):]
	got, err := inflate(out)
	if err != nil {
		t.Fatalf("cannot inflate: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("inflates to %q, want %q", got, want)
	}
	return out
}

func TestGzip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawForm(t, rapid.OneOf(rapid.IntRange(1, 8), rapid.IntRange(40, 400)))
		size := -1
		for i := range 3 {
			out := gzips(t, d.form, drawValues(t, d.lens, fmt.Sprint("values ", i)))
			if size >= 0 && len(out) != size {
				t.Fatalf("the length depends on the values: %d and %d bytes", size, len(out))
			}
			size = len(out)
		}
		if d.form.gz == nil {
			t.Fatalf("no compressed twin was made")
		}
		gzips(t, d.form, nil)
		gzips(t, d.form, drawValues(t, []int{3, 70, 500}, "other lengths"))
	})
}

// hold checks a form built by add: that it has a twin, that this holds for
// values of several kinds, and that it is not much larger than gzip -6. It
// gives the form.
func hold(t *testing.T, lens []int, add func(b *Builder)) *Form {
	t.Helper()
	b := NewBuilder(lens, 1<<10)
	add(b)
	f := b.Form()
	rnd := rand.New(rand.NewPCG(1, 2))
	const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var values [][]byte
	size := 0
	for range 3 {
		values = nil
		for _, n := range lens {
			v := make([]byte, n)
			for i := range v {
				v[i] = base64url[rnd.IntN(64)]
			}
			values = append(values, v)
		}
		size = len(gzips(t, f, values))
	}
	same := make([][]byte, len(lens))
	for i, n := range lens {
		same[i] = bytes.Repeat([]byte("a"), n)
	}
	if n := len(gzips(t, f, same)); n != size {
		t.Errorf("the length depends on the values: %d and %d bytes", size, n)
	}
	if f.gz == nil {
		t.Fatal("no compressed twin was made")
	}
	var w bytes.Buffer
	z, err := gzip.NewWriterLevel(&w, 6)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(f.Append(nil, values)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	// A value as such costs a quarter more than base64url's six bits, once;
	// a stored block costs its header and some of the trees again.
	extra := 64
	for _, p := range f.gz.patches {
		extra += p.n/4 + 24
	}
	if limit := w.Len()*103/100 + extra; size > limit {
		t.Errorf("%d bytes, over %d; gzip -6 has %d", size, limit, w.Len())
	}
	t.Logf("%d bytes of text: %d, gzip -6 %d, %d stored values", f.Size(), size, w.Len(), len(f.gz.patches))
	return f
}

func mediaPlaylist(b *Builder, segments int, slots ...Slot) {
	b.String("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:1\n")
	for i := range segments {
		b.String("#EXTINF:4.000,\nhttps://cdn-a.example/live/v720/seg_")
		b.String(fmt.Sprintf("%05d.m4s?", i))
		for _, s := range slots {
			b.Slot(s)
		}
		b.Byte('\n')
	}
	b.String("#EXT-X-ENDLIST\n")
}

func TestGzipMediaPlaylists(t *testing.T) {
	for _, length := range []int{40, 90, 257, 258, 259, 260, 261, 400, 515, 516, 517, 518, 519} {
		for _, segments := range []int{0, 1, 6, 500, 4000} {
			if segments == 4000 && length != 90 {
				continue
			}
			t.Run(fmt.Sprint(segments, "x", length), func(t *testing.T) {
				f := hold(t, []int{0, length}, func(b *Builder) { mediaPlaylist(b, segments, 1) })
				if want := min(segments, 1); len(f.gz.patches) != want {
					t.Errorf("%d values are stored, want %d", len(f.gz.patches), want)
				}
			})
		}
	}
}

// Values next to each other, in one order and another.
func TestGzipNeighbours(t *testing.T) {
	for _, lens := range [][]int{{40, 60}, {1, 1}, {1, 2}, {2, 2, 2}, {3, 1, 300}, {258, 258}, {257, 2}, {1, 258, 1}, {520, 3}} {
		t.Run(fmt.Sprint(lens), func(t *testing.T) {
			hold(t, lens, func(b *Builder) {
				for i := range 40 {
					for s := range lens {
						b.Slot(Slot((s + i) % len(lens)))
					}
					if i%3 == 0 {
						b.Byte(',')
					}
				}
				mediaPlaylist(b, 50, 1, 0, 1)
				mediaPlaylist(b, 50, 0, 1)
			})
		})
	}
}

func TestGzipMultivariant(t *testing.T) {
	hold(t, []int{96, 160, 110, 64}, func(b *Builder) {
		b.String("#EXTM3U\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-CONTENT-STEERING:SERVER-URI=\"/.manifold/steer/news?s=")
		b.Slot(SlotSession)
		b.String("\",PATHWAY-ID=\"alpha\"\n")
		for _, cdn := range []string{"alpha", "beta", "gamma"} {
			for _, h := range []int{360, 480, 720, 1080} {
				b.String(fmt.Sprintf("#EXT-X-STREAM-INF:BANDWIDTH=%d,RESOLUTION=%dx%d,CODECS=\"avc1.64001f,mp4a.40.2\",PATHWAY-ID=%q\n/news/~", h*5000, h*16/9, h, cdn))
				b.Slot(SlotSession)
				b.String(fmt.Sprintf("/%s/v%d/index.m3u8\n", cdn, h))
			}
		}
	})
}

func TestGzipMPD(t *testing.T) {
	hold(t, []int{96, 160, 110, 64}, func(b *Builder) {
		b.String("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"dynamic\">\n <Location>https://edge.example/news/~")
		b.Slot(SlotSession)
		b.String("/-/manifest.mpd</Location>\n")
		for period := range 12 {
			b.String(fmt.Sprintf(" <Period id=\"%d\" start=\"PT%dS\">\n", period, period*60))
			for i, cdn := range []string{"alpha", "beta", "gamma"} {
				b.String(fmt.Sprintf("  <BaseURL serviceLocation=%q>https://%s.example/", cdn, cdn))
				b.Slot(SlotToken(i))
				b.String("/live/</BaseURL>\n")
			}
			b.String("  <AdaptationSet contentType=\"video\"><SegmentTemplate timescale=\"90000\" media=\"$RepresentationID$/$Time$.m4s\"><SegmentTimeline>\n")
			for i := range 15 {
				b.String(fmt.Sprintf("   <S t=\"%d\" d=\"360000\"/>\n", (period*15+i)*360000))
			}
			b.String("  </SegmentTimeline></SegmentTemplate></AdaptationSet>\n </Period>\n")
		}
		b.String("</MPD>\n")
	})
}

// An occurrence too far from the one before is stored again.
func TestGzipWindow(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	noise := func(n int) []byte {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte('a' + rnd.IntN(26))
		}
		return p
	}
	for _, c := range []struct{ gap, stored int }{
		{window - 100, 1},
		{window - 99, 2},
		{window + 5, 2},
		{3 * window, 2},
	} {
		f := hold(t, []int{100}, func(b *Builder) {
			b.Slot(0)
			b.Bytes(noise(c.gap))
			b.Slot(0)
			b.Bytes(noise(10))
			b.Slot(0)
		})
		if n := len(f.gz.patches); n != c.stored {
			t.Errorf("values %d bytes apart: %d stored, want %d", c.gap, n, c.stored)
		}
	}
}

// What a stored block cannot hold goes into several.
func TestGzipLongStored(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	noise := make([]byte, 150_000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	f := hold(t, []int{300}, func(b *Builder) {
		b.Bytes(noise[:maxStored-100])
		b.Slot(0)
		b.Bytes(noise[maxStored:])
		b.Slot(0)
	})
	if len(f.gz.patches) < 3 {
		t.Errorf("%d patches: no value went over the end of a stored block", len(f.gz.patches))
	}
	hold(t, []int{maxSymbols - 256}, func(b *Builder) { b.String("one"); b.Slot(0); b.Slot(0) })
}

// Without a declared length there is no twin, and the content still holds.
func TestGzipWithoutTwin(t *testing.T) {
	text := strings.Repeat("some text, ", 50)
	for name, lens := range map[string][]int{
		"varies": {5, 0}, "not declared": {5}, "more than there are symbols": {5, maxSymbols},
	} {
		b := NewBuilder(lens, 100)
		b.Slot(0)
		b.String(text)
		b.Slot(1)
		f := b.Form()
		for _, v := range []string{"", "a", "another"} {
			gzips(t, f, [][]byte{[]byte("12345"), []byte(v)})
		}
		if f.gz != nil {
			t.Errorf("%s: a twin was made", name)
		}
	}
	b := NewBuilder([]int{5, 0, maxSymbols}, 100)
	b.String(text)
	b.Slot(0)
	f := b.Form()
	gzips(t, f, [][]byte{[]byte("12345")})
	if f.gz == nil {
		t.Error("slots that are not used prevent the twin")
	}
}

// Verification must refuse a twin that does not hold.
func TestGzipVerification(t *testing.T) {
	b := NewBuilder([]int{40}, 100)
	mediaPlaylist(b, 10, 0)
	f := b.Form()
	m := new(gzipMaker)
	good := func() *gzipForm { return m.form(f) }
	if !m.holds(f, good()) {
		t.Fatal("a good twin does not hold")
	}
	for name, spoil := range map[string]func(g *gzipForm){
		"text":      func(g *gzipForm) { g.member[len(gzipHeader)+8] ^= 4 },
		"crc":       func(g *gzipForm) { g.crc++ },
		"factor":    func(g *gzipForm) { g.slots[0].factor = newCRCFactor(1) },
		"size":      func(g *gzipForm) { g.member[len(g.member)-1]++ },
		"patch":     func(g *gzipForm) { g.patches[0].at++ },
		"no patch":  func(g *gzipForm) { g.patches = nil },
		"magic":     func(g *gzipForm) { g.member[0] = 0 },
		"more":      func(g *gzipForm) { g.member = append(g.member, g.member[len(g.member)-8:]...) },
		"truncated": func(g *gzipForm) { g.member = g.member[:len(g.member)-9] },
	} {
		g := good()
		spoil(g)
		if m.holds(f, g) {
			t.Errorf("%s spoilt, and the twin is taken to hold", name)
		}
	}
}

func TestGzipConcurrent(t *testing.T) {
	b := NewBuilder([]int{40}, 100)
	mediaPlaylist(b, 100, 0)
	f := b.Form()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			value := bytes.Repeat([]byte{byte('a' + i)}, 40)
			for range 20 {
				got, err := inflate(f.AppendGzip(nil, [][]byte{value}))
				if want := f.Append(nil, [][]byte{value}); err != nil || !bytes.Equal(got, want) {
					t.Errorf("goroutine %d: wrong content (%v)", i, err)
					return
				}
				f.compress(nil, [][]byte{value[:i]})
			}
		})
	}
	wg.Wait()
}

// The CRC of a value that comes often is known, and every other value still has
// its own.
func TestGzipLastValue(t *testing.T) {
	b := NewBuilder([]int{40, 40}, 100)
	mediaPlaylist(b, 10, 1)
	f := b.Form()
	values := [][]byte{make([]byte, 40), make([]byte, 40)}
	for round := range 3 {
		for i := range 3 * patience {
			values[1][0] = byte('a' + round)
			if i%5 == 4 {
				values[1][0] = byte(i) // in the same memory
			}
			got, err := inflate(f.AppendGzip(nil, values))
			if want := f.Append(nil, values); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("round %d, render %d: wrong content (%v)", round, i, err)
			}
		}
		if last := f.gz.slots[len(f.gz.slots)-1].last.Load(); last.value[0] != byte('a'+round) {
			t.Errorf("round %d: the last value is of %q", round, last.value[0])
		}
	}
}

// FuzzGzip cuts fuzzed text at 0xFE and 0xFD, which become slots.
func FuzzGzip(f *testing.F) {
	f.Add([]byte("#EXTM3U\n#EXTINF:4,\nhttps://a/\xfe/1.ts\n#EXTINF:4,\nhttps://a/\xfe/2.ts\n"), uint16(40), uint16(3))
	f.Add([]byte("<MPD><BaseURL>\xfe/\xfd</BaseURL><BaseURL>\xfd\xfe</BaseURL></MPD>"), uint16(300), uint16(1))
	f.Add([]byte("\xfe\xfe\xfd\xfe\xfe\xfd\xfd"), uint16(2), uint16(257))
	f.Add(bytes.Repeat([]byte("a\xfeb"), 300), uint16(258), uint16(1))
	f.Add([]byte{}, uint16(0), uint16(0))
	f.Fuzz(func(t *testing.T, text []byte, n0, n1 uint16) {
		lens := []int{int(n0 % 1100), int(n1 % 1100)}
		b := NewBuilder(lens, len(text))
		for _, c := range text {
			if c == 0xfe || c == 0xfd {
				b.Slot(Slot(0xfe - c))
			} else {
				b.Byte(c)
			}
		}
		form := b.Form()
		for seed := range byte(2) {
			values := [][]byte{make([]byte, lens[0]), make([]byte, lens[1])}
			for s, v := range values {
				for i := range v {
					v[i] = byte(i*7+s) ^ seed*37
				}
			}
			gzips(t, form, values)
		}
		for s, n := range form.uses {
			if n > 0 && lens[s] == 0 {
				return
			}
		}
		if form.gz == nil {
			t.Fatal("no compressed twin was made")
		}
	})
}
