package origin

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"manifold/exchange"
)

var cacheControls = []string{
	"max-age=60", "max-age=0, no-cache, no-store", "public, max-age=31536000, immutable", `private="set-cookie", max-age=3`,
	`ext="a\", max-age=100", max-age=1`, "s-maxage=2, stale-while-revalidate=10, stale-if-error=86400", "max-age =60", `max-age="`,
	"no-cache=\"", "=,=;\"", "max-age=99999999999999999999", `foo="b\"ar";p=1;q, max-age=60`, `a=(x "y" 1);z=?0, b=@17, c=:YWJj:, d=1.5`,
	"max-age=60;p=(", "a=-1.5, b=1.2345", "\x00", "é",
}

// FuzzCacheControl: no line breaks the parsers; lifetimes are never negative
// nor beyond 2^31 s, and no-store is never missed where it stands alone.
func FuzzCacheControl(f *testing.F) {
	for _, s := range cacheControls {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		check := func(d directives) {
			for _, v := range []time.Duration{d.maxAge, d.sMaxAge, d.swr, d.sie} {
				if v != unsaid && (v < 0 || v > maxDelta) {
					t.Errorf("%q: %v", s, v)
				}
			}
		}
		check(parseCacheControl([]string{s}))
		d, _ := parseTargeted([]string{s})
		check(d)
		both := parseCacheControl([]string{s, "no-store"})
		if !both.noStore {
			t.Errorf("%q hides the next line", s)
		}
	})
}

// FuzzResponseHeader: whatever an origin's fields hold, an entry comes of it
// whose numbers make sense.
func FuzzResponseHeader(f *testing.F) {
	f.Add("max-age=60", "max-age=5", date, inAMinute, "7", anHourAgo, `"v1"`, "bytes 8-19/20")
	f.Add("", "", "garbage", "0", "-1", "", `W/"`, "bytes */20")
	f.Add("s-maxage=2147483649", "a", "", "", "99999999999999999999", dayAgo, "", "bytes 1-/")
	policy := Policy{}.withDefaults()
	f.Fuzz(func(t *testing.T, cc, cdn, dateField, expires, age, modified, etag, cr string) {
		h := http.Header{}
		for name, v := range map[string]string{"Cache-Control": cc, "Cdn-Cache-Control": cdn, "Date": dateField, "Expires": expires,
			"Age": age, "Last-Modified": modified, "Etag": etag} {
			if v != "" {
				h.Set(name, v)
			}
		}
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		e := &entry{class: Segment, responded: now}
		e.take(&Group{}, &reply{asked: now, answered: now}, h)
		e.weaken()
		if e.lifetime != unsaid && e.lifetime < 0 || e.heuristic < 0 || e.heuristic > heuristicMost || e.age < 0 {
			t.Errorf("lifetime %v, heuristic %v, age %v", e.lifetime, e.heuristic, e.age)
		}
		e.version = &version{body: wholeBody(nil)}
		v, ttl := e.judge(now, &policy)
		if v == fresh && ttl <= 0 {
			t.Errorf("fresh for %v", ttl)
		}
		if e.keepUntil(&policy).Before(now.Add(-maxDelta)) {
			t.Errorf("kept until %v", e.keepUntil(&policy))
		}
		if first, size, ok := contentRange(cr); ok && (first < 0 || size < -1) {
			t.Errorf("%q: %d %d", cr, first, size)
		}
	})
}

// FuzzRange: an answer's range is always within the body.
func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-3", "bytes=-3", "bytes=5-", "bytes=0-0,2-3", "bytes=9-1", "bytes=-0", "bytes=99999999999999999999-"} {
		f.Add(s, `"v1"`, date, `W/"a", "v1"`, 10)
	}
	f.Fuzz(func(t *testing.T, rng, ifRange, inm, ims string, size int) {
		size &= 0xff
		a := &Answer{entry: &entry{status: 200, etag: `"v1"`, lastModified: anHourAgo, version: &version{body: wholeBody(make([]byte, size))}}, ctx: t.Context()}
		if _, err := a.give(a.entry, Hit, time.Time{}, &Request{Range: rng, IfRange: ifRange, IfNoneMatch: inm, IfModifiedSince: ims}); err != nil {
			t.Fatal(err)
		}
		b, err := a.Bytes()
		if err != nil || int64(len(b)) != a.Size() {
			t.Fatalf("%q of %d: %d bytes, size %d, %v", rng, size, len(b), a.Size(), err)
		}
		if a.Status() == 206 && len(b) == 0 {
			t.Errorf("%q of %d is an empty 206", rng, size)
		}
	})
}

// FuzzPath: what passes the check stays below the root, whoever decodes it
// how often, and is one key.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"a/b.m3u8", "../x", "%2e%2e/x", "a%2f..", "a//b", "%25252e", "..;/x", "~s/x", "a\\b", "%", "a%00"} {
		f.Add(s, "a=1&b=2")
	}
	root, _ := url.Parse("http://origin.example/root/")
	f.Fuzz(func(t *testing.T, p, query string) {
		if !checkPath(p) {
			return
		}
		tg := target{path: p, query: string(appendQuery(nil, []string{"a", "b"}, query))}
		u, err := tg.below(root)
		if err != nil {
			return
		}
		if u.Host != root.Host || !strings.HasPrefix(path.Clean(u.Path)+"/", "/root/") {
			t.Errorf("%q leads to %s", p, u)
		}
		if req := u.RequestURI(); strings.ContainsAny(req, " \r\n\t\x00#") {
			t.Errorf("%q %q makes the target %q", p, query, req)
		}
		dec, err := url.PathUnescape(p)
		if err == nil {
			if again := string(exchange.AppendEscaped(nil, dec)); !checkPath(again) {
				t.Errorf("%q is canonical, %q is not", p, again)
			}
		}
	})
}
