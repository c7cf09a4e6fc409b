package listen

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"

	"manifold/exchange"
)

// endless is a segment that goes on until it is closed.
type endless struct {
	over   atomic.Bool
	closed chan<- struct{}
}

func (e *endless) Read(p []byte) (int, error) {
	if e.over.Load() {
		return 0, errors.New("closed")
	}
	clear(p)
	return len(p), nil
}

func (e *endless) Close() error {
	e.over.Store(true)
	e.closed <- struct{}{}
	return nil
}

const (
	// wholeSize is a manifest large enough that, were it to share a connection
	// with segments, much of them would arrive before its end.
	wholeSize = 1 << 20
	// oneChunk is what a stream has under way when it is held back.
	oneChunk = chunkSize
)

// crowd starts a listener of endless segments and of one large manifest. Streams
// hold back for as long as patience says.
func crowd(t *testing.T, patience time.Duration) (l *Listener, closed chan struct{}) {
	closed = make(chan struct{}, 16)
	manifest := bytes.Repeat([]byte("#EXTM3U\n"), wholeSize/8)
	l, err := New(localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		switch ex.Path {
		case "/segment":
			ex.SetField("Content-Type", "video/mp4")
			ex.Stream = &endless{closed: closed}
		case "/manifest":
			ex.SetField("Content-Type", "application/dash+xml")
			ex.Body = append(ex.Body[:0], manifest...)
		case "/steering":
			ex.SetField("Content-Type", "application/json")
			ex.Body = append(ex.Body[:0], "{}"...)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	l.patience = patience
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, closed
}

// h2frames reads an HTTP/2 connection frame by frame, and counts.
type h2frames struct {
	*rawH2
	data   map[uint32]int // bytes of content, by stream
	header map[uint32]bool
	ended  map[uint32]bool
	length map[uint32]string
	pinged bool
}

// dialFrames opens a connection whose own window is as good as unbounded and
// whose streams begin with the window given.
func dialFrames(t *testing.T, l *Listener, window uint32) *h2frames {
	h := dialRawH2(t, addrOf(t, l, TLS))
	if err := h.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}); err != nil {
		t.Fatal(err)
	}
	if err := h.fr.WriteWindowUpdate(0, 1<<30); err != nil {
		t.Fatal(err)
	}
	return &h2frames{rawH2: h, data: map[uint32]int{}, header: map[uint32]bool{}, ended: map[uint32]bool{}, length: map[uint32]string{}}
}

func (f *h2frames) ask(path string, priority string) uint32 {
	f.t.Helper()
	fields := [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", path}}
	if priority != "" {
		fields = append(fields, [2]string{"priority", priority})
	}
	id, err := f.headers(true, fields...)
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// until reads frames until done.
func (f *h2frames) until(what string, done func() bool) {
	f.t.Helper()
	for !done() {
		frame, err := f.fr.ReadFrame()
		if err != nil {
			f.t.Fatalf("while waiting for %s: %v", what, err)
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.fr.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			f.header[frame.StreamID] = true
			for _, h := range frame.RegularFields() {
				if h.Name == "content-length" {
					f.length[frame.StreamID] = h.Value
				}
			}
			f.ended[frame.StreamID] = frame.StreamEnded()
		case *http2.DataFrame:
			f.data[frame.StreamID] += len(frame.Data())
			f.ended[frame.StreamID] = frame.StreamEnded()
		case *http2.PingFrame:
			f.pinged = f.pinged || frame.IsAck()
		case *http2.GoAwayFrame:
			f.t.Fatalf("while waiting for %s: the connection ends: %v", what, frame.ErrCode)
		}
	}
}

// A manifest asked for while segments come arrives before these go on; so does
// a small answer, whole and with its length.
func TestWholeAnswersGoFirstH2(t *testing.T) {
	t.Parallel()
	for _, priority := range []string{"", "u=3", "u=3, i"} {
		l, _ := crowd(t, time.Hour)
		f := dialFrames(t, l, 1<<30)
		_ = f.rawH2.c.NetConn().(interface{ SetReadBuffer(int) error }).SetReadBuffer(64 << 10) // a slow reader
		a, b := f.ask("/segment", priority), f.ask("/segment", priority)
		segments := func() int { return f.data[a] + f.data[b] }
		f.until("segments", func() bool { return f.data[a] > 0 && (f.data[b] > 0 || priority == "u=3") })
		for path, size := range map[string]int{"/manifest": wholeSize, "/steering": 2} {
			m := f.ask(path, priority)
			f.until(path, func() bool { return f.header[m] })
			from := segments()
			f.until(path, func() bool { return f.ended[m] })
			if f.data[m] != size || f.length[m] != strconv.Itoa(size) {
				t.Errorf("%q: %s has %d bytes, its length is said to be %q", priority, path, f.data[m], f.length[m])
			}
			if n := segments() - from; size > oneChunk && n > 2*oneChunk {
				t.Errorf("%q: %d bytes of segments came before the end of %s", priority, n, path)
			}
			from = segments()
			f.until("the segments to go on", func() bool { return segments() > from+8*oneChunk })
		}
	}
}

// What the client finds more urgent is not held back.
func TestMoreUrgentStreamsGoOn(t *testing.T) {
	t.Parallel()
	l, _ := crowd(t, time.Hour)
	f := dialFrames(t, l, 0)
	s, m := f.ask("/segment", "u=1"), f.ask("/manifest", "u=5")
	f.until("both", func() bool { return f.header[s] && f.header[m] })
	_ = f.fr.WriteWindowUpdate(s, 1<<30)
	f.until("the segment", func() bool { return f.data[s] > 1<<20 })
}

// A client that does not take its manifest gets its segments all the same: at
// once where it gives the manifest up, else after a while.
func TestStalledManifestH2(t *testing.T) {
	t.Parallel()
	for name, patience := range map[string]time.Duration{"given up": time.Hour, "left": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, closed := crowd(t, patience)
			f := dialFrames(t, l, 0)
			var stalled []uint32
			for range 3 {
				stalled = append(stalled, f.ask("/manifest", ""))
			}
			f.until("the manifests to begin", func() bool { return f.header[stalled[0]] && f.header[stalled[1]] && f.header[stalled[2]] })
			s := f.ask("/segment", "")
			if err := f.fr.WriteWindowUpdate(s, 1<<30); err != nil {
				t.Fatal(err)
			}
			f.until("the segment to begin", func() bool { return f.header[s] })
			if patience == time.Hour {
				gone := f.ask("/segment", "") // held back as well, and given up
				f.until("another segment", func() bool { return f.header[gone] })
				_ = f.fr.WriteRSTStream(gone, http2.ErrCodeCancel)
				within(t, closed, "the segment that was given up")
				_ = f.fr.WritePing(false, [8]byte{1})
				f.until("the answer to a ping", func() bool { return f.pinged })
				if f.data[s] > 0 {
					t.Errorf("%d bytes of the segment came before the manifests", f.data[s])
				}
				for _, id := range stalled {
					_ = f.fr.WriteRSTStream(id, http2.ErrCodeCancel)
				}
			}
			f.until("the segment", func() bool { return f.data[s] > 4<<20 })
		})
	}
}

