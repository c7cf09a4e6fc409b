package listen

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/net/ipv4"
)

// Two processes that share a UDP socket would take each other's packets, and
// QUIC, unlike TCP, leaves it to them whose connection a packet is of. So every
// connection ID that a process gives out begins with its tag (RFC 9000, section
// 5.1: an ID is the server's to choose), and at a hand-over the next process
// alone reads the socket: what bears the tag of the one before it passes on,
// over a pair of Unix sockets. Both write to the UDP socket themselves. When
// the next process ends first, the one before reads the socket again.

// tagLength is that of a process's tag in bytes: a client's own first choice
// of an ID (section 7.2) is one of these once in 2^24. The rest of an ID is
// random.
const (
	tagLength = 3
	idLength  = 8
)

type tag [tagLength]byte

func newTag() (t tag) {
	_, _ = rand.Read(t[:]) // never fails
	return t
}

// GenerateConnectionID and ConnectionIDLen implement quic.ConnectionIDGenerator.
func (t tag) GenerateConnectionID() (quic.ConnectionID, error) {
	var id [idLength]byte
	copy(id[:], t[:])
	_, _ = rand.Read(id[tagLength:]) // never fails
	return quic.ConnectionIDFromBytes(id[:]), nil
}

func (tag) ConnectionIDLen() int { return idLength }

// on tells whether a packet is of a connection whose ID bears the tag (RFC
// 8999, section 5).
func (t tag) on(packet []byte) bool {
	switch {
	case len(packet) > 1 && packet[0]&0x80 == 0:
		return bytes.HasPrefix(packet[1:], t[:])
	case len(packet) > 6 && packet[5] == idLength:
		return bytes.HasPrefix(packet[6:], t[:])
	}
	return false
}

// shared is a UDP socket that may be another process's as well. quic-go reads
// it by ReadBatch alone.
type shared struct {
	*net.UDPConn
	batch *ipv4.PacketConn
	mine  tag

	before atomic.Pointer[past]         // the process that had the socket, while it drains
	next   atomic.Pointer[net.UnixConn] // where packets come from when another process has the socket

	mu       sync.Mutex // guards offered, deadline and changes of next
	offered  *net.UnixConn
	deadline time.Time
	waiting  sync.WaitGroup // for the word of the process that was offered the socket
}

func newShared(c *net.UDPConn, before *past) *shared {
	s := &shared{UDPConn: c, batch: ipv4.NewPacketConn(c), mine: newTag()}
	s.before.Store(before)
	return s
}

// ReadBatch reads packets for this process.
func (s *shared) ReadBatch(ms []ipv4.Message, flags int) (n int, err error) {
	for n == 0 && err == nil {
		if next := s.next.Load(); next != nil {
			if n, err = receive(next, ms); err != nil && s.resume(err) {
				err = nil
			}
			continue
		}
		if n, err = s.batch.ReadBatch(ms, flags); err != nil && s.next.Load() != nil {
			n, err = 0, nil // woken to read elsewhere
		}
		if before := s.before.Load(); before != nil && err == nil {
			n = before.sort(ms[:n])
		}
	}
	return n, err
}

// SetReadDeadline implements net.PacketConn.
func (s *shared) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	if next := s.next.Load(); next != nil {
		return next.SetReadDeadline(t)
	}
	return s.UDPConn.SetReadDeadline(t)
}

// relayName is how the other end of a relay is called among inherited sockets.
// It follows the socket that it is for.
const relayName = "relay."

