package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// Socket is an open listening socket that another process made.
type Socket struct {
	// Name says how to serve it where no configured address is its own:
	// "plain" ("http"), "tls" ("https") or "quic".
	Name string
	// File is the descriptor. New takes it over and closes it.
	File *os.File
}

const (
	firstInherited = 3 // SD_LISTEN_FDS_START of sd_listen_fds(3)
	handOverVar    = "MANIFOLD_HANDED_OVER_BY"
)

// FromEnvironment takes the sockets that the environment speaks of: those of
// systemd's socket activation (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES; see
// sd_listen_fds(3)), or those handed over by a running edge (see
// [Listener.HandOver]). It removes the variables, so that children do not take
// the same sockets again. Without any it gives nil.
func FromEnvironment() ([]Socket, error) {
	count, names := os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES")
	pid, parent := os.Getenv("LISTEN_PID"), os.Getenv(handOverVar)
	mine := pid == strconv.Itoa(os.Getpid()) || pid == "" && parent == strconv.Itoa(os.Getppid())
	for _, v := range []string{"LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", handOverVar} {
		if err := os.Unsetenv(v); err != nil {
			return nil, fmt.Errorf("cannot clear %s: %w", v, err)
		}
	}
	if count == "" || !mine {
		return nil, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > 1<<10 {
		return nil, fmt.Errorf("cannot take over sockets: LISTEN_FDS is %q, not a number of descriptors", count)
	}
	var name []string
	if names != "" {
		name = strings.Split(names, ":")
		if len(name) != n {
			return nil, fmt.Errorf("cannot take over sockets: LISTEN_FDS is %d and LISTEN_FDNAMES has %d names", n, len(name))
		}
	}
	sockets := make([]Socket, n)
	for i := range sockets {
		if name != nil {
			sockets[i].Name = name[i]
		}
		sockets[i].File = os.NewFile(uintptr(firstInherited+i), sockets[i].Name)
		closeOnExec(firstInherited + i)
	}
	return sockets, nil
}

func (s Socket) kind() (Kind, bool) {
	switch s.Name {
	case "plain", "http":
		return Plain, true
	case "tls", "https":
		return TLS, true
	case "quic", "h3":
		return QUIC, true
	}
	return 0, false
}

func hasKind(sockets []Socket, k Kind) bool {
	for _, s := range sockets {
		if got, ok := s.kind(); ok && got == k {
			return true
		}
	}
	return false
}

// inherited is a Socket as the net package sees it.
type inherited struct {
	Socket
	tcp  *net.TCPListener
	udp  *net.UDPConn
	past *past // of udp: the process that hands it over, where one does
	used bool
}

func (i *inherited) String() string {
	switch {
	case i.tcp != nil:
		return fmt.Sprintf("%q (tcp %v)", i.Name, i.tcp.Addr())
	case i.udp != nil:
		return fmt.Sprintf("%q (udp %v)", i.Name, i.udp.LocalAddr())
	}
	return strconv.Quote(i.Name)
}

func (i *inherited) close() {
	if i.tcp != nil {
		_ = i.tcp.Close()
	}
	if i.udp != nil {
		_ = i.udp.Close()
	}
	if i.past != nil {
		i.past.close()
	}
}

// adopt opens all inherited sockets.
func adopt(sockets []Socket) ([]*inherited, error) {
	var all []*inherited
	var errs []error
	for _, s := range sockets {
		i := &inherited{Socket: s}
		if strings.HasPrefix(s.Name, relayName) {
			p, err := newPast(s.File, s.Name)
			_ = s.File.Close()
			switch last := len(all) - 1; {
			case err != nil:
				errs = append(errs, err)
			case last < 0 || all[last].udp == nil || all[last].past != nil:
				errs = append(errs, fmt.Errorf("cannot take over relay %q: it follows no UDP socket", s.Name))
				p.close()
			default:
				all[last].past = p
			}
			continue
		}
		if l, err := net.FileListener(s.File); err == nil {
			tcp, ok := l.(*net.TCPListener)
			if !ok {
				errs = append(errs, fmt.Errorf("cannot take over socket %q: it is %s, not TCP or UDP", s.Name, l.Addr().Network()))
				_ = l.Close()
			}
			i.tcp = tcp
		} else if p, err := net.FilePacketConn(s.File); err == nil {
			udp, ok := p.(*net.UDPConn)
			if !ok {
				errs = append(errs, fmt.Errorf("cannot take over socket %q: it is %s, not TCP or UDP", s.Name, p.LocalAddr().Network()))
				_ = p.Close()
			}
			i.udp = udp
		} else {
			errs = append(errs, fmt.Errorf("cannot take over socket %q: %w", s.Name, err))
		}
		_ = s.File.Close() // the net package works on its own descriptor
		all = append(all, i)
	}
	return all, errors.Join(errs...)
}
