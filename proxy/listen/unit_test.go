package listen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"manifold/exchange"
	"manifold/internal/testkit/bubble"
)

func TestParsePriority(t *testing.T) {
	none := exchange.Priority{Urgency: 3}
	known := func(u uint8, i bool) exchange.Priority {
		return exchange.Priority{Urgency: u, Incremental: i, Known: true}
	}
	for v, want := range map[string]exchange.Priority{
		"":                        none,
		"u=1":                     known(1, false),
		"u=1, i":                  known(1, true),
		"i":                       known(3, true),
		"i=?1,u=0":                known(0, true),
		"i=?0, u=7":               known(7, false),
		"i, i=?0":                 known(3, false),
		"u=1, u=5":                known(5, false),
		"u=8":                     known(3, false), // out of range: as if not there
		"u=-1, i":                 known(3, true),
		"u=1;x=y, i;z":            known(1, true),
		`x="a, u=2", u=1`:         known(1, false),
		`x="a\", u=2", u=4`:       known(4, false),
		"x=(1 2), u=1":            known(1, false),
		"u=1 ,\ti":                known(1, true),
		"u=1,":                    none,
		",u=1":                    none,
		"u=1,,i":                  none,
		"u=":                      none,
		"=1":                      none,
		"U=1":                     none,
		`x="open, u=1`:            none,
		"u=1, i=true":             known(1, false),
		strings.Repeat("x", 9000): known(3, false),
	} {
		if got := parsePriority(v); got != want {
			t.Errorf("parsePriority(%.40q) = %+v, want %+v", v, got, want)
		}
	}
}

