package listen

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// answered is an answer read off the wire. An error means that the protocol
// library refused: a reset stream, a closed connection.
type answered struct {
	status int
	body   string
	err    error
}

// rawH1 sends bytes on a plain connection, then our FIN, and reads all answers
// until the server closes.
func rawH1(t testing.TB, addr, request string) []answered {
	t.Helper()
	c := rawTCP(t, addr)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, request); err != nil && !isReset(err) {
		t.Fatal(err)
	}
	_ = c.CloseWrite()
	var all []answered
	for r := bufio.NewReader(c); ; {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			if !isReset(err) {
				t.Fatalf("reading the answer to %q: %v", request, err)
			}
			return all
		}
		body, err := io.ReadAll(resp.Body)
		all = append(all, answered{resp.StatusCode, string(body), err})
	}
}

// rawH2 is an HTTP/2 client that sends what it is told.
type rawH2 struct {
	t   testing.TB
	c   *tls.Conn
	fr  *http2.Framer
	buf bytes.Buffer
	enc *hpack.Encoder
	id  uint32
}

func dialRawH2(t testing.TB, addr string) *rawH2 {
	t.Helper()
	c := rawTLS(t, addr, "h2")
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	h := &rawH2{t: t, c: c, fr: http2.NewFramer(c, c), id: 1}
	h.enc = hpack.NewEncoder(&h.buf)
	h.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := h.fr.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *rawH2) block(fields ...[2]string) []byte {
	h.buf.Reset()
	for _, f := range fields {
		_ = h.enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return h.buf.Bytes()
}

// headers opens the next stream.
func (h *rawH2) headers(end bool, fields ...[2]string) (id uint32, err error) {
	id = h.id
	h.id += 2
	return id, h.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: h.block(fields...), EndStream: end, EndHeaders: true})
}

// answer reads frames until stream id is over.
func (h *rawH2) answer(id uint32) (a answered) {
	for {
		f, err := h.fr.ReadFrame()
		if err != nil {
			a.err = err
			return a
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = h.fr.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			if f.StreamID == id {
				a.status, _ = strconv.Atoi(f.PseudoValue("status"))
			}
		case *http2.DataFrame:
			if f.StreamID == id {
				a.body += string(f.Data())
			}
		case *http2.RSTStreamFrame:
			if f.StreamID == id && f.ErrCode != http2.ErrCodeNo {
				a.err = fmt.Errorf("stream reset: %v", f.ErrCode)
				return a
			}
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				a.err = fmt.Errorf("connection closed: %v", f.ErrCode)
				return a
			}
		}
		if s, ok := f.(interface{ StreamEnded() bool }); ok && f.Header().StreamID == id && s.StreamEnded() {
			return a
		}
	}
}

// rawH3 is an HTTP/3 client that sends what it is told.
type rawH3 struct {
	t testing.TB
	c *quic.Conn
}

func dialRawH3(t testing.TB, addr string) *rawH3 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cfg := clientTLS(t)
	cfg.NextProtos = []string{http3.NextProtoH3}
	cfg.ServerName = "localhost"
	c, err := quic.DialAddr(ctx, addr, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "") })
	control, err := c.OpenUniStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := control.Write([]byte{0x00, 0x04, 0x00}); err != nil { // stream type, empty SETTINGS
		t.Fatal(err)
	}
	return &rawH3{t, c}
}

func h3Headers(fields ...[2]string) []byte {
	var block bytes.Buffer
	enc := qpack.NewEncoder(&block)
	for _, f := range fields {
		_ = enc.WriteField(qpack.HeaderField{Name: f[0], Value: f[1]})
	}
	b := quicvarint.Append(nil, 0x01)
	b = quicvarint.Append(b, uint64(block.Len()))
	return append(b, block.Bytes()...)
}

func (h *rawH3) ask(fields ...[2]string) (a answered) {
	s, err := h.c.OpenStreamSync(context.Background())
	if err != nil {
		return answered{err: err}
	}
	_ = s.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := s.Write(h3Headers(fields...)); err != nil {
		return answered{err: err}
	}
	_ = s.Close()
	r := quicvarint.NewReader(s)
	for {
		kind, err := quicvarint.Read(r)
		if err != nil {
			if !errors.Is(err, io.EOF) || a.status == 0 {
				a.err = err
			}
			return a
		}
		size, err := quicvarint.Read(r)
		if err != nil {
			return answered{err: err}
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(r, payload); err != nil {
			return answered{err: err}
		}
		switch kind {
		case 0x00:
			a.body += string(payload)
		case 0x01:
			decode := qpack.NewDecoder().Decode(payload)
			for f, err := decode(); err == nil; f, err = decode() {
				if f.Name == ":status" {
					a.status, _ = strconv.Atoi(f.Value)
				}
			}
		}
	}
}
