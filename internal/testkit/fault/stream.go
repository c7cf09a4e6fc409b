package fault

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// The stream's arithmetic: segment n covers [n, n+1) × Length from Epoch.
const (
	Length  = 2 * time.Second
	Part    = 500 * time.Millisecond
	window  = 12 // segments listed
	cycle   = 10 // segments from break to break
	content = 7  // of them content, the rest advertisement
	shift   = 16 * time.Second
)

// Config is what stream to serve.
type Config struct {
	// Epoch is when segment 0 began.
	Epoch time.Time
	Now   func() time.Time
	// LowLatency adds parts, hints, reports, deltas and blocking; Encrypted
	// encrypts the content's segments, not the advertisements'; VOD ends the
	// stream after three cycles; Steered adds steering and pathways; NoDates
	// leaves EXT-X-PROGRAM-DATE-TIME out.
	LowLatency, Encrypted, VOD, Steered, NoDates bool
	// From is a fault that is on from the start; nil for none.
	From *Fault
}

// Stream serves the stream. Every host is answered: "edge.test" has the
// manifests and the steering, "alpha.test" and "beta.test" the media.
type Stream struct {
	cfg Config

	mu    sync.Mutex
	fault *Fault
	since time.Time
}

// Fault is one thing that goes wrong. Any of its parts may be nil; At is the
// time since the fault was switched on.
type Fault struct {
	Name string
	// Playlist changes what an HLS media playlist says, MPD an MPD.
	Playlist func(p *Playlist)
	MPD      func(m *MPD)
	// Text changes a manifest or steering answer as it is written.
	Text func(r *http.Request, text string) string
	// Header changes the header of a manifest or steering answer.
	Header func(r *http.Request, h http.Header)
	// Serve answers instead of the stream, where it returns true.
	Serve func(w http.ResponseWriter, r *http.Request) bool
	// Media changes the bytes of media.
	Media func(path string, b []byte) []byte
	// Late holds the clock of some manifests back.
	Late func(path string, since time.Duration) time.Duration
}

// New makes a stream.
func New(cfg Config) *Stream { return &Stream{cfg: cfg, fault: cfg.From, since: cfg.Now()} }

// Switch turns a fault on, or off with nil.
func (s *Stream) Switch(f *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.since = f, s.cfg.Now()
}

// state is the fault that is on, never nil, and since when.
func (s *Stream) state() (*Fault, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == nil {
		return &Fault{}, 0
	}
	return s.fault, s.cfg.Now().Sub(s.since)
}

// from is the first segment that is complete after the fault was switched on.
func (s *Stream) from() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.since.Sub(s.cfg.Epoch) / Length)
}

// clock is the stream's time at a path: segments and parts up to it are
// there.
func (s *Stream) clock(path string) time.Duration {
	now := s.cfg.Now().Sub(s.cfg.Epoch)
	if f, since := s.state(); f.Late != nil {
		now -= f.Late(path, since)
	}
	if s.cfg.VOD {
		return 3 * cycle * Length
	}
	return now
}

// Pathways are those of the stream.
func (s *Stream) pathways() []string {
	if s.cfg.Steered {
		return []string{"alpha", "beta"}
	}
	return []string{"alpha"}
}

// isAd tells whether segment n is an advertisement's.
func isAd(n int) bool { return n%cycle >= content }

// dsn is the discontinuity sequence number of segment n.
func dsn(n int) int {
	d := n / cycle * 2
	if isAd(n) {
		d++
	}
	return d
}

// boundary tells whether segment n begins after a discontinuity.
func boundary(n int) bool { return n > 0 && (n%cycle == 0 || n%cycle == content) }

// Token is what a pathway wants in the addresses of its media.
func Token(pathway string) string {
	return map[string]string{
		"alpha": "exp=4000000000~acl=/*~hmac=" + fmt.Sprintf("%064x", 0xa1fa),
		"beta":  "exp=4000000000~acl=/*~hmac=" + fmt.Sprintf("%064x", 0xbe7a),
	}[pathway]
}
