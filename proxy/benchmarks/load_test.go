package benchmarks

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// connections is how many viewers ask at the same time, each over a connection
// of their own with one request in flight, as players do.
const connections = 32

// order is what the load process is told to do; it answers with a report.
type order struct {
	Protocol, Address string
	Paths             []string
	Gzip              bool
	Requests          int
}

type report struct {
	Wall  time.Duration
	Error string
}

// The viewers are hls.js in a browser.
var browser = [][2]string{
	{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"},
	{"Accept", "*/*"}, {"Accept-Language", "en-GB,en;q=0.9"}, {"Origin", "https://player.example"},
	{"Referer", "https://player.example/"}, {"Sec-Fetch-Dest", "empty"}, {"Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Site", "cross-site"},
}

const encodings = "gzip, deflate, br, zstd"

func browserHeader(gzip bool) http.Header {
	h := http.Header{}
	for _, f := range browser {
		h.Set(f[0], f[1])
	}
	if gzip {
		h.Set("Accept-Encoding", encodings)
	}
	return h
}

// load is the process that plays the viewers.
type load struct {
	cmd *exec.Cmd
	in  *json.Encoder
	out *json.Decoder
}

// loadVar, in the environment, makes this program a load process.
const loadVar = "MANIFOLD_BENCHMARK_LOAD"

func startLoad(tb testing.TB) *load {
	tb.Helper()
	l := &load{cmd: exec.Command(os.Args[0])}
	l.cmd.Env = append(os.Environ(), loadVar+"=1")
	l.cmd.Stderr = os.Stderr
	in, err := l.cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	l.in, l.out = json.NewEncoder(in), json.NewDecoder(out)
	tb.Cleanup(func() {
		_ = in.Close() // ends it
		_ = l.cmd.Wait()
	})
	return l
}

// run has the load process carry out an order.
func (l *load) run(o *order) (time.Duration, error) {
	if err := l.in.Encode(o); err != nil {
		return 0, fmt.Errorf("cannot order load: %w", err)
	}
	var r report
	if err := l.out.Decode(&r); err != nil {
		return 0, fmt.Errorf("cannot read the load's report: %w", err)
	}
	if r.Error != "" {
		return 0, errors.New(r.Error)
	}
	return r.Wall, nil
}

// loadMain is the load process: it carries out orders until its input ends.
func loadMain() int {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	pools := map[string][]viewer{}
	for {
		var o order
		if err := in.Decode(&o); err != nil {
			return 0
		}
		var r report
		wall, err := carryOut(&o, pools)
		if r.Wall = wall; err != nil {
			r.Error = err.Error()
		}
		if err := out.Encode(r); err != nil {
			return 1
		}
	}
}

// viewer is one connection, kept alive, with at most one request in flight.
type viewer interface {
	get(path string, gzip bool) error
}

// carryOut spreads the requests of an order over the connections to its
// address, which stay open for the next one.
func carryOut(o *order, pools map[string][]viewer) (time.Duration, error) {
	key := o.Protocol + " " + o.Address
	if pools[key] == nil {
		for range connections {
			v, err := connect(o.Protocol, o.Address)
			if err != nil {
				return 0, err
			}
			pools[key] = append(pools[key], v)
		}
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, connections)
	began := time.Now()
	for i, v := range pools[key] {
		wg.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= o.Requests || errs[i] != nil {
					return
				}
				errs[i] = v.get(o.Paths[n%len(o.Paths)], o.Gzip)
			}
		})
	}
	wg.Wait()
	return time.Since(began), errors.Join(errs...)
}

func connect(protocol, address string) (viewer, error) {
	if protocol == "h1" {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return nil, err
		}
		return &plainViewer{address: address, conn: c, in: bufio.NewReaderSize(c, 16<<10)}, nil
	}
	return &transportViewer{transport(protocol), "https://" + address, map[bool]http.Header{false: browserHeader(false), true: browserHeader(true)}}, nil
}

// transport is a client of one protocol. Whom it talks to is not in question.
func transport(protocol string) http.RoundTripper {
	trust := &tls.Config{InsecureSkipVerify: true}
	if protocol == "h3" {
		return &http3.Transport{TLSClientConfig: trust, DisableCompression: true}
	}
	t := &http.Transport{TLSClientConfig: trust, DisableCompression: true, Protocols: new(http.Protocols)}
	t.Protocols.SetHTTP1(protocol == "h1")
	t.Protocols.SetHTTP2(protocol == "h2")
	return t
}

// transportViewer speaks HTTP/2 or HTTP/3.
type transportViewer struct {
	http.RoundTripper
	base   string
	header map[bool]http.Header
}

func (v *transportViewer) get(path string, gzip bool) error {
	req, err := http.NewRequest(http.MethodGet, v.base+path, nil)
	if err != nil {
		return err
	}
	req.Header = v.header[gzip]
	resp, err := v.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// plainViewer speaks just enough HTTP/1.1, so that little of the machine goes
// to the client.
type plainViewer struct {
	address string
	conn    net.Conn
	in      *bufio.Reader
	out     []byte
}

func (v *plainViewer) get(path string, gzip bool) error {
	b := append(append(v.out[:0], "GET "...), path...)
	b = append(append(append(b, " HTTP/1.1\r\nHost: "...), v.address...), "\r\n"...)
	for _, f := range browser {
		b = append(append(append(append(b, f[0]...), ": "...), f[1]...), "\r\n"...)
	}
	if gzip {
		b = append(b, "Accept-Encoding: "+encodings+"\r\n"...)
	}
	v.out = append(b, "\r\n"...)
	if _, err := v.conn.Write(v.out); err != nil {
		return err
	}
	return v.read(path)
}

// read reads one answer, which must be a 200 of known length.
func (v *plainViewer) read(path string) error {
	const ok, length = "HTTP/1.1 200 ", "Content-Length: "
	size := -1
	for first := true; ; first = false {
		line, err := v.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		switch {
		case first && (len(line) < len(ok) || string(line[:len(ok)]) != ok):
			return fmt.Errorf("GET %s: %s", path, line)
		case len(line) == len("\r\n"):
			if size < 0 {
				return fmt.Errorf("GET %s: the answer has no Content-Length", path)
			}
			_, err := v.in.Discard(size)
			return err
		case len(line) > len(length) && string(line[:len(length)]) == length:
			size = 0
			for _, d := range line[len(length) : len(line)-2] {
				size = size*10 + int(d-'0')
			}
		}
	}
}
