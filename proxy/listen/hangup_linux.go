package listen

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

// hangups tells when the peers of sockets hang up, without reading from them:
// what they sent meanwhile (a pipelined request) stays where it is. It is an
// epoll set of its own (EPOLLRDHUP, one-shot) that hangs in the runtime's, so
// that it costs one parked goroutine and no thread. It starts with the first
// socket.
type hangups struct {
	mu     sync.Mutex
	epoll  *os.File
	raw    syscall.RawConn
	next   uint64
	gone   map[uint64]func()
	closed bool
	done   chan struct{}
}

// watch calls gone, on another goroutine, when the peer of s closes its side
// or the connection breaks. The function it returns ends the watch. On an
// error nothing is watched: the exchange then ends by its deadline or at the
// next write.
func (h *hangups) watch(s syscall.Conn, gone func()) (stop func(), err error) {
	rc, err := s.SyscallConn()
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.start(); err != nil {
		return nil, err
	}
	h.next++
	id := h.next
	const events = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR | syscall.EPOLLONESHOT
	event := syscall.EpollEvent{Events: events, Fd: int32(uint32(id)), Pad: int32(uint32(id >> 32))}
	if err := h.control(rc, syscall.EPOLL_CTL_ADD, &event); err != nil {
		return nil, fmt.Errorf("cannot watch socket: %w", err)
	}
	h.gone[id] = gone
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.gone, id)
		// A socket that was closed meanwhile has left the set by itself.
		_ = h.control(rc, syscall.EPOLL_CTL_DEL, nil)
	}, nil
}

// control changes the set; h.mu is held.
func (h *hangups) control(rc syscall.RawConn, op int, event *syscall.EpollEvent) error {
	if h.closed {
		return os.ErrClosed
	}
	var cerr error
	err := rc.Control(func(fd uintptr) {
		err := h.raw.Control(func(set uintptr) {
			cerr = syscall.EpollCtl(int(set), op, int(fd), event)
		})
		if err != nil {
			cerr = err
		}
	})
	if err != nil {
		return err
	}
	return cerr
}

func (h *hangups) start() error {
	if h.closed {
		return os.ErrClosed
	}
	if h.epoll != nil {
		return nil
	}
	set, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("cannot make an epoll set: %w", err)
	}
	if err := syscall.SetNonblock(set, true); err != nil {
		_ = syscall.Close(set)
		return fmt.Errorf("cannot make an epoll set: %w", err)
	}
	f := os.NewFile(uintptr(set), "hangups")
	raw, err := f.SyscallConn()
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("cannot make an epoll set: %w", err)
	}
	h.epoll, h.raw, h.gone, h.done = f, raw, map[uint64]func(){}, make(chan struct{})
	go h.run(raw, h.done)
	return nil
}

func (h *hangups) run(raw syscall.RawConn, done chan struct{}) {
	defer close(done)
	var events [64]syscall.EpollEvent
	var calls []func()
	// The set is edge-triggered in the runtime's: it is emptied before
	// waiting again. Read ends when the set is closed.
	_ = raw.Read(func(set uintptr) bool {
		for {
			n, err := syscall.EpollWait(int(set), events[:], 0)
			if err == syscall.EINTR {
				continue
			}
			if err != nil || n == 0 {
				return false
			}
			h.mu.Lock()
			for _, e := range events[:n] {
				id := uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32
				if gone := h.gone[id]; gone != nil {
					calls = append(calls, gone)
					delete(h.gone, id)
				}
			}
			h.mu.Unlock()
			for _, gone := range calls {
				gone()
			}
			clear(calls)
			calls = calls[:0]
		}
	})
}

// close ends all watches.
func (h *hangups) close() {
	h.mu.Lock()
	h.closed = true
	f, done := h.epoll, h.done
	h.gone = nil
	h.mu.Unlock()
	if f != nil {
		_ = f.Close()
		<-done
	}
}
