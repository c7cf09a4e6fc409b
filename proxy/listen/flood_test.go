package listen

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"

	"manifold/exchange"
)

var getRoot = [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", "/"}}

// TestHTTP2Floods: a connection that floods is closed early; a bystander is
// served all the while.
func TestHTTP2Floods(t *testing.T) {
	l := run(t, localConfig(t), text200("ok"))
	addr := addrOf(t, l, TLS)
	for _, c := range []struct {
		name  string
		limit int // frames, after which the connection must be at its end
		send  func(h *rawH2, i int) error
	}{
		{"rapid reset", 1000, func(h *rawH2, _ int) error {
			id, err := h.headers(true, getRoot...)
			if err != nil {
				return err
			}
			return h.fr.WriteRSTStream(id, http2.ErrCodeCancel)
		}},
		{"resets that the client provokes", 1000, func(h *rawH2, _ int) error {
			// A window update of zero makes the server reset the stream.
			id, err := h.headers(false, getRoot...)
			if err != nil {
				return err
			}
			return h.fr.WriteRawFrame(http2.FrameWindowUpdate, 0, id, make([]byte, 4))
		}},
		{"over the streams allowed", 5000, func(h *rawH2, _ int) error {
			_, err := h.headers(false, [2]string{":method", "POST"}, getRoot[1], getRoot[2], [2]string{":path", "/wait"})
			return err
		}},
		{"PING", 1000, func(h *rawH2, _ int) error { return h.fr.WritePing(false, [8]byte{}) }},
		{"PING answers", 1000, func(h *rawH2, _ int) error { return h.fr.WritePing(true, [8]byte{}) }},
		{"SETTINGS", 1000, func(h *rawH2, i int) error {
			return h.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(i % 100)})
		}},
		{"SETTINGS answers", 1000, func(h *rawH2, _ int) error { return h.fr.WriteSettingsAck() }},
		{"PRIORITY", 2000, func(h *rawH2, _ int) error { return h.fr.WritePriority(1, http2.PriorityParam{Weight: 3}) }},
		{"PRIORITY_UPDATE", 2000, func(h *rawH2, _ int) error {
			return h.fr.WriteRawFrame(http2.FramePriorityUpdate, 0, 0, append(binary.BigEndian.AppendUint32(nil, 1), "u=1"...))
		}},
		{"WINDOW_UPDATE", 5000, func(h *rawH2, _ int) error { return h.fr.WriteWindowUpdate(0, 1) }},
		{"empty DATA", 1000, func(h *rawH2, i int) error {
			if i == 0 {
				if _, err := h.headers(false, [2]string{":method", "POST"}, getRoot[1], getRoot[2], [2]string{":path", "/wait"}); err != nil {
					return err
				}
			}
			return h.fr.WriteData(1, false, nil)
		}},
		{"DATA of padding", 1000, func(h *rawH2, i int) error {
			if i == 0 {
				if _, err := h.headers(false, [2]string{":method", "POST"}, getRoot[1], getRoot[2], [2]string{":path", "/wait"}); err != nil {
					return err
				}
			}
			return h.fr.WriteDataPadded(1, false, nil, make([]byte, 100))
		}},
		{"unknown frames", 1000, func(h *rawH2, _ int) error { return h.fr.WriteRawFrame(0x42, 0, 0, []byte("grease")) }},
		{"CONTINUATION", 1000, func(h *rawH2, i int) error {
			if i == 0 {
				return h.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: h.block(getRoot...)})
			}
			return h.fr.WriteContinuation(1, false, h.block([2]string{"x", "y"}))
		}},
		{"empty CONTINUATION", 1000, func(h *rawH2, i int) error {
			if i == 0 {
				return h.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: h.block(getRoot...)})
			}
			return h.fr.WriteContinuation(1, false, nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := dialRawH2(t, addr)
			over := make(chan error, 1)
			go func() { over <- h.untilGoAway() }()
			for i := range c.limit {
				if err := c.send(h, i); err != nil {
					break // the server reads no more
				}
			}
			if err := within(t, over, "the end of the connection"); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("bystander", func(t *testing.T) {
		t.Parallel()
		w := ways(t, l)[2]
		for range 200 {
			if resp, body := w.get(t, "/"); resp.StatusCode != 200 || string(body) != "ok" {
				t.Fatalf("%d %q", resp.StatusCode, body)
			}
		}
	})
}

