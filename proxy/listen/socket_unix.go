//go:build unix

package listen

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Duplicate gives a descriptor for the same socket that a child process can
// inherit. (File of net's types would turn the shared socket to blocking.)
func Duplicate(c syscall.Conn, name string) (*os.File, error) {
	rc, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var dup int
	var derr error
	err = rc.Control(func(fd uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if dup, derr = syscall.Dup(int(fd)); derr == nil {
			syscall.CloseOnExec(dup)
		}
	})
	if err = errors.Join(err, derr); err != nil {
		return nil, fmt.Errorf("cannot duplicate socket %s: %w", name, err)
	}
	return os.NewFile(uintptr(dup), name), nil
}

func closeOnExec(fd int) { syscall.CloseOnExec(fd) }

// descriptorLimit is the number of descriptors this process may open.
func descriptorLimit() int {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 1024
	}
	return int(min(uint64(r.Cur), 1<<30))
}
