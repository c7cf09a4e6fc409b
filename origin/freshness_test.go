package origin

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	date      = "Sun, 01 Mar 2026 12:00:00 GMT"
	inAMinute = "Sun, 01 Mar 2026 12:01:00 GMT"
	anHourAgo = "Sun, 01 Mar 2026 11:00:00 GMT"
	dayAgo    = "Sat, 28 Feb 2026 12:00:00 GMT"
)

func header(lines ...string) http.Header {
	h := http.Header{}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		h.Add(name, value)
	}
	return h
}

// TestLifetime is RFC 9111, section 4.2.1, and RFC 9213.
func TestLifetime(t *testing.T) {
	const none = unsaid
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := time.Second
	tests := []struct {
		name  string
		lines []string
		want  time.Duration
	}{
		{"nothing", nil, none},
		{"max-age", []string{"Cache-Control: max-age=60"}, 60 * s},
		{"any case", []string{"Cache-Control: MaX-aGe=60"}, 60 * s},
		{"quoted", []string{`Cache-Control: max-age="60"`}, 60 * s},
		{"single quotes", []string{"Cache-Control: max-age='60'"}, 0},
		{"leading zeros", []string{"Cache-Control: max-age=0060"}, 60 * s},
		{"letters before", []string{"Cache-Control: max-age=a60"}, 0},
		{"letters after", []string{"Cache-Control: max-age=60a"}, 0},
		{"decimal", []string{"Cache-Control: max-age=60.0"}, 0},
		{"negative", []string{"Cache-Control: max-age=-60"}, 0},
		{"no value", []string{"Cache-Control: max-age"}, 0},
		{"empty value", []string{"Cache-Control: max-age="}, 0},
		{"space before =", []string{"Cache-Control: max-age =60"}, 0},
		{"space after =", []string{"Cache-Control: max-age= 60"}, 0},
		{"2^31", []string{"Cache-Control: max-age=2147483648"}, maxDelta},
		{"beyond 2^31", []string{"Cache-Control: max-age=99999999999999999999999"}, maxDelta},
		{"first of two", []string{"Cache-Control: max-age=60, max-age=1"}, 60 * s},
		{"first of two lines", []string{"Cache-Control: max-age=1", "Cache-Control: max-age=60"}, s},
		{"in a quoted string before", []string{`Cache-Control: ext="max-age=100", max-age=1`}, s},
		{"in a quoted string after", []string{`Cache-Control: max-age=1, ext="max-age=100"`}, s},
		{"escaped quote", []string{`Cache-Control: ext="a\", max-age=100", max-age=1`}, s},
		{"open quote", []string{`Cache-Control: ext="max-age=100, max-age=1`}, none},
		{"extension", []string{"Cache-Control: foobar, max-age=60"}, 60 * s},
		{"commas", []string{"Cache-Control: ,, ,max-age=60,,"}, 60 * s},
		{"s-maxage first", []string{"Cache-Control: max-age=1, s-maxage=60"}, 60 * s},
		{"s-maxage shorter", []string{"Cache-Control: max-age=60", "Cache-Control: s-maxage=1"}, s},
		{"expires", []string{"Date: " + date, "Expires: " + inAMinute}, 60 * s},
		{"expires without date", []string{"Expires: " + inAMinute}, 60 * s},
		{"expires in the past", []string{"Date: " + date, "Expires: " + anHourAgo}, 0},
		{"expires 0", []string{"Expires: 0"}, 0},
		{"expires garbage", []string{"Expires: Thu, 18-Aug-2050 02.01.18"}, 0},
		{"expires twice", []string{"Date: " + date, "Expires: " + inAMinute, "Expires: 0"}, 60 * s},
		{"expires by the origin's clock", []string{"Date: " + anHourAgo, "Expires: " + date}, time.Hour},
		{"max-age over expires", []string{"Cache-Control: max-age=60", "Date: " + date, "Expires: " + anHourAgo}, 60 * s},
		{"max-age 0 over expires", []string{"Cache-Control: max-age=0", "Date: " + date, "Expires: " + inAMinute}, 0},

		{"CDN long over short", []string{"Cache-Control: max-age=1", "CDN-Cache-Control: max-age=60"}, 60 * s},
		{"CDN short over long", []string{"Cache-Control: max-age=60", "CDN-Cache-Control: max-age=1"}, s},
		{"CDN over expires", []string{"CDN-Cache-Control: max-age=60", "Expires: 0"}, 60 * s},
		{"CDN without freshness hides expires", []string{"CDN-Cache-Control: foo", "Expires: " + inAMinute}, none},
		{"CDN in two lines", []string{"CDN-Cache-Control: foo", "CDN-Cache-Control: max-age=60"}, 60 * s},
		{"CDN last of two", []string{"CDN-Cache-Control: max-age=1, max-age=60"}, 60 * s},
		{"CDN with extension", []string{`CDN-Cache-Control: foo="b\"ar";p=1;q, (a b);x, max-age=60`}, none},
		{"CDN with inner list", []string{`CDN-Cache-Control: a=(x "y" 1);z=?0, b=@17, c=:YWJj:, d=1.5, max-age=60;p`}, 60 * s},
		{"CDN invalid", []string{"CDN-Cache-Control: max-age=60, &&&&", "Cache-Control: max-age=5"}, 5 * s},
		{"CDN wrong type", []string{`CDN-Cache-Control: max-age="60"`, "Cache-Control: max-age=5"}, 5 * s},
		{"CDN upper case is no key", []string{"CDN-Cache-Control: MaX-aGe=60", "Cache-Control: max-age=5"}, 5 * s},
		{"CDN space", []string{"CDN-Cache-Control: max-age =60", "Cache-Control: max-age=5"}, 5 * s},
		{"CDN trailing comma", []string{"CDN-Cache-Control: max-age=60,", "Cache-Control: max-age=5"}, 5 * s},
		{"CDN negative", []string{"CDN-Cache-Control: max-age=-60", "Cache-Control: max-age=5"}, 5 * s},
		{"CDN empty", []string{"CDN-Cache-Control: ", "Cache-Control: max-age=5"}, 5 * s},
		{"CDN beyond 2^31", []string{"CDN-Cache-Control: max-age=99999999999"}, maxDelta},
	}
	for _, test := range tests {
		h := header(test.lines...)
		if got, _ := lifetimes(storedDirectives(h), h, at); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// TestHeuristic is RFC 9111, section 4.2.2.
func TestHeuristic(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		lines []string
		want  time.Duration
	}{
		{[]string{"Last-Modified: " + anHourAgo}, 6 * time.Minute},
		{[]string{"Last-Modified: " + dayAgo, "Date: " + date}, 144 * time.Minute},
		{[]string{"Last-Modified: Sun, 01 Mar 2020 12:00:00 GMT"}, 24 * time.Hour},
		{[]string{"Last-Modified: " + inAMinute}, 0},
		{[]string{"Last-Modified: yesterday"}, 0},
		{[]string{"Last-Modified: " + dayAgo, "Cache-Control: max-age=1"}, 0},
		{[]string{"Last-Modified: " + dayAgo, "Expires: 0"}, 0},
	} {
		h := header(test.lines...)
		if _, got := lifetimes(storedDirectives(h), h, at); got != test.want {
			t.Errorf("%v: %v, want %v", test.lines, got, test.want)
		}
	}
}

// TestAge is RFC 9111, sections 4.2.3 and 5.1.
func TestAge(t *testing.T) {
	asked := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		lines []string
		want  time.Duration
	}{
		{nil, 2 * time.Second},
		{[]string{"Age: 10"}, 12 * time.Second},
		{[]string{"Age: 10, 3"}, 12 * time.Second},
		{[]string{"Age: 10", "Age: 3"}, 12 * time.Second},
		{[]string{"Age: abc"}, 2 * time.Second},
		{[]string{"Age: -7"}, 2 * time.Second},
		{[]string{"Age: 7.0"}, 2 * time.Second},
		{[]string{"Age: 99999999999999999999"}, maxDelta + 2*time.Second},
		// Clocks may differ by an hour: nothing depends on it.
		{[]string{"Date: " + anHourAgo}, 2 * time.Second},
	} {
		r := &reply{asked: asked, answered: asked.Add(2 * time.Second)}
		if got := initialAge(r, header(test.lines...)); got != test.want {
			t.Errorf("%v: %v, want %v", test.lines, got, test.want)
		}
	}
	e := &entry{age: 12 * time.Second, responded: asked}
	if got := e.currentAge(asked.Add(5 * time.Second)); got != 17*time.Second {
		t.Errorf("current age is %v, want 17s", got)
	}
	if got := e.currentAge(asked.Add(-time.Hour)); got != 12*time.Second {
		t.Errorf("after the clock went back the age is %v, want 12s", got)
	}
}

