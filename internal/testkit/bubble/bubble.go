package bubble

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
)

// lone counts the bubbles that need one processor, and keeps the number that
// comes back with the last of them.
var lone struct {
	sync.Mutex
	bubbles, processors int
}

// Test is synctest.Test. Under the race detector the whole process runs on
// one processor until f has returned.
func Test(t *testing.T, f func(*testing.T)) {
	t.Helper()
	if raceDetector {
		enter()
		defer leave()
	}
	synctest.Test(t, f)
}

// Wait is synctest.Wait.
func Wait() { synctest.Wait() }

func enter() {
	lone.Lock()
	defer lone.Unlock()
	if lone.bubbles == 0 {
		lone.processors = runtime.GOMAXPROCS(1)
	}
	lone.bubbles++
}

func leave() {
	lone.Lock()
	defer lone.Unlock()
	lone.bubbles--
	if lone.bubbles == 0 {
		runtime.GOMAXPROCS(lone.processors)
	}
}
