package manifest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is shared is what would have been rendered, also when values change
// in the memory they were given in.
func TestSharedIsTheRender(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawForm(t, rapid.IntRange(0, 12))
		viewers := [][][]byte{drawValues(t, d.lens, "a"), drawValues(t, d.lens, "b")}
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, 1), 2, 8).Draw(t, "who asks") {
			values := make([][]byte, len(d.lens))
			for s := range values {
				values[s] = append([]byte(nil), viewers[i][s]...)
			}
			want := d.plain(values)
			out, packed := d.form.Shared(values, false), d.form.Shared(values, true)
			for s := range values {
				clear(values[s])
			}
			if out != nil && !bytes.Equal(out, want) {
				t.Fatalf("shared %q, want %q", out, want)
			}
			if packed != nil {
				if got, err := unpacked(packed); err != nil || !bytes.Equal(got, want) {
					t.Fatalf("shared compressed %q, %v, want %q", got, err, want)
				}
			}
		}
	})
}

func unpacked(member []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(member))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// A render is shared from the second time on, and never among sessions.
func TestSharedWhenItPays(t *testing.T) {
	b := NewBuilder([]int{4, 4}, 0)
	b.String("https://cdn.example/1.m4s?")
	b.Slot(SlotToken(0))
	f := b.Form()
	ask := func(session, token string) []byte { return f.Shared([][]byte{[]byte(session), []byte(token)}, false) }
	if ask("one.", "aaaa") != nil {
		t.Error("shared at the first sight")
	}
	first := ask("two.", "aaaa")
	if string(first) != "https://cdn.example/1.m4s?aaaa" {
		t.Fatalf("%q", first)
	}
	if again := ask("tri.", "aaaa"); &again[0] != &first[0] {
		t.Error("made anew for the same token")
	}
	if ask("one.", "bbbb") != nil {
		t.Error("a token that came once was shared")
	}
	if again := ask("one.", "aaaa"); &again[0] != &first[0] {
		t.Error("one other token made the form forget")
	}
	b = NewBuilder([]int{4, 4}, 0)
	b.Slot(SlotSession)
	f = b.Form()
	for range 3 {
		if ask("one.", "aaaa") != nil {
			t.Error("a render with a session in it was shared")
		}
	}
}

func TestSharedConcurrently(t *testing.T) {
	b := NewBuilder([]int{4, 4}, 0)
	for i := range 100 {
		b.String(fmt.Sprintf("https://cdn.example/%d.m4s?", i))
		b.Slot(SlotToken(0))
	}
	f := b.Form()
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				values := [][]byte{nil, []byte(fmt.Sprintf("%04d", (g+i/7)%3))}
				out, want := f.Shared(values, i%2 == 0), f.Append(nil, values)
				if out == nil {
					continue
				}
				var err error
				if i%2 == 0 {
					out, err = unpacked(out)
				}
				if err != nil || !bytes.Equal(out, want) {
					t.Errorf("shared %.60q, %v, want %.60q", out, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}
