package manifest

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// piece is a part of a drawn form: text, or a slot where slot ≥ 0.
type piece struct {
	text string
	slot int
}

// drawn is a form with what it was made from.
type drawn struct {
	pieces []piece
	lens   []int
	form   *Form
}

func (d *drawn) build() {
	b := NewBuilder(d.lens, 0)
	for _, p := range d.pieces {
		if p.slot >= 0 {
			b.Slot(Slot(p.slot))
		} else {
			b.String(p.text)
		}
	}
	d.form = b.Form()
}

// plain is the render in the simplest way.
func (d *drawn) plain(values [][]byte) []byte {
	var out []byte
	for _, p := range d.pieces {
		switch {
		case p.slot < 0:
			out = append(out, p.text...)
		case p.slot < len(values):
			out = append(out, values[p.slot]...)
		}
	}
	return out
}

func drawForm(t *rapid.T, slotLength *rapid.Generator[int]) *drawn {
	d := &drawn{lens: rapid.SliceOfN(slotLength, 0, 5).Draw(t, "lengths")}
	text := rapid.OneOf(
		rapid.SampledFrom([]string{"\n", "#EXTINF:4.000,\n", "https://cdn-a.example/live/v720/seg_", ".m4s?hdnts=",
			`<BaseURL serviceLocation="alpha">`, "</BaseURL>\n", "/", "&amp;", "00017", "00018"}),
		rapid.StringN(0, 40, 120),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 12), func(b []byte) string { return string(b) }),
	)
	one := rapid.Custom(func(t *rapid.T) piece {
		if len(d.lens) > 0 && rapid.Bool().Draw(t, "slot?") {
			return piece{slot: rapid.IntRange(0, len(d.lens)-1).Draw(t, "slot")}
		}
		return piece{text.Draw(t, "text"), -1}
	})
	// A motif repeated, as manifests are, between pieces that are not.
	d.pieces = rapid.SliceOfN(one, 0, 12).Draw(t, "head")
	motif := rapid.SliceOfN(one, 0, 6).Draw(t, "motif")
	for i := range rapid.IntRange(0, 60).Draw(t, "repeats") {
		d.pieces = append(d.pieces, motif...)
		d.pieces = append(d.pieces, piece{fmt.Sprint(i), -1})
	}
	d.pieces = append(d.pieces, rapid.SliceOfN(one, 0, 6).Draw(t, "tail")...)
	d.build()
	return d
}

func drawValues(t *rapid.T, lens []int, label string) [][]byte {
	alphabet := rapid.SampledFrom([]string{"A", "ab", "0123456789abcdef", "seg_0123.m4s?hdnts=/\n<>", "\x00\xff\x80~"}).Draw(t, label+" alphabet")
	values := make([][]byte, len(lens))
	for i, n := range lens {
		at := rapid.Uint32().Draw(t, label)
		values[i] = make([]byte, n)
		for k := range values[i] {
			at = at*1664525 + 1013904223
			values[i][k] = alphabet[int(at>>16)%len(alphabet)]
		}
	}
	return values
}

func TestFormAppend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawForm(t, rapid.IntRange(0, 30))
		values := drawValues(t, d.lens, "declared")
		size := len(d.plain(values))
		if got := d.form.Size(); got != size {
			t.Fatalf("Size is %d, want %d", got, size)
		}
		// Values of other lengths, and too few of them.
		others := drawValues(t, rapid.SliceOfN(rapid.IntRange(0, 50), 0, 6).Draw(t, "other lengths"), "others")
		for _, v := range [][][]byte{values, others, nil} {
			dst := append(make([]byte, 0, rapid.IntRange(0, 500).Draw(t, "room")), "before"...)
			want := append([]byte("before"), d.plain(v)...)
			if got := d.form.Append(dst, v); !bytes.Equal(got, want) {
				t.Fatalf("Append gives %q, want %q", got, want)
			}
		}
	})
}

func TestFormSlotWithoutLength(t *testing.T) {
	b := NewBuilder(nil, 0)
	b.Bytes([]byte("a"))
	b.Slot(2)
	b.Byte('b')
	f := b.Form()
	if got := string(f.Append(nil, [][]byte{nil, nil, []byte("--")})); got != "a--b" {
		t.Errorf("with a value: %q", got)
	}
	if got := string(f.Append(nil, nil)); got != "ab" {
		t.Errorf("without: %q", got)
	}
	if f.Size() != 2 {
		t.Errorf("Size is %d", f.Size())
	}
}

func TestForms(t *testing.T) {
	var c Forms
	shape, other := &Shape{}, &Shape{}
	if c.Get(shape, "a") != nil {
		t.Error("an empty cache has a form")
	}
	first, second := new(Form), new(Form)
	if c.Add(shape, "a", first) != first || c.Add(shape, "a", second) != first {
		t.Error("the first form of a shape and path does not stay")
	}
	if c.Get(shape, "a") != first || c.Get(shape, "b") != nil || c.Get(other, "a") != nil {
		t.Error("Get mixes shapes or paths")
	}
	for i := range formsKept {
		c.Add(other, fmt.Sprint(i), new(Form))
		if c.Get(other, fmt.Sprint(i)) == nil {
			t.Fatalf("form %d was not kept", i)
		}
	}
	if c.Get(shape, "a") != nil {
		t.Error("the oldest form is still there, though the cache was full")
	}
	if n := len(*c.list.Load()); n != formsKept {
		t.Errorf("%d forms are kept, want %d", n, formsKept)
	}
}

// Large forms leave before there are many.
func TestFormsBytes(t *testing.T) {
	var c Forms
	shape := &Shape{}
	large := func(n int) *Form {
		b := NewBuilder(nil, n)
		b.Bytes(make([]byte, n))
		b.Slot(SlotSession) // what has a session in it is held once
		return b.Form()
	}
	small := c.Add(shape, "small", large(1))
	third := formBytesKept / 3
	for _, path := range []string{"a", "b", "c"} {
		c.Add(shape, path, large(third))
	}
	if c.Get(shape, "small") != small || c.Get(shape, "a") == nil {
		t.Error("a form left, though there was room")
	}
	c.Add(shape, "d", large(third))
	if c.Get(shape, "small") != nil || c.Get(shape, "a") != nil || c.Get(shape, "b") == nil || c.Get(shape, "d") == nil {
		t.Error("not the oldest forms left for a large one")
	}
	huge := large(formBytesKept + 1)
	if c.Add(shape, "huge", huge) != huge || c.Get(shape, "huge") != huge || c.Get(shape, "d") != nil {
		t.Error("a form larger than all that is kept is not kept alone")
	}
}

func TestFormsConcurrent(t *testing.T) {
	var c Forms
	shape := &Shape{}
	got := make([]*Form, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			for k := range 7 { // all together less than what is kept
				c.Add(shape, fmt.Sprint(i, k), new(Form))
				c.Get(shape, fmt.Sprint(k, i))
			}
			got[i] = c.Add(shape, "shared", new(Form))
		})
	}
	wg.Wait()
	for _, f := range got {
		if f != got[0] {
			t.Fatal("two goroutines were given different forms of one shape")
		}
	}
}