// watched opens a segment and counts its bytes until ctx ends.
func watched(ctx context.Context, t *testing.T, client *http.Client, url string, n *atomic.Int64, wait *sync.WaitGroup) {
	t.Helper()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	wait.Go(func() {
		defer resp.Body.Close()
		buf := make([]byte, 4<<10)
		for {
			k, err := resp.Body.Read(buf)
			n.Add(int64(k))
			if err != nil {
				return
			}
		}
	})
}

// h3Narrow is a client of HTTP/3 whose streams have small windows.
func h3Narrow(t *testing.T) *http.Client {
	const window = 64 << 10
	tr := &http3.Transport{TLSClientConfig: clientTLS(t), DisableCompression: true, QUICConfig: &quic.Config{
		InitialStreamReceiveWindow: window, MaxStreamReceiveWindow: window,
		InitialConnectionReceiveWindow: 4 << 20, MaxConnectionReceiveWindow: 4 << 20,
	}}
	t.Cleanup(func() { _ = tr.Close() })
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

// The same over HTTP/3, where a client sees what its streams deliver, not the
// order of packets: what windows and chunks hold comes between, and what is
// sent while a lost packet of the manifest is sent again.
func TestWholeAnswersGoFirstH3(t *testing.T) {
	t.Parallel()
	l, _ := crowd(t, time.Hour)
	client, base := h3Narrow(t), "https://"+addrOf(t, l, TLS)
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	for range 2 {
		watched(ctx, t, client, base+"/segment", &n, &wait)
	}
	resp, err := client.Get(base + "/manifest")
	if err != nil {
		t.Fatal(err)
	}
	from := n.Load()
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || len(body) != wholeSize {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	if got := n.Load() - from; got > wholeSize { // two equal sharers would have had twice that
		t.Errorf("%d bytes of segments came before the end of the manifest", got)
	}
	for from = n.Load(); n.Load() < from+1<<20; { // the segments go on
		if resp, err = client.Get(base + "/steering"); err != nil {
			t.Fatal(err)
		}
		if body, err = io.ReadAll(resp.Body); err != nil || string(body) != "{}" || resp.ContentLength != 2 {
			t.Fatalf("%q of %d bytes, %v", body, resp.ContentLength, err)
		}
		_ = resp.Body.Close()
	}
}

// A manifest that nobody reads does not hold segments back for good, nor does
// one that is given up.
func TestStalledManifestH3(t *testing.T) {
	t.Parallel()
	for name, patience := range map[string]time.Duration{"given up": time.Hour, "left": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, closed := crowd(t, patience)
			client, base := h3Narrow(t), "https://"+addrOf(t, l, TLS)
			resp, err := client.Get(base + "/manifest")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			ctx, cancel := context.WithCancel(t.Context())
			var wait sync.WaitGroup
			defer wait.Wait()
			defer cancel()
			if patience == time.Hour {
				var none atomic.Int64
				gone, giveUp := context.WithCancel(ctx)
				watched(gone, t, client, base+"/segment", &none, &wait)
				giveUp()
				within(t, closed, "the segment that was given up")
				if none.Load() > 0 {
					t.Errorf("%d bytes of a segment came before the manifest", none.Load())
				}
				_ = resp.Body.Close()
			}
			q, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/segment", nil)
			if err != nil {
				t.Fatal(err)
			}
			segment, err := client.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			defer segment.Body.Close()
			if n, err := io.CopyN(io.Discard, segment.Body, 2<<20); err != nil {
				t.Errorf("%d bytes of the segment, %v", n, err)
			}
		})
	}
}