// offer makes a relay for the process that will have the socket and gives its
// end of it.
func (s *shared) offer() (*os.File, error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, relayType, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("cannot make a relay for QUIC: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "relay"), os.NewFile(uintptr(fds[1]), relayName+hex.EncodeToString(s.mine[:]))
	c, err := net.FileConn(ours)
	_ = ours.Close() // the net package works on its own descriptor
	if err != nil {
		_ = theirs.Close()
		return nil, fmt.Errorf("cannot make a relay for QUIC: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.offered != nil {
		_ = s.offered.Close() // to a process that did not come up
	}
	relay := c.(*net.UnixConn)
	s.offered = relay
	s.waiting.Go(func() { s.yield(relay) })
	return theirs, nil
}

// yield leaves the socket to the process that a relay was offered to when that
// one says that it will read it.
func (s *shared) yield(relay *net.UnixConn) {
	if _, err := relay.Read(make([]byte, 1)); err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = relay.SetReadDeadline(s.deadline)
	s.next.Store(relay)
	_ = s.UDPConn.SetReadDeadline(longAgo)
	_, _ = relay.Write([]byte{0}) // it waits for this, but not for long
}

// resume reads the socket again when the process that has it is gone.
func (s *shared) resume(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next.Store(nil)
	return s.UDPConn.SetReadDeadline(s.deadline) == nil
}

// close ends the relays; whoever closes the socket calls it.
func (s *shared) close() {
	s.mu.Lock()
	if s.offered != nil {
		_ = s.offered.Close()
	}
	s.mu.Unlock()
	s.waiting.Wait()
	if before := s.before.Swap(nil); before != nil {
		before.close()
	}
}

// past is the process that had a socket before, and drains.
type past struct {
	tag   tag
	conn  *net.UnixConn
	queue chan []byte
	gone  atomic.Bool // takes no more
	stop  chan struct{}
	once  sync.Once
	done  sync.WaitGroup
}

// waitingPackets bounds what the process before has not taken yet; beyond it
// packets are lost, as on any way through a network.
const waitingPackets = 1024

// newPast takes over the end of a relay by its file and its name.
func newPast(f *os.File, name string) (*past, error) {
	p := &past{queue: make(chan []byte, waitingPackets), stop: make(chan struct{})}
	text := strings.TrimPrefix(name, relayName)
	if n, err := hex.Decode(p.tag[:], []byte(text[:min(len(text), 2*tagLength)])); err != nil || n != tagLength || len(text) != 2*tagLength {
		return nil, fmt.Errorf("cannot take over relay %q: its name says no tag", name)
	}
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("cannot take over relay %q: %w", name, err)
	}
	var ok bool
	if p.conn, ok = c.(*net.UnixConn); !ok {
		_ = c.Close()
		return nil, fmt.Errorf("cannot take over relay %q: it is %s, not a Unix socket", name, c.LocalAddr().Network())
	}
	p.done.Go(p.send)
	return p, nil
}

// answerTime bounds the wait for the process before to leave the socket.
const answerTime = time.Second

// take has the process before leave the socket to this one.
func (p *past) take() {
	_ = p.conn.SetDeadline(time.Now().Add(answerTime))
	if _, err := p.conn.Write([]byte{0}); err == nil {
		_, _ = p.conn.Read(make([]byte, 1)) // where it is gone, all the better
	}
	_ = p.conn.SetDeadline(time.Time{})
}

// send hands packets on until the other process is gone.
func (p *past) send() {
	for {
		select {
		case <-p.stop:
			return
		case b := <-p.queue:
			if _, err := p.conn.Write(b); err != nil {
				p.gone.Store(true)
				return
			}
		}
	}
}

func (p *past) close() {
	p.once.Do(func() { close(p.stop) })
	_ = p.conn.Close()
	p.done.Wait()
}

// sort hands on the packets of the process before and moves the others
// together; it gives their number. A message's buffer stays in its place.
func (p *past) sort(ms []ipv4.Message) (n int) {
	for i := range ms {
		m := &ms[i]
		if packet := m.Buffers[0][:m.N]; p.tag.on(packet) && !p.gone.Load() {
			select {
			case p.queue <- pack(m):
			default:
			}
			continue
		}
		if to := &ms[n]; n != i {
			to.N, to.NN, to.Addr, to.Flags = copy(to.Buffers[0], m.Buffers[0][:m.N]), copy(to.OOB, m.OOB[:m.NN]), m.Addr, m.Flags
		}
		n++
	}
	return n
}

// pack writes a packet with where it came from and what the kernel said of it:
// two lengths, each before its text, and the packet.
func pack(m *ipv4.Message) []byte {
	var from netip.AddrPort
	if a, ok := m.Addr.(*net.UDPAddr); ok {
		from = a.AddrPort()
	}
	address, _ := from.MarshalBinary() // never fails
	b := make([]byte, 0, 2+len(address)+m.NN+m.N)
	b = append(append(b, byte(len(address))), address...)
	b = append(append(b, byte(m.NN)), m.OOB[:m.NN]...)
	return append(b, m.Buffers[0][:m.N]...)
}

// receive reads one packet from a relay; 0 is for what is none.
func receive(c *net.UnixConn, ms []ipv4.Message) (int, error) {
	b := make([]byte, 2<<10)
	n, err := c.Read(b)
	if err != nil {
		return 0, err
	}
	address, b, ok := cut(b[:n])
	oob, packet, whole := cut(b)
	var from netip.AddrPort
	if !ok || !whole || len(ms) == 0 || from.UnmarshalBinary(address) != nil || len(oob) > len(ms[0].OOB) || len(packet) > len(ms[0].Buffers[0]) {
		return 0, nil
	}
	m := &ms[0]
	m.N, m.NN, m.Flags, m.Addr = copy(m.Buffers[0], packet), copy(m.OOB, oob), 0, net.UDPAddrFromAddrPort(from)
	return 1, nil
}

// cut takes a text off that its length stands before.
func cut(b []byte) (text, rest []byte, ok bool) {
	if len(b) == 0 || len(b) <= int(b[0]) {
		return nil, nil, false
	}
	n := 1 + int(b[0])
	return b[1:n], b[n:], true
}