// TestStorable says which answers are kept, and what a second request is then.
func TestStorable(t *testing.T) {
	for _, test := range []struct {
		lines  []string
		second State
	}{
		{[]string{"Cache-Control: max-age=60"}, Hit},
		{[]string{"Cache-Control: public, max-age=60, immutable"}, Hit},
		{[]string{"Cache-Control: no-store"}, Passed},
		{[]string{"Cache-Control: max-age=60, nO-StOrE"}, Passed},
		{[]string{"Cache-Control: no-store, must-understand, max-age=60"}, Hit},
		{[]string{"Cache-Control: private, max-age=60"}, Passed},
		{[]string{`Cache-Control: private="set-cookie", max-age=60`}, Hit},
		{[]string{"Cache-Control: no-cache, max-age=60"}, Miss},
		{[]string{`Cache-Control: no-cache="x-a", max-age=60`}, Hit},
		{[]string{"Cache-Control: max-age=0"}, Stale},
		{[]string{"Cache-Control: max-age=0, must-revalidate"}, Miss},
		{[]string{"Cache-Control: s-maxage=0, proxy-revalidate"}, Miss},
		{[]string{"Cache-Control: max-age=60", "Age: 61"}, Miss}, // a second older than a new one's stale time
		{[]string{"Cache-Control: max-age=60", "Vary: *"}, Passed},
		{[]string{"Cache-Control: max-age=60", "Vary: Accept, *"}, Passed},
		{[]string{"Cache-Control: max-age=60", "Vary: Accept-Encoding, Origin, Cookie"}, Hit},
		{[]string{"Cache-Control: max-age=60", "Set-Cookie: a=b"}, Hit},
		{[]string{"Cache-Control: no-store", "CDN-Cache-Control: max-age=60"}, Hit},
		{[]string{"Cache-Control: max-age=60", "CDN-Cache-Control: no-store"}, Passed},
		{[]string{"Cache-Control: max-age=60", "CDN-Cache-Control: private"}, Passed},
		{[]string{"Cache-Control: max-age=60", "CDN-Cache-Control: no-cache"}, Miss},
		{[]string{"Expires: " + inAMinute}, Hit},
		{[]string{"Expires: 0"}, Stale},
		{nil, Hit}, // 1 s for a manifest that nobody looked into yet
	} {
		o := newScript(t, says(playlist, append([]string{"Date: " + date}, test.lines...)...))
		r := newRig(t, Config{LibraryBytes: -1})
		g := r.group(nil, o.URL)
		if res := r.must(g, Manifest, "m.m3u8"); res.state != Miss && res.state != Passed {
			t.Errorf("%v: first is %v", test.lines, res.state)
		}
		if res := r.must(g, Manifest, "m.m3u8"); res.state != test.second {
			t.Errorf("%v: second is %v, want %v", test.lines, res.state, test.second)
		}
		r.settled()
	}
}

