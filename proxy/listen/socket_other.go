//go:build unix && !linux

package listen

import (
	"errors"
	"net"
	"syscall"
)

// relayType keeps packets apart. Not every system has SOCK_SEQPACKET.
const relayType = syscall.SOCK_DGRAM

func controlTCP(_, _ string, _ syscall.RawConn) error { return nil }

// growBuffers asks for UDP socket buffers of want bytes and gives what the
// kernel granted for receiving and sending.
func growBuffers(c *net.UDPConn, want int) (receive, send int, err error) {
	rc, err := c.SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	_ = c.SetReadBuffer(want)
	_ = c.SetWriteBuffer(want)
	var rerr, serr error
	err = rc.Control(func(fd uintptr) {
		receive, rerr = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF)
		send, serr = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF)
	})
	return receive, send, errors.Join(err, rerr, serr)
}
