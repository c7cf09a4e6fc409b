//go:build !race

package manifest

import (
	"bytes"
	"testing"
)

func TestAllocations(t *testing.T) {
	b := NewBuilder([]int{40, 80}, 100)
	mediaPlaylist(b, 500, 0, 1)
	f := b.Form()
	b = NewBuilder([]int{40, 80}, 100)
	b.Slot(SlotToken(0))
	shared := b.Form()
	for range 2 { // the second time it is kept
		shared.Shared([][]byte{nil, bytes.Repeat([]byte("t"), 80)}, false)
		shared.Shared([][]byte{nil, bytes.Repeat([]byte("t"), 80)}, true)
	}
	values := [][]byte{bytes.Repeat([]byte("s"), 40), bytes.Repeat([]byte("t"), 80)}
	others := [][]byte{bytes.Repeat([]byte("s"), 41), bytes.Repeat([]byte("t"), 8)}
	dst := make([]byte, 0, 1<<20)
	for _, c := range []struct {
		name string
		call func()
	}{
		{"Append", func() { f.Append(dst, values) }},
		{"Append, other lengths", func() { f.Append(dst, others) }},
		{"AppendGzip", func() { f.AppendGzip(dst, values) }},
		{"AppendGzip, another token each time", func() { values[1][0]++; f.AppendGzip(dst, values) }},
		{"AppendGzip, other lengths", func() { f.AppendGzip(dst, others) }},
		{"AppendGzip, no values", func() { f.AppendGzip(dst, nil) }},
		{"Shared, with a session", func() { f.Shared(values, false) }},
		{"Shared", func() { shared.Shared(values, false) }},
		{"Shared, compressed", func() { shared.Shared(values, true) }},
	} {
		c.call() // makes what is made once
		if n := testing.AllocsPerRun(100, c.call); n != 0 {
			t.Errorf("%s allocates %v times a call", c.name, n)
		}
	}
	if f.gz == nil {
		t.Error("no compressed twin was made")
	}
}
