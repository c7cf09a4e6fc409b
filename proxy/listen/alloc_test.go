//go:build !race

package listen

import (
	"bufio"
	"net"
	"testing"

	"manifold/exchange"
)

// TestHTTP1Allocations: a whole request over HTTP/1.1, client included,
// allocates nothing.
func TestHTTP1Allocations(t *testing.T) {
	l := run(t, localConfig(t), exchange.HandlerFunc(benchHandler))
	c, err := net.Dial("tcp", addrOf(t, l, Plain))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReaderSize(c, 64<<10)
	request := []byte(benchRequest)
	one := func() {
		if err := askOnce(c, r, request); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		one()
	}
	if n := testing.AllocsPerRun(2000, one); n >= 0.1 { // a pool is emptied now and then
		t.Errorf("%v allocations for one request", n)
	}
}
