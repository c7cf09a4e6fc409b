package listen

import (
	"crypto/tls"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

// guard stands between the HTTP/2 server and the decrypted connection and
// reads the nine-byte frame headers that pass (RFC 9113, section 4.1). What
// costs a client next to nothing and the server something is budgeted (section
// 10.5): when a budget is spent the server's next read gives
// ENHANCE_YOUR_CALM, it answers GOAWAY and closes. A client that behaves never
// notices: the budgets grow with time and with the requests that it lets
// finish.
type guard struct {
	*tls.Conn
	clock *clock
	spent func(what string) // tells of a spent budget, once

	in    frames
	flood bool // a budget is spent: nothing more is read
	// Budgets of what the client sends, touched by the reading goroutine only.
	resets, pings, settings, priorities, empties, windows, unknown bucket
	continuations                                                  int   // CONTINUATION frames of the header block being read
	windowsEarned                                                  int64 // bytes of written that were turned into window updates

	began bool // a frame came: the preface is over
	// large is set once a header block came that is worth counting: others
	// are too short to be over the limit (but for tricks with the dynamic
	// table, which the server bounds).
	large atomic.Bool
	// headSince is when the preface or the header block being read began, or
	// 0.
	headSince atomic.Int64
	// writeSince is when the write going on began, or 0.
	writeSince atomic.Int64
	written    atomic.Int64 // bytes sent
	finished   atomic.Int64 // answers sent to their end
	refused    atomic.Bool  // the client made us reset more streams than is decent

	wmu    sync.Mutex
	out    frames
	resent bucket // RST_STREAM frames that the client provoked
	notice bool   // a first GOAWAY waits for the end of the frame being written
}

// Budgets of one connection.
const (
	resetBurst       = 300
	resetPerSecond   = 10
	resetPerAnswer   = 0.1
	maxContinuations = 16
	largeBlock       = 4096
)

func newGuard(c *tls.Conn, k *clock, spent func(string)) *guard {
	now := k.seconds.Load()
	g := &guard{
		Conn:       c,
		clock:      k,
		spent:      spent,
		in:         frames{preface: len(http2.ClientPreface)},
		resets:     newBucket(resetBurst, resetPerSecond, now),
		pings:      newBucket(60, 5, now),
		settings:   newBucket(20, 1, now),
		priorities: newBucket(500, 20, now),
		empties:    newBucket(100, 5, now),
		windows:    newBucket(2000, 100, now),
		unknown:    newBucket(100, 5, now),
		resent:     newBucket(resetBurst, resetPerSecond, now),
	}
	g.headSince.Store(now)
	return g
}

// frames follows a sequence of frames through pieces of any length.
type frames struct {
	preface int // bytes of the connection preface still to come
	head    [9]byte
	have    int    // bytes of head
	left    uint32 // bytes of payload still to come
	code    uint32 // the last four payload bytes seen (of RST_STREAM: its error code)
}

func (f *frames) length() uint32 {
	return uint32(f.head[0])<<16 | uint32(f.head[1])<<8 | uint32(f.head[2])
}
func (f *frames) kind() http2.FrameType { return http2.FrameType(f.head[3]) }
func (f *frames) flags() http2.Flags    { return http2.Flags(f.head[4]) }
func (f *frames) boundary() bool        { return f.preface == 0 && f.have == 0 && f.left == 0 }

// pass calls begin at the end of each frame header and end at the end of each
// frame, until one says no.
func (f *frames) pass(p []byte, begin, end func() bool) bool {
	if f.preface > 0 {
		n := min(f.preface, len(p))
		f.preface -= n
		p = p[n:]
	}
	for len(p) > 0 {
		if f.left == 0 {
			n := copy(f.head[f.have:], p)
			p = p[n:]
			if f.have += n; f.have < len(f.head) {
				return true
			}
			f.have = 0
			f.left = f.length()
			if !begin() {
				return false
			}
		} else {
			n := int(min(uint32(len(p)), f.left))
			if f.kind() == http2.FrameRSTStream {
				for _, b := range p[:n] {
					f.code = f.code<<8 | uint32(b)
				}
			}
			p = p[n:]
			f.left -= uint32(n)
		}
		if f.left == 0 && !end() {
			return false
		}
	}
	return true
}

func (g *guard) Read(p []byte) (int, error) {
	if g.flood {
		return 0, http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	n, err := g.Conn.Read(p)
	if !g.in.pass(p[:n], g.received, g.receivedWhole) || g.refused.Load() {
		g.flood = true
		return 0, http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	return n, err
}

// received budgets the frame whose header was just read.
func (g *guard) received() bool {
	now := g.clock.seconds.Load()
	if !g.began {
		g.began = true
		g.headSince.Store(0)
	}
	switch f := &g.in; f.kind() {
	case http2.FrameHeaders:
		g.continuations = 0
		if f.left > largeBlock {
			g.large.Store(true)
		}
		if !f.flags().Has(http2.FlagHeadersEndHeaders) || f.left > 0 {
			g.headSince.CompareAndSwap(0, now)
		}
		g.priorities.earn(1)
		g.windows.earn(2)
	case http2.FrameContinuation:
		g.large.Store(true)
		if g.continuations++; g.continuations > maxContinuations {
			return g.tooMuch("CONTINUATION")
		}
	case http2.FrameRSTStream:
		if n := g.finished.Swap(0); n > 0 {
			g.resets.earn(resetPerAnswer * float32(n))
		}
		return g.resets.spend(now) || g.tooMuch("RST_STREAM")
	case http2.FramePing:
		return g.pings.spend(now) || g.tooMuch("PING")
	case http2.FrameSettings:
		return g.settings.spend(now) || g.tooMuch("SETTINGS")
	case http2.FramePriority, http2.FramePriorityUpdate:
		return g.priorities.spend(now) || g.tooMuch("PRIORITY")
	case http2.FrameWindowUpdate:
		if n := g.written.Load() - g.windowsEarned; n > 0 {
			g.windowsEarned += n
			g.windows.earn(float32(n) / 1024)
		}
		return g.windows.spend(now) || g.tooMuch("WINDOW_UPDATE")
	case http2.FrameData:
		// A frame of padding may hold nothing else: 256 bytes are one length
		// byte and the most padding there is.
		if empty := f.left == 0 || f.left <= 256 && f.flags().Has(http2.FlagDataPadded); empty && !f.flags().Has(http2.FlagDataEndStream) {
			return g.empties.spend(now) || g.tooMuch("empty DATA")
		}
	default:
		return g.unknown.spend(now) || g.tooMuch("unknown frame")
	}
	return true
}

func (g *guard) receivedWhole() bool {
	// END_HEADERS is the same bit on HEADERS and CONTINUATION.
	k := g.in.kind()
	if (k == http2.FrameHeaders || k == http2.FrameContinuation) && g.in.flags().Has(http2.FlagHeadersEndHeaders) {
		g.headSince.Store(0)
	}
	return true
}

func (g *guard) tooMuch(what string) bool {
	g.spent(what)
	return false
}

func (g *guard) Write(p []byte) (int, error) {
	g.wmu.Lock()
	defer g.wmu.Unlock()
	g.writeSince.Store(g.clock.seconds.Load())
	n, err := g.Conn.Write(p)
	g.writeSince.Store(0)
	g.written.Add(int64(n))
	if n > 0 {
		g.out.pass(p[:n], g.sent, g.sentWhole)
		if g.notice && g.out.boundary() {
			g.writeNotice()
		}
	}
	return n, err
}

// sent counts answers that are over, which earn resets.
func (g *guard) sent() bool {
	k := g.out.kind()
	// END_STREAM is the same bit on HEADERS and DATA.
	if (k == http2.FrameData || k == http2.FrameHeaders) && g.out.flags().Has(http2.FlagDataEndStream) {
		g.finished.Add(1)
		g.resent.earn(resetPerAnswer)
	}
	return true
}

// sentWhole budgets the resets that the client makes us send by breaking the
// rules on its own streams, which cancels their work as surely as its own
// RST_STREAM would.
func (g *guard) sentWhole() bool {
	if g.out.kind() == http2.FrameRSTStream && http2.ErrCode(g.out.code) != http2.ErrCodeNo &&
		!g.resent.spend(g.clock.seconds.Load()) && !g.refused.Swap(true) {
		g.spent("provoked RST_STREAM")
		_ = g.Conn.SetReadDeadline(time.Unix(1, 0)) // Read may wait: it ends the connection
	}
	return true
}

// goAway tells the client that this connection takes no new requests, while
// those on their way are still answered: the first of the two GOAWAY frames
// of a graceful shutdown (RFC 9113, section 6.8). The server sends the second.
func (g *guard) goAway() {
	if !g.wmu.TryLock() {
		// A write is going on: it ends at a frame boundary sooner or later.
		go func() {
			g.wmu.Lock()
			defer g.wmu.Unlock()
			g.giveNotice()
		}()
		return
	}
	defer g.wmu.Unlock()
	g.giveNotice()
}

func (g *guard) giveNotice() {
	g.notice = true
	if g.out.boundary() && g.written.Load() > 0 { // SETTINGS must come first
		g.writeNotice()
	}
}

func (g *guard) writeNotice() {
	g.notice = false
	frame := [17]byte{2: 8, 3: byte(http2.FrameGoAway)}
	binary.BigEndian.PutUint32(frame[9:], 1<<31-1)
	g.writeSince.Store(g.clock.seconds.Load())
	_, _ = g.Conn.Write(frame[:])
	g.writeSince.Store(0)
}

// stalled reports whether a header block or a write takes longer than it may.
func (g *guard) stalled(now int64, header, write time.Duration) bool {
	over := func(since int64, limit time.Duration) bool {
		return since != 0 && time.Duration(now-since)*time.Second > limit
	}
	return over(g.headSince.Load(), header) || over(g.writeSince.Load(), write)
}
