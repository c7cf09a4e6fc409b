package listen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// noticeTime is between the two GOAWAY frames of HTTP/2: a round trip and
	// more, so that requests on their way are still taken.
	noticeTime = 500 * time.Millisecond
	// lastFlight is how long HTTP/3 connections stay open after their last
	// answer, so that what was lost of it can be sent again.
	lastFlight = time.Second
	// queueTime is how long a closing socket's queue of finished handshakes
	// is emptied: what is left in it is reset by the kernel.
	queueTime = 20 * time.Millisecond
)

// Shutdown drains: nothing new is accepted, requests in flight and those
// already on their way are answered ("Connection: close" on HTTP/1.1, GOAWAY
// on HTTP/2 and HTTP/3), then all is closed. When ctx ends first the rest is
// cut off and its error returned.
func (l *Listener) Shutdown(ctx context.Context) error {
	if !l.begin() {
		return l.wait(ctx)
	}
	l.cfg.Logger.Info("draining")
	for _, e := range l.ends {
		if e.tcp != nil {
			_ = e.tcp.SetDeadline(time.Now().Add(queueTime))
		}
	}
	l.accept.Wait()
	for _, e := range l.ends {
		if e.tcp != nil {
			_ = e.tcp.Close()
		}
	}
	var drained sync.WaitGroup
	drained.Go(func() { l.drainTCP(ctx) })
	drained.Go(func() { l.drainQUIC(ctx) })
	drained.Wait()
	err := ctx.Err()
	l.Close()
	return late(err)
}

func late(err error) error {
	if err != nil {
		return fmt.Errorf("cannot drain in time: %w", err)
	}
	return nil
}

// wait waits for another Shutdown to end, or ends a listener that never
// started.
func (l *Listener) wait(ctx context.Context) error {
	if l.draining.Load() {
		select {
		case <-l.closed:
		case <-ctx.Done():
		}
	}
	err := ctx.Err()
	l.Close()
	return late(err)
}

// begin reports whether the listener runs, and that this call ends it.
func (l *Listener) begin() bool {
	l.life.Lock()
	defer l.life.Unlock()
	if !l.started || l.stopped {
		return false
	}
	l.stopped = true
	l.draining.Store(true)
	return true
}

func (l *Listener) drainTCP(ctx context.Context) {
	for _, c := range l.conns.list() {
		if g := l.conns.guardOf(c); g != nil {
			g.goAway()
		}
	}
	grace, cancel := context.WithTimeout(ctx, l.cfg.DrainGrace)
	defer cancel()
	notice, cancelNotice := context.WithTimeout(grace, noticeTime)
	defer cancelNotice()
	var servers sync.WaitGroup
	servers.Go(func() {
		if !l.waitTCP(notice) {
			l.h2.shutdown(ctx) // the second GOAWAY
		}
	})
	servers.Go(func() {
		l.waitTCP(grace)
		_ = l.h1.ShutdownWithContext(ctx) // closes idle connections
	})
	l.waitTCP(ctx)
	cancel()
	servers.Wait()
}

// waitTCP waits for the last TCP connection to end and reports whether it did
// before ctx.
func (l *Listener) waitTCP(ctx context.Context) bool {
	select {
	case <-l.conns.gone():
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *Listener) drainQUIC(ctx context.Context) {
	for _, h := range l.udp {
		_ = h.listener.Close()
	}
	// http3.Server miscounts a connection that it accepts during its own
	// Shutdown: let it stop accepting first.
	l.quics.Wait()
	if len(l.udp) == 0 {
		return
	}
	last, cancel := context.WithCancel(ctx)
	defer cancel()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = l.h3.Shutdown(last) // GOAWAY, then waits for the clients to leave
	}()
	for {
		select {
		case <-gone:
			return
		case <-ctx.Done():
			return
		case <-l.active.none():
		}
		select {
		case <-gone:
			return
		case <-ctx.Done():
			return
		case <-time.After(lastFlight):
		}
		if l.active.n.Load() == 0 {
			return
		}
	}
}

// Close ends everything at once: TCP connections are reset, QUIC clients are
// told CONNECTION_CLOSE, every Exchange's context ends.
func (l *Listener) Close() {
	l.life.Lock()
	started := l.started
	l.stopped = true
	l.life.Unlock()
	l.closing.Do(func() {
		defer close(l.closed)
		l.cancel()
		for _, e := range l.ends {
			if e.tcp != nil {
				_ = e.tcp.Close()
			}
		}
		l.accept.Wait()
		if started {
			close(l.stop)
		}
		_ = l.h1conn.Close()
		for _, h := range l.udp {
			_ = h.listener.Close()
		}
		l.quics.Wait()
		for _, c := range l.conns.list() {
			c.close()
		}
		// A handler that does not heed its context keeps Close from
		// returning, not the connections open.
		_ = l.h3.Close()
		for _, h := range l.udp {
			_ = h.transport.Close()
		}
		l.closeSockets()
		<-l.conns.gone()
		l.serving.Wait()
		l.hangups.close()
	})
}

// HandOver gives copies of the listening sockets for a child process, in the
// order of exec.Cmd.ExtraFiles, and the environment that makes
// [FromEnvironment] find them there. The caller closes the files after the
// child has started; when the child says that it is ready, Shutdown ends this
// listener without a refused connection in between. From its start on that
// process alone reads the UDP sockets, and passes on what is of this one's
// connections.
func (l *Listener) HandOver() (files []*os.File, env []string, err error) {
	var names []string
	for _, e := range l.ends {
		var f *os.File
		if e.tcp != nil {
			f, err = Duplicate(e.tcp, e.kind.String())
		} else {
			f, err = Duplicate(e.udp, e.kind.String())
		}
		if err == nil && e.udp != nil {
			files, names = append(files, f), append(names, e.kind.String())
			f, err = e.udp.offer()
		}
		if err != nil {
			for _, f := range files {
				err = errors.Join(err, f.Close())
			}
			return nil, nil, err
		}
		files = append(files, f)
		names = append(names, f.Name())
	}
	return files, []string{
		fmt.Sprintf("LISTEN_FDS=%d", len(files)),
		"LISTEN_FDNAMES=" + strings.Join(names, ":"),
		fmt.Sprintf("%s=%d", handOverVar, os.Getpid()),
	}, nil
}
