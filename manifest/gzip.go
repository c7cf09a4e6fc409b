package manifest

import (
	"sync"

	"github.com/klauspost/compress/gzip"
)

// gzipForm is the compressed twin of a form.
type gzipForm struct{}

// AppendGzip appends a complete gzip member (RFC 1952) whose content is
// exactly what Append(nil, values) gives.
func (f *Form) AppendGzip(dst []byte, values [][]byte) []byte {
	p := plainGzips.Get().(*plainGzip)
	p.text = f.Append(p.text[:0], values)
	p.out = dst
	p.w.Reset(p)
	_, _ = p.w.Write(p.text)
	_ = p.w.Close()
	dst, p.out = p.out, nil
	plainGzips.Put(p)
	return dst
}

// plainGzip is the scratch of one render that no compressed template serves.
type plainGzip struct {
	text []byte
	out  []byte
	w    *gzip.Writer
}

// Write appends to the output; it never fails.
func (p *plainGzip) Write(b []byte) (int, error) {
	p.out = append(p.out, b...)
	return len(b), nil
}

var plainGzips = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, 1)
	return &plainGzip{w: w}
}}