func TestFieldsShown(t *testing.T) {
	o := newScript(t, says("media", "Content-Type: video/mp4", `ETag: "1"`, "Cache-Control: max-age=60, no-cache=\"x-hidden\"",
		"Set-Cookie: a=b", "Server: nginx", "X-Kept: yes", "X-Hidden: 1", "X-Other: 2", "X-Hop: 3", "Connection: x-hop", "Age: 7"))
	r := newRig(t, Config{})
	g := r.group(func(c *GroupConfig) { c.Keep = []string{"X-Kept", "x-hidden", "X-Hop"} }, o.URL)
	a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Segment, Path: "s.m4s"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	var names []string
	for _, f := range a.Fields() {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "Cache-Control Content-Type Etag X-Kept" {
		t.Errorf("fields: %s", got)
	}
	if a.Age() != 7*time.Second || a.ContentType() != "video/mp4" || a.ETag() != `"1"` || a.Size() != 5 {
		t.Errorf("age %v type %q tag %q size %d", a.Age(), a.ContentType(), a.ETag(), a.Size())
	}
}

// TestFreshFor is the freshness of what has none of its own, or too much.
func TestFreshFor(t *testing.T) {
	s := time.Second
	liveFacts := &Facts{Live: true, Window: time.Minute, Target: 6 * s}
	vod := &Facts{Window: time.Hour, Target: 6 * s}
	for _, test := range []struct {
		name      string
		class     Class
		lifetime  time.Duration
		heuristic time.Duration
		facts     *Facts
		policy    Policy
		want      time.Duration
	}{
		{"manifest before it was looked into", Manifest, unsaid, time.Hour, nil, Policy{}, s},
		{"live manifest", Manifest, unsaid, time.Hour, liveFacts, Policy{}, 3 * s},
		{"live manifest without a target", Manifest, unsaid, 0, &Facts{Live: true}, Policy{}, s},
		{"live manifest with its own", Manifest, 2 * s, 0, liveFacts, Policy{}, 2 * s},
		{"live manifest with too much", Manifest, time.Hour, 0, liveFacts, Policy{}, 6 * s},
		{"live manifest with a bound", Manifest, time.Hour, 0, liveFacts, Policy{LiveMax: 10 * s}, 10 * s},
		{"VOD manifest", Manifest, unsaid, 0, vod, Policy{}, time.Minute},
		{"VOD manifest, old", Manifest, unsaid, time.Hour, vod, Policy{}, time.Hour},
		{"override", Manifest, 0, 0, liveFacts, Policy{Override: 2 * s}, 2 * s},
		{"override is for manifests", Segment, 7 * s, 0, nil, Policy{Override: 2 * s}, 7 * s},
		{"segment", Segment, unsaid, 0, nil, Policy{}, time.Minute},
		{"segment of a live window", Segment, unsaid, 0, liveFacts, Policy{}, 78 * s},
	} {
		p := test.policy.withDefaults()
		e := &entry{class: test.class, version: &version{body: wholeBody(nil)}, lifetime: test.lifetime, heuristic: test.heuristic}
		e.version.facts.Store(test.facts)
		if got := e.freshFor(&p); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