func FuzzParsePriority(f *testing.F) {
	for _, s := range []string{"u=1, i", `x="a\", u=2", u=4`, "i=?0;q, u=7", ",,", `"`, `\`, "u=\"\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := parsePriority(s)
		if p.Urgency > 7 || !p.Known && (p.Urgency != 3 || p.Incremental) {
			t.Fatalf("parsePriority(%q) = %+v", s, p)
		}
	})
}

func TestValidHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:8443": true, "LOCALHOST": true, "a.b-c_d.example": true, "localhost.": true,
		"127.0.0.1": true, "127.0.0.1:0": true, "[::1]": true, "[::1]:443": true, "[2001:db8::1]:65535": true, "[::ffff:1.2.3.4]": true,
		"": false, ":80": false, "a:": false, "a:b": false, "a:65536": false, "a:123456": false, "a:1:2": false, "a:+1": false,
		".": false, ".a": false, "a..b": false, "a b": false, "a,b": false, "a/b": false, "a?b": false, "a#b": false, "u@a": false, "a\\b": false,
		"a%41": false, "é": false, "a\x00": false, "a\tb": false, "::1": false, "[::1": false, "[::1]x": false, "[::1]:": false, "[]": false,
		"[1.2.3.4]": false, "[fe80::1%eth0]": false, "[::1]:http": false, "[v1.x]": false,
		strings.Repeat("a", 255): true, strings.Repeat("a", 262): false,
	} {
		if got := validHost(host); got != want {
			t.Errorf("validHost(%.40q) = %v", host, got)
		}
	}
}

func TestValidValue(t *testing.T) {
	for n := range 40 {
		plain := strings.Repeat("ü~ \t!", 10)[:n]
		if !validValue(plain) {
			t.Errorf("%q refused", plain)
		}
		for i := range n {
			for _, c := range []byte{0, 1, '\n', '\r', 0x1f, 0x7f} {
				bad := plain[:i] + string(rune(c)) + plain[i+1:]
				if validValue(bad) {
					t.Fatalf("%q accepted", bad)
				}
			}
		}
	}
	all := ""
	for c := 0x80; c < 0x100; c++ {
		all += string([]byte{byte(c)})
	}
	if !validValue(all) {
		t.Error("bytes beyond ASCII refused")
	}
}

func TestHeadIndex(t *testing.T) {
	var h head
	raw := "Host: localhost\r\nX-One:  a b \t\r\nx-one: second\r\nEmpty:\r\nConnection: X-One\r\nKeep-Alive: 5\r\nTE: trailers\r\nPriority: u=1\r\nEarly-Data: 1\r\nExpect: 100-continue\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\n"
	if r := h.parse([]byte(raw), 1<<10, 16); r != nil {
		t.Fatal(r.text)
	}
	if h.host != "localhost" || h.priority != "u=1" || !h.earlyData || h.Get("x-ONE") != "a b" || h.Get("empty") != "" || h.Get("missing") != "" {
		t.Errorf("%+v", h)
	}
	for _, hiddenName := range []string{"Host", "Connection", "Keep-Alive", "TE", "Expect", "Upgrade"} {
		if v := h.Get(hiddenName); v != "" {
			t.Errorf("%s: %q", hiddenName, v)
		}
	}
	var all []string
	h.Each(func(name, value string) bool {
		all = append(all, name+"="+value)
		return name != "Priority"
	})
	if got := strings.Join(all, " "); got != "X-One=a b x-one=second Empty= Priority=u=1" {
		t.Errorf("Each: %s", got)
	}
	if r := h.parse([]byte(raw), 1<<10, 5); r != refusedTooLarge {
		t.Errorf("over the fields: %v", r)
	}
	if r := h.parse([]byte(raw), 100, 16); r != refusedTooLarge {
		t.Errorf("over the bytes: %v", r)
	}
}

// FuzzHead: whatever the block, the index stays inside it, and a block that is
// accepted means what net/http's reading of it means.
func FuzzHead(f *testing.F) {
	for _, s := range []string{
		"Host: a\r\n\r\n", "Host: a\r\nX: b\r\n c\r\n\r\n", "A: b\nC: d\r\n\r\n", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"Transfer-Encoding: identity\r\n\r\n", ": x\r\n\r\n", "x\r\n\r\n", "A : b\r\n\r\n", "\r\n", "", "A:b", "A:\t b \t\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\r")) {
			return // fasthttp refuses it before
		}
		var h head
		if h.parse(raw, 1<<14, 64) != nil {
			return
		}
		end := bytes.Index(raw, []byte("\r\n\r\n"))
		if bytes.HasPrefix(raw, []byte("\r\n")) {
			end = 0
		}
		want := http.Header{}
		if end < 0 && len(raw) > 0 {
			t.Fatalf("%q: accepted without its end", raw)
		}
		if end > 0 {
			for _, line := range strings.Split(string(raw[:end]), "\r\n") {
				name, value, ok := strings.Cut(line, ":")
				if !ok {
					t.Fatalf("%q: accepted a line without colon", raw)
				}
				want.Add(name, strings.Trim(value, " \t"))
			}
		}
		h.Each(func(name, value string) bool {
			if first := want.Get(name); h.Get(name) != first {
				t.Fatalf("%q: %s is %q, want %q", raw, name, h.Get(name), first)
			}
			return true
		})
	})
}

func TestOriginForm(t *testing.T) {
	for target, want := range map[string]string{
		"http://a/b?c":       "/b?c",
		"HTTP://A/b":         "/b",
		"https://a":          "/",
		"http://a?x":         "/?x",
		"http://a#x":         "/#x", // refused by the canonicaliser
		"http://a/http://b/": "/http://b/",
		"*":                  "*",
		"ftp://a/":           "ftp://a/",
		"a":                  "a",
	} {
		if got, r := originForm(target, "a"); r != nil || got != want {
			t.Errorf("originForm(%q) = %q, %v", target, got, r)
		}
	}
	for _, target := range []string{"http://b/", "http://a:80/", "http:///", "http://", "http://u@a/"} {
		if got, r := originForm(target, "a"); r != refusedAuthority {
			t.Errorf("originForm(%q) = %q, %v", target, got, r)
		}
	}
}

// FuzzFrames: in pieces of any size, the same frames are seen.
func FuzzFrames(f *testing.F) {
	var seed bytes.Buffer
	fr := http2.NewFramer(&seed, nil)
	_ = fr.WriteSettings(http2.Setting{ID: 1, Val: 2})
	_ = fr.WriteRSTStream(1, http2.ErrCodeCancel)
	_ = fr.WriteData(3, true, []byte("data"))
	_ = fr.WriteData(3, true, nil)
	f.Add(seed.Bytes(), uint8(1), uint8(24))
	f.Add(seed.Bytes()[:20], uint8(7), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, piece, preface uint8) {
		see := func(size int) (events string) {
			s := frames{preface: int(preface)}
			for p := b; len(p) > 0; {
				n := min(size, len(p))
				s.pass(p[:n],
					func() bool { events += fmt.Sprintf("(%v %d", s.kind(), s.length()); return true },
					func() bool { events += fmt.Sprintf(" %d)", s.code); return true })
				p = p[n:]
			}
			return events + fmt.Sprint(s.boundary())
		}
		if whole, pieces := see(len(b)+1), see(int(piece)%64+1); whole != pieces {
			t.Fatalf("%s, in pieces %s", whole, pieces)
		}
	})
}

func TestBucket(t *testing.T) {
	b := newBucket(3, 2, 10)
	for i, want := range []bool{true, true, true, false, false} {
		if got := b.spend(10); got != want {
			t.Fatalf("spend %d = %v", i, got)
		}
	}
	for i, want := range []bool{true, true, false} {
		if got := b.spend(11); got != want {
			t.Errorf("a second later: spend %d = %v", i, got)
		}
	}
	b.earn(100)
	for i := range 3 {
		if !b.spend(11) {
			t.Errorf("token %d of a full bucket", i)
		}
	}
	if b.spend(11) {
		t.Error("more than full")
	}
}

func TestLazyContext(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		type key struct{}
		parent, end := context.WithCancel(context.WithValue(context.Background(), key{}, "value"))
		defer end()
		stopped := 0
		var gone func()
		c := &lazyContext{parent: parent, timeout: time.Minute, watch: func(g func()) func() {
			gone = g
			return func() { stopped++ }
		}}
		if c.Err() != nil || c.Value(key{}) != "value" || gone != nil || !c.finish() {
			t.Fatal("not lazy")
		}
		child, cancel := context.WithCancel(c)
		defer cancel()
		if gone == nil || c.finish() || stopped != 1 {
			t.Fatal("asked for, and not live")
		}
		<-child.Done()
		if !errors.Is(context.Cause(c), errAnswered) || c.Value(key{}) != "value" {
			t.Errorf("ended by %v", context.Cause(c))
		}

		c = &lazyContext{parent: parent, timeout: time.Minute, watch: c.watch}
		<-c.Done() // the bubble's clock runs to the deadline
		if !errors.Is(context.Cause(c), errTooLong) || c.Err() == nil {
			t.Errorf("ended by %v", context.Cause(c))
		}
		c.finish()

		c = &lazyContext{parent: parent, timeout: time.Minute, watch: c.watch}
		c.Done()
		c.handled()
		time.Sleep(2 * time.Minute)
		if c.Err() != nil {
			t.Error("the deadline outlived the handler")
		}
		gone()
		if !errors.Is(context.Cause(c), errPeerGone) {
			t.Errorf("ended by %v", context.Cause(c))
		}
		c.finish()
	})
}
