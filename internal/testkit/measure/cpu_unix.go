//go:build unix

package measure

import (
	"syscall"
	"time"
)

// CPU is the processor time that this process has used so far, all threads
// together.
func CPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason to fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
