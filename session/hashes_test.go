package session

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestScope(t *testing.T) {
	k := newTestKeys(t, Secrets{Sign: [][]byte{secretA}})
	for _, tc := range []struct {
		dir, path, want string
		ok              bool
	}{
		{"", "a/b.m3u8", "", true},
		{"", "b.m3u8", "", true},
		{"a/", "a/b.m3u8", "a/", true},
		{"a", "a/b/c.m3u8", "a/", true},
		{"a/b", "a/b/c.m3u8", "a/b/", true},
		{"a/b", "a/bc/c.m3u8", "", false},
		{"a/b", "a/c.m3u8", "", false},
		{"a/b", "a/b", "", false},
		{"a", "A/b.m3u8", "", false},
		{"a", "b/a/c.m3u8", "", false},
		{"a", "", "", false},
	} {
		s, ok := k.Scope(tc.dir)
		if !ok {
			t.Fatalf("Scope(%q) is not ok", tc.dir)
		}
		dir, ok := k.InScope(s, tc.path)
		if dir != tc.want || ok != tc.ok {
			t.Errorf("scope %q, path %q: got %q, %v, want %q, %v", tc.dir, tc.path, dir, ok, tc.want, tc.ok)
		}
	}
	if _, ok := k.Scope(strings.Repeat("d/", 256)); ok {
		t.Error("256 levels were accepted")
	}
}

func TestBound(t *testing.T) {
	k := newTestKeys(t, Secrets{Sign: [][]byte{secretA}})
	for _, tc := range []struct {
		prefix, addr string
		want         bool
	}{
		{"", "192.0.2.1", true},
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.77/24", "192.0.2.1", true},
		{"192.0.2.0/24", "192.0.3.1", false},
		{"192.0.2.0/24", "::ffff:192.0.2.9", true},
		{"::ffff:192.0.2.0/120", "192.0.2.9", true},
		{"192.0.2.0/24", "2001:db8::1", false},
		{"192.0.2.1/32", "192.0.2.2", false},
		{"0.0.0.0/0", "203.0.113.1", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"2001:db8::/64", "2001:db8::1%eth0", true},
		{"2001:db8::/64", "2001:db8:0:1::1", false},
		{"2001:db8::1/128", "2001:db8::1", true},
		{"::/0", "192.0.2.1", false},
	} {
		var p netip.Prefix
		if tc.prefix != "" {
			p = netip.MustParsePrefix(tc.prefix)
		}
		b := k.Address(p)
		addr := netip.MustParseAddr(tc.addr)
		if got := k.AtAddress(b, addr); got != tc.want {
			t.Errorf("bound to %q, at %s: %v", tc.prefix, addr, got)
		}
		if cut, ok := b.Prefix(addr); tc.want && tc.prefix != "" && (!ok || !cut.Contains(addr.Unmap().WithZone(""))) {
			t.Errorf("bound to %q, at %s: cut to %s", tc.prefix, addr, cut)
		}
	}
	if k.AtAddress(k.Address(netip.MustParsePrefix("192.0.2.0/24")), netip.Addr{}) {
		t.Error("no address was accepted for a bound session")
	}
}

func TestDeriveTellsPlayersApart(t *testing.T) {
	k := newTestKeys(t, Secrets{Sign: [][]byte{secretA}})
	a4, a6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	entries := []Entry{
		{Channel: "news", TokenID: "t1", UserAgent: "x"},
		{Channel: "sport", TokenID: "t1", UserAgent: "x"},
		{Channel: "news", TokenID: "t2", UserAgent: "x"},
		{Channel: "news", TokenID: "t1", UserAgent: "y"},
		{Channel: "news", TokenID: "t1", Player: "x"},
		{Channel: "news", Address: a4, UserAgent: "x"},
		{Channel: "news", Address: a6, UserAgent: "x"},
		{Channel: "news", UserAgent: "x"},
		{Channel: "newst", TokenID: "1", UserAgent: "x"},
	}
	seen := map[ID]int{}
	for i, e := range entries {
		id := k.Derive(e)
		if j, ok := seen[id]; ok {
			t.Errorf("entries %d and %d have one session", i, j)
		}
		seen[id] = i
	}
	same := func(name string, a, b Entry) {
		if k.Derive(a) != k.Derive(b) {
			t.Errorf("%s: two sessions", name)
		}
	}
	same("the address does not count beside a token", Entry{TokenID: "t", Address: a4}, Entry{TokenID: "t", Address: a6})
	same("the user agent does not count beside a CMCD session", Entry{Player: "p", UserAgent: "x"}, Entry{Player: "p", UserAgent: "y"})
	same("host part of an IPv6 address", Entry{Address: a6}, Entry{Address: netip.MustParseAddr("2001:db8::2")})
	same("mapped address", Entry{Address: a4}, Entry{Address: netip.MustParseAddr("::ffff:192.0.2.1")})
}

func TestWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var id ID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "id"))
		now := time.Unix(rapid.Int64Range(1e9, 4e9).Draw(t, "now"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		bucket := time.Duration(rapid.Int64Range(1, 86400).Draw(t, "bucket")) * time.Second
		lifetime := time.Duration(rapid.Int64Range(0, 86400_000).Draw(t, "lifetime")) * time.Millisecond
		issued, expires := Window(id, now, bucket, lifetime, time.Time{})
		if issued > now.Unix() || issued <= now.Unix()-int64(bucket/time.Second) {
			t.Fatalf("issued %d is not in the bucket of %d", issued, now.Unix())
		}
		if end := time.Unix(expires, 0); end.Before(now.Add(lifetime)) || end.After(now.Add(lifetime+bucket+time.Second)) {
			t.Fatalf("expires %s after now, lifetime %s, bucket %s", end.Sub(now), lifetime, bucket)
		}
		// All of the bucket gives the same, the first second after it does not.
		last := time.Unix(issued, 0).Add(bucket)
		if i, e := Window(id, last.Add(-1), bucket, lifetime, time.Time{}); i != issued || e != expires {
			t.Fatalf("just before the border: %d to %d, before %d to %d", i, e, issued, expires)
		}
		if i, _ := Window(id, time.Unix(issued, 0), bucket, lifetime, time.Time{}); i != issued {
			t.Fatal("the bucket does not begin at its border")
		}
		if i, _ := Window(id, last, bucket, lifetime, time.Time{}); i != issued+int64(bucket/time.Second) {
			t.Fatalf("after the border: issued %d", i)
		}
		end := now.Add(lifetime / 2)
		if _, e := Window(id, now, bucket, lifetime, end); e > end.Unix() {
			t.Fatal("the session outlives the grant")
		}
	})
}

func TestReloadGivesIdenticalBytes(t *testing.T) {
	k := newTestKeys(t, Secrets{Sign: [][]byte{secretA}})
	ask := func(now time.Time) string {
		id := k.Derive(Entry{Channel: "news", Address: netip.MustParseAddr("192.0.2.1"), UserAgent: "tv/1"})
		c := Claims{ID: id}
		c.Issued, c.Expires = Window(id, now, 10*time.Minute, 6*time.Hour, time.Time{})
		return string(k.Append(nil, &c, "news", "/news"))
	}
	texts := map[string]int{}
	for s := range 3600 {
		texts[ask(noon.Add(time.Duration(s)*time.Second))]++
	}
	if len(texts) < 6 || len(texts) > 7 {
		t.Errorf("an hour of reloads gave %d texts, not one for each of the 6 or 7 buckets", len(texts))
	}
}
