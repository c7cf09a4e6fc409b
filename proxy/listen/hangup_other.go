//go:build unix && !linux

package listen

import (
	"errors"
	"syscall"
)

// hangups sees nothing on systems without EPOLLRDHUP: an exchange whose client
// left ends by its deadline, or when the next write fails.
type hangups struct{}

func (*hangups) watch(syscall.Conn, func()) (stop func(), err error) {
	return nil, errors.ErrUnsupported
}

func (*hangups) close() {}
