package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// An address that is remembered is remembered for what it is, and no more.
func TestRememberedAddress(t *testing.T) {
	k := newTestKeys(t, Secrets{Sign: [][]byte{secretA}})
	c := exampleClaims(k)
	text := string(k.Append(nil, &c, "news", "/news"))
	for range 3 {
		if got, err := parse(k, text, "news", "/news", noon); err != nil || got.ID != c.ID || got.KeyID == 0 {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	for _, other := range [][2]string{{"sport", "/news"}, {"news", "/other"}, {"", ""}} {
		if _, err := parse(k, text, other[0], other[1], noon); !errors.Is(err, ErrSignature) {
			t.Errorf("under %q: %v", other, err)
		}
	}
	for i := range TextLen {
		changed := []byte(text)
		if changed[i]++; sextet[changed[i]] == 0x80 {
			changed[i] = 'A'
		}
		if got, err := parse(k, string(changed), "news", "/news", noon); err == nil || got != (Claims{}) {
			t.Fatalf("character %d changed: %+v, %v", i, got, err)
		}
	}
	if got, err := parse(k, text, "news", "/news", time.Unix(c.Expires, 0)); !errors.Is(err, ErrExpired) || got.ID != c.ID {
		t.Errorf("after its end: %+v, %v", got, err)
	}
	if _, err := parse(k, text, "news", "/news", time.Unix(c.Issued, 0).Add(-time.Hour)); !errors.Is(err, ErrNotYet) {
		t.Errorf("before its time: %v", err)
	}
	rotated := newTestKeys(t, Secrets{Sign: [][]byte{secretB}, Hash: secretA})
	if _, err := parse(rotated, text, "news", "/news", noon); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("under other keys: %v", err)
	}
}

// One slot holds one address, until it has not been used for a while.
func TestRememberedAddressKeepsItsSlot(t *testing.T) {
	var v verified
	const now = 1000
	texts := [2]string{}
	for i := range texts {
		texts[i] = fmt.Sprintf("%0*d", TextLen-8, i) + "the same"
	}
	known := func(i int, now int64) bool { return v.get(texts[i], "c", "/p", now) != nil }
	v.put(texts[0], "c", "/p", &Claims{}, now)
	v.put(texts[1], "c", "/p", &Claims{}, now+verifiedIdle)
	if !known(0, now+verifiedIdle) || known(1, now+verifiedIdle) {
		t.Error("an address that is in use lost its slot")
	}
	v.put(texts[1], "c", "/p", &Claims{}, now+2*verifiedIdle)
	if !known(0, now+2*verifiedIdle) {
		t.Error("a use did not keep the slot")
	}
	v.put(texts[1], "c", "/p", &Claims{}, now+3*verifiedIdle+1)
	if known(0, now+3*verifiedIdle+1) || !known(1, now+3*verifiedIdle+1) {
		t.Error("an address that is idle kept its slot")
	}
	v.put(texts[0], "c", "/p", &Claims{}, now) // the clock went back
	if !known(0, now) {
		t.Error("a clock that went back left the slot to one for good")
	}
}

func TestRememberedConcurrently(t *testing.T) {
	k := newTestKeys(t, Secrets{Sign: [][]byte{secretA}})
	var all []string
	for i := range uint64(64) {
		c := exampleClaims(k)
		binary.BigEndian.PutUint64(c.ID[:], i)
		all = append(all, string(k.Append(nil, &c, "news", "/news")))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range 1000 {
				i := n * 7 % len(all)
				if c, err := parse(k, all[i], "news", "/news", noon); err != nil || binary.BigEndian.Uint64(c.ID[:]) != uint64(i) {
					t.Errorf("address %d: %+v, %v", i, c, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
