package listen

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"manifold/exchange"
)

// handTo gives the configuration of the next process, with the sockets of l.
func handTo(t *testing.T, l *Listener, cfg Config) Config {
	t.Helper()
	files, _, err := l.HandOver()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Plain, cfg.TLS = nil, nil
	for _, f := range files {
		cfg.Inherited = append(cfg.Inherited, Socket{Name: f.Name(), File: f})
	}
	return cfg
}

// TestQUICHandedOver: a connection stays with the process that has it, however
// long its requests take, while new ones go to the next; and when the next
// ends first, the one before has the socket again.
func TestQUICHandedOver(t *testing.T) {
	cfg := localConfig(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	first := run(t, cfg, exchange.HandlerFunc(func(ex *exchange.Exchange) {
		ex.Status = 200
		ex.Body = append(ex.Body, "first"...)
		if ex.Path == "/wait" {
			arrived <- struct{}{}
			<-release
			ex.Body = append(ex.Body, strings.Repeat(".", 1<<20)...)
		}
	}))
	over := func() way { return ways(t, first)[3] } // a connection of its own
	old := over()
	flight := make(chan error, 1)
	go func() {
		resp, body, err := old.do("GET", "/wait", nil, nil)
		if err == nil && (resp.StatusCode != 200 || len(body) != 1<<20+len("first")) {
			err = fmt.Errorf("%d bytes of a %d", len(body), resp.StatusCode)
		}
		flight <- err
	}()
	within(t, arrived, "a request")
	second, err := New(handTo(t, first, cfg), text200("second"))
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	for range 10 {
		if _, body := over().get(t, "/"); string(body) != "second" {
			t.Fatalf("a new connection: %s", body)
		}
		if _, body := old.get(t, "/"); string(body) != "first" {
			t.Fatalf("the old connection: %s", body)
		}
	}
	close(release)
	if err := within(t, flight, "the request in flight"); err != nil {
		t.Errorf("the request in flight: %v", err)
	}
	second.Close()
	if _, body := over().get(t, "/"); string(body) != "first" {
		t.Errorf("after the end of the second: %s", body)
	}
	third := run(t, handTo(t, first, cfg), text200("third"))
	shutdown(t, first, 10*time.Second)
	if _, body := over().get(t, "/"); string(body) != "third" {
		t.Errorf("after the end of the first: %s", body)
	}
	if third.Stats().QUIC == 0 {
		t.Error("the third has no connection")
	}
}

func TestTag(t *testing.T) {
	mine := newTag()
	id, err := mine.GenerateConnectionID()
	if err != nil || id.Len() != mine.ConnectionIDLen() {
		t.Fatal(id, err)
	}
	other := mine
	other[tagLength-1]++
	short := append([]byte{0x40}, id.Bytes()...)
	long := append([]byte{0xc0, 0, 0, 0, 1, idLength}, id.Bytes()...)
	for _, c := range []struct {
		what   string
		packet []byte
		want   bool
	}{
		{"short header", append(short, "payload"...), true},
		{"long header", append(long, "payload"...), true},
		{"long header, an ID of another length", append([]byte{0xc0, 0, 0, 0, 1, idLength + 1}, id.Bytes()...), false},
		{"cut off in the tag", short[:tagLength], false},
		{"cut off in the tag of a long header", long[:6+tagLength-1], false},
		{"one byte", short[:1], false},
		{"nothing", nil, false},
	} {
		if got := mine.on(c.packet); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
		if other.on(c.packet) {
			t.Errorf("%s: bears another tag", c.what)
		}
	}
}

func messages(n int) []ipv4.Message {
	ms := make([]ipv4.Message, n)
	for i := range ms {
		ms[i].Buffers, ms[i].OOB = [][]byte{make([]byte, 1500)}, make([]byte, 128)
	}
	return ms
}

// TestRelay: of a batch the other process's packets go through the relay with
// all that belongs to them, and the rest moves together.
func TestRelay(t *testing.T) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := newShared(c, nil)
	defer s.close()
	f, err := s.offer()
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPast(f, f.Name())
	_ = f.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.take()
	if s.next.Load() == nil {
		t.Fatal("the socket was not left")
	}

	theirs := append([]byte{0x40}, s.mine[:]...)
	ms := messages(5)
	for i, text := range []string{"one", string(theirs) + "two", "three", string(theirs) + "four", "five"} {
		m := &ms[i]
		m.N, m.NN = copy(m.Buffers[0], text), copy(m.OOB, fmt.Sprint("control ", i))
		m.Addr = &net.UDPAddr{IP: net.ParseIP("2001:db8::1"), Port: 1000 + i}
	}
	if n := p.sort(ms); n != 3 {
		t.Fatalf("%d packets are left", n)
	}
	check := func(m *ipv4.Message, text string, i int) {
		t.Helper()
		if got := string(m.Buffers[0][:m.N]); got != text {
			t.Errorf("packet %q, want %q", got, text)
		}
		if got := string(m.OOB[:m.NN]); got != fmt.Sprint("control ", i) {
			t.Errorf("%s: control message %q", text, got)
		}
		if got := m.Addr.String(); got != fmt.Sprint("[2001:db8::1]:", 1000+i) {
			t.Errorf("%s: from %s", text, got)
		}
	}
	check(&ms[0], "one", 0)
	check(&ms[1], "three", 2)
	check(&ms[2], "five", 4)
	got := messages(8)
	for _, i := range []int{1, 3} {
		n, err := s.ReadBatch(got, 0)
		if n != 1 || err != nil {
			t.Fatal(n, err)
		}
		check(&got[0], string(theirs)+map[int]string{1: "two", 3: "four"}[i], i)
	}

	// What is none of it is no packet, and does no harm.
	for _, junk := range []string{"", "\x00", "\xff", "\x06\x7f\x00\x00\x01\x00\x00", "\x03abc\x00packet", "\x00\xffshort"} {
		if _, err := p.conn.Write([]byte(junk)); err != nil {
			t.Fatal(err)
		}
		if n, err := receive(s.offered, got); n != 0 || err != nil && junk != "" {
			t.Errorf("%q: %d, %v", junk, n, err)
		}
	}
}

func TestRelayNames(t *testing.T) {
	for _, name := range []string{"relay.", "relay.01", "relay.0102zz", "relay.01020304", "relay.0102030"} {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := newPast(f, name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		_ = f.Close()
	}
}
