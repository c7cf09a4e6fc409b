package listen

import (
	"errors"
	"net"
	"syscall"
)

const (
	tcpNotSentLowat = 25 // TCP_NOTSENT_LOWAT, not in package syscall
	soRcvBufForce   = 33 // SO_RCVBUFFORCE
	soSndBufForce   = 32 // SO_SNDBUFFORCE

	// relayType keeps packets apart and tells when the other end is closed.
	relayType = syscall.SOCK_SEQPACKET

	// notSent bounds what of an answer lies unsent in the kernel, so that a
	// manifest need not queue behind megabytes of segment written before it
	// on the same connection (RFC 9218 priorities end where the socket
	// buffer begins).
	notSent = 128 << 10
)

// controlTCP sets what accepted connections inherit from their listener.
func controlTCP(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		// An older kernel without the option only queues more.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, notSent)
	})
}

// growBuffers asks for UDP socket buffers of want bytes and gives what the
// kernel granted for receiving and sending.
func growBuffers(c *net.UDPConn, want int) (receive, send int, err error) {
	rc, err := c.SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	_ = c.SetReadBuffer(want)
	_ = c.SetWriteBuffer(want)
	cerr := rc.Control(func(fd uintptr) {
		get := func(force, option int) int {
			n, e := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, option)
			if e == nil && n/2 < want { // the kernel reports twice what may be used
				_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, force, want)
				n, e = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, option)
			}
			err = errors.Join(err, e)
			return n / 2
		}
		receive = get(soRcvBufForce, syscall.SO_RCVBUF)
		send = get(soSndBufForce, syscall.SO_SNDBUF)
	})
	return receive, send, errors.Join(cerr, err)
}