// untilGoAway reads until the server ends the connection, and wants to be
// told why, unless a reset got in its way.
func (h *rawH2) untilGoAway() error {
	code := http2.ErrCodeNo
	for {
		f, err := h.fr.ReadFrame()
		if err != nil {
			if !isGone(err) {
				return err
			}
			if code == http2.ErrCodeNo && errors.Is(err, io.EOF) {
				return errors.New("closed without saying why")
			}
			return nil
		}
		if f, ok := f.(*http2.GoAwayFrame); ok {
			code = f.ErrCode
		}
	}
}

// TestHTTP2Decent: what real clients do stays within the budgets.
func TestHTTP2Decent(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 1<<20)
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		switch ex.Path {
		case "/big":
			ex.Stream, ex.StreamSize = bytes.NewReader(big), int64(len(big))
		case "/slow":
			<-ex.Context().Done()
		}
	}))
	w := ways(t, l)[2]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 60 {
				switch {
				case i%10 == 0: // a player changes its mind
					ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
					req, _ := http.NewRequestWithContext(ctx, "GET", w.base+"/slow", nil)
					if _, err := w.client.Do(req); err == nil {
						t.Error("answered")
					}
					cancel()
				case i%25 == 1:
					if _, body := w.get(t, "/big"); len(body) != len(big) {
						t.Errorf("%d bytes", len(body))
					}
				default:
					w.get(t, "/")
				}
			}
		})
	}
	wg.Wait()
	if s := l.Stats(); s.Floods != 0 || s.Stalled != 0 {
		t.Errorf("stats %+v", s)
	}
}

// TestHTTP3Resets: a QUIC connection that gives up its requests one after the
// other is closed with H3_EXCESSIVE_LOAD.
func TestHTTP3Resets(t *testing.T) {
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		<-ex.Context().Done()
	}))
	h := dialRawH3(t, addrOf(t, l, TLS))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	request := h3Headers(getRoot...)
	for i := range 1000 {
		s, err := h.c.OpenStreamSync(ctx)
		if err != nil {
			break
		}
		_, _ = s.Write(request)
		_ = s.Close()
		s.CancelRead(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
		if i == 999 {
			t.Error("the connection took 1000 resets")
		}
	}
	within(t, h.c.Context().Done(), "the end of the connection")
	var app *quic.ApplicationError
	if err := context.Cause(h.c.Context()); !errors.As(err, &app) || app.ErrorCode != quic.ApplicationErrorCode(http3.ErrCodeExcessiveLoad) {
		t.Errorf("ended with %v", err)
	}
	if resp, _ := (way{base: "https://" + addrOf(t, l, TLS), client: h3Client(t)}).get(t, "/.."); resp.StatusCode != 400 {
		t.Errorf("bystander: %v", resp.Status)
	}
}

// TestRetry: under a flood of handshakes clients must show that they receive
// at their address; those that do are served.
func TestRetry(t *testing.T) {
	cfg := localConfig(t)
	cfg.RetryAbove = -1
	l := run(t, cfg, text200("ok"))
	w := way{base: "https://" + addrOf(t, l, TLS), client: h3Client(t)}
	if resp, body := w.get(t, "/"); resp.StatusCode != 200 || string(body) != "ok" {
		t.Fatalf("%d %q", resp.StatusCode, body)
	}
	c := conns{perAddress: 8, limit: 100, addresses: map[netip.Prefix]*address{}, tcp: map[*conn]struct{}{}}
	a := mustAddr(t, "192.0.2.1")
	for i := range 3 {
		if c.crowded(a) != (i >= 2) {
			t.Errorf("crowded with %d connections", i)
		}
		c.enter(a, nil)
	}
}
