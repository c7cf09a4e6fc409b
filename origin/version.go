package origin

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// version is one body and what was made of it. A 304 gives it a new entry
// (new headers, new freshness) and leaves it as it is.
type version struct {
	body  *body
	path  string
	facts atomic.Pointer[Facts]

	mu       sync.Mutex // held while compiling
	compiled atomic.Pointer[outcome]

	// previous is what is served while this one cannot be, or is not known to;
	// behind is since when the origins' media sequence is below that, UnixNano.
	previous atomic.Pointer[entry]
	behind   atomic.Int64
	// source is the origin it came from.
	source *source
}

type outcome struct {
	value any
	cost  int64
	err   error
	// behind says that the media sequence went back, and told that it was said.
	behind error
	told   atomic.Bool
}

// Document is what a Compile function gets.
type Document struct {
	// Path is the escaped path below the group's root, for messages.
	Path string
	// ContentType is the origin's, or "".
	ContentType string
	// Body is the whole body. It must not be changed, and may be kept.
	Body []byte
}

// Compiled is what a Compile function made.
type Compiled struct {
	// Value is kept beside the body, for as long as this version is.
	Value any
	// Cost is its size in bytes, and counts into the entry's.
	Cost int64
	// Facts is what the shield cannot know by itself.
	Facts Facts
}

// Facts is what a manifest says of its own time.
type Facts struct {
	// Live says that the origin will publish another version.
	Live bool
	// Window is the media time listed; segments of a live folder are kept for
	// it, plus three target durations.
	Window time.Duration
	// Target is the target duration, or the longest segment; 0 where unknown.
	Target time.Duration
	// Sequence is the number of the first segment listed, where Sequenced: it
	// never decreases in a live playlist.
	Sequence  uint64
	Sequenced bool
}

// Compile makes a value of a body. It is called once per version, however
// many ask at the same time, and its error is remembered for that version.
type Compile func(Document) (Compiled, error)

// compile gives what was made of the body, making it if need be. learn is
// called once, by the one who made it or failed to.
func (v *version) compile(make Compile, contentType string, now time.Time, learn func(*Facts, error)) *outcome {
	v.mu.Lock()
	defer v.mu.Unlock()
	if o := v.compiled.Load(); o != nil {
		return o
	}
	c, err := call(make, Document{Path: v.path, ContentType: contentType, Body: v.body.whole()})
	o := &outcome{err: err}
	if err == nil {
		o.value, o.cost = c.Value, max(c.Cost, 0)
		v.facts.Store(&c.Facts)
	}
	v.compare(o, &c.Facts, now)
	v.compiled.Store(o)
	learn(&c.Facts, err)
	return o
}

// call makes a panic of a compiler an error of the document: hostile input
// must not take the viewers of other documents with it.
func call(make Compile, d Document) (c Compiled, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot compile %s: panic: %v", d.Path, p)
		}
	}()
	return make(d)
}

// cost is what the version holds in bytes.
func (v *version) cost() int64 {
	n := v.body.held()
	if o := v.compiled.Load(); o != nil {
		n += o.cost
	}
	if p := v.previous.Load(); p != nil {
		n += p.version.body.held()
		if o := p.version.compiled.Load(); o != nil {
			n += o.cost
		}
	}
	return n
}
