package hls

import (
	"strings"
	"unsafe"

	"manifold/manifest"
)

// target is where a reference leads.
type target struct {
	where where
	// text is the target below the origin's root, or the absolute URL.
	text string
	// fragment is what the reference had from "#" on; it is put behind a
	// token, since it never leaves the player.
	fragment string
}

type where uint8

const (
	// elsewhere: not ours; the text stays as it is.
	elsewhere where = iota
	// below the origin's root.
	below
	// outside: at the origin, but not below its root; the text becomes
	// absolute.
	outside
)

// resolver resolves the references of one playlist.
type resolver struct {
	t      *Template
	source string // of the shape: the absolute URL of the origin's root
	path   string // of the playlist below it
	dir    string // the folder of path, escaped, "" or ending in "/"
	buf    []byte
}

func newResolver(t *Template, shape *manifest.Shape, path string) resolver {
	r := resolver{t: t, source: shape.Source, path: path}
	r.dir, _ = manifest.Resolve(r.source, path, ".")
	return r
}

// plain gives the target of the reference src[from:to] where that is no more
// than the folder and the reference, as nearly always: no scheme, no root, no
// dot segment, nothing to escape or expand. The text is valid until the next
// call.
func (r *resolver) plain(from, to uint32) (under string, ok bool) {
	ref := r.t.src[from:to]
	if len(ref) == 0 || ref[0] == '/' || ref[0] == '?' {
		return "", false
	}
	begin := true // of a path segment
	for _, c := range ref {
		switch kind := plainBytes[c]; {
		case kind == 0, kind == 2 && begin:
			return "", false
		default:
			begin = c == '/'
		}
	}
	r.buf = append(append(r.buf[:0], r.dir...), ref...)
	return unsafe.String(unsafe.SliceData(r.buf), len(r.buf)), true
}

// plainBytes says which bytes a plain reference is made of: 1 anywhere, 2
// where no segment begins.
var plainBytes = func() (kinds [256]uint8) {
	for c := range kinds {
		if c > ' ' && c < 0x7f && strings.IndexByte(":\\\"#{}", byte(c)) < 0 {
			kinds[c] = 1
		}
	}
	kinds['.'], kinds['%'] = 2, 2
	return kinds
}()

// resolve finds where the reference src[from:to] leads.
func (r *resolver) resolve(from, to uint32) target {
	ref := r.t.begun(strings.Trim(r.t.expand(from, to), " \t"), from)
	if strings.IndexByte(ref, '"') >= 0 { // it would end the attribute it is put into
		ref = strings.ReplaceAll(ref, `"`, "%22")
	}
	var fragment string
	if i := strings.IndexByte(ref, '#'); i >= 0 {
		ref, fragment = ref[:i], ref[i:]
	}
	if under, ok := manifest.Resolve(r.source, r.path, ref); ok {
		return target{below, under, fragment}
	}
	if url, ok := manifest.Absolute(r.source, r.path, ref); ok {
		return target{outside, url, fragment}
	}
	return target{}
}
