package access

import (
	"crypto/sha256"
	"strconv"
	"sync"
	"testing"
	"time"
)

func sumOf(i int) [32]byte { return sha256.Sum256([]byte(strconv.Itoa(i))) }

func TestCacheIsBounded(t *testing.T) {
	c := newCache(100)
	if c.size*cacheWays != 128 {
		t.Fatalf("room for %d", c.size*cacheWays)
	}
	for i := range 10_000 {
		sum := sumOf(i)
		g := &Grant{TokenID: strconv.Itoa(i)}
		c.put(&sum, g, 1000+int64(i))
		if c.get(&sum, 1000+int64(i)) != g {
			t.Fatalf("entry %d is not there", i)
		}
	}
	kept := 0
	for i := range 10_000 {
		sum := sumOf(i)
		if g := c.get(&sum, 1000+int64(i)); g != nil {
			kept++
			if g.TokenID != strconv.Itoa(i) {
				t.Fatalf("entry %d is token %s", i, g.TokenID)
			}
		}
	}
	if kept > 128 || kept < 100 {
		t.Errorf("%d entries are kept in room for 128", kept)
	}
}

func TestCacheForgets(t *testing.T) {
	c := newCache(8)
	long, short := sumOf(1), sumOf(2)
	c.put(&long, &Grant{Expires: 5000}, 1000)
	c.put(&short, &Grant{Expires: 1010}, 1000)
	for now, want := range map[int64][2]bool{1000: {true, true}, 1009: {true, true}, 1010: {true, false}, 1059: {true, false}, 1060: {false, false}, 900: {false, false}} {
		if got := c.get(&long, now) != nil; got != want[0] {
			t.Errorf("at %d the long one: %v", now, got)
		}
		if got := c.get(&short, now) != nil; got != want[1] {
			t.Errorf("at %d the short one: %v", now, got)
		}
	}
}

func TestCheckTogether(t *testing.T) {
	cfg := testConfig()
	cfg.Cached = 4
	p := newPolicy(t, cfg)
	var tokens []string
	for i := range 16 {
		g := testGrant()
		g.TokenID = strconv.Itoa(i)
		tokens = append(tokens, sign(t, hs, g))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 400 {
				r := request(tokens[i%16])
				r.Now = noon.Add(time.Duration(i) * 100 * time.Millisecond)
				if g, err := p.Check(r); err != nil || g.TokenID != strconv.Itoa(i%16) {
					t.Errorf("token %d: %+v, %v", i%16, g, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
