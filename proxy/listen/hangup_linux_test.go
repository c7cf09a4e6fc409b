package listen

import (
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestHangups(t *testing.T) {
	defer goleak.VerifyNone(t, leakOptions()...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pair := func() (client, server *net.TCPConn) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return c.(*net.TCPConn), s.(*net.TCPConn)
	}
	var h hangups
	watch := func(s *net.TCPConn) (chan struct{}, func()) {
		gone := make(chan struct{})
		stop, err := h.watch(s, func() { close(gone) })
		if err != nil {
			t.Fatal(err)
		}
		return gone, stop
	}
	expect := func(gone chan struct{}) {
		t.Helper()
		select {
		case <-gone:
		case <-time.After(5 * time.Second):
			t.Fatal("hang-up not seen")
		}
	}

	leaving, s1 := pair()
	staying, s2 := pair()
	defer s1.Close()
	defer s2.Close()
	gone1, stop1 := watch(s1)
	gone2, stop2 := watch(s2)
	if _, err := staying.Write([]byte("GET / HTTP/1.1\r\n")); err != nil { // readable is not gone
		t.Fatal(err)
	}
	leaving.Close()
	expect(gone1)
	stop1()
	select {
	case <-gone2:
		t.Fatal("a client that sent more was taken for gone")
	default:
	}
	stop2()
	gone2, stop2 = watch(s2) // a second request of the connection
	if err := staying.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	expect(gone2)
	stop2()
	b := make([]byte, 16)
	if n, err := s2.Read(b); err != nil || string(b[:n]) != "GET / HTTP/1.1\r\n" {
		t.Fatalf("after the watch: read %q, %v", b[:n], err)
	}
	staying.Close()

	// Many at once, more than one wait returns.
	const many = 200
	var gone []chan struct{}
	var clients []*net.TCPConn
	for range many {
		c, s := pair()
		defer s.Close()
		g, _ := watch(s)
		gone, clients = append(gone, g), append(clients, c)
	}
	for _, c := range clients {
		c.Close()
	}
	for _, g := range gone {
		expect(g)
	}

	c, s := pair()
	_, stop := watch(s)
	s.Close() // our own side first
	stop()
	c.Close()
	h.close()
	if _, err := h.watch(s2, func() {}); err == nil {
		t.Fatal("watched after close")
	}
}
