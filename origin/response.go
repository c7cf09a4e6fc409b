package origin

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"manifold/exchange"
)

// kept are the end-to-end fields that are stored and shown; all others are
// the origin's own affair (Set-Cookie among them: a shared cache gives nobody
// somebody else's). Date and Age are kept as times, lengths as bodies.
var kept = map[string]bool{
	"content-type": true, "content-language": true, "content-disposition": true,
	"etag": true, "last-modified": true, "cache-control": true, "cdn-cache-control": true, "expires": true,
	"cmsd-static": true, "cmsd-dynamic": true,
}

// newEntry makes the entry of a 200 or 203, without a body yet.
func (f *flight) newEntry(r *reply) *entry {
	e := &entry{key: f.key, class: f.target.class, status: r.status, at: r.at, responded: r.answered}
	e.take(f.group, r, r.header)
	if len(r.header["Content-Encoding"]) > 0 {
		// The body is stored decoded, and is no longer the bytes that a strong
		// tag named (RFC 9110, section 8.8.1).
		e.weaken()
	}
	return e
}

// revalidated makes the entry of a 304: the stored fields with those of the
// 304 in their place (RFC 9111, section 3.2), over the same version.
func (f *flight) revalidated(old *entry, r *reply) *entry {
	h := http.Header{}
	for _, field := range old.fields {
		h.Add(field.Name, field.Value)
	}
	if old.originETag != "" {
		h.Set("ETag", old.originETag)
	}
	for name, values := range r.header {
		switch name {
		case "Content-Type", "Content-Encoding", "Content-Length", "Content-Range":
			// The body did not change, and what describes it does not.
		default:
			h[name] = values
		}
	}
	e := &entry{key: f.key, class: old.class, status: old.status, version: old.version, at: r.at, responded: r.answered}
	e.take(f.group, r, h)
	if old.etag != old.originETag {
		e.weaken()
	}
	return e
}

// take reads freshness and fields out of a header.
func (e *entry) take(g *Group, r *reply, h http.Header) {
	cc := storedDirectives(h)
	e.lifetime, e.heuristic = lifetimes(cc, h, r.answered)
	e.age = initialAge(r, h)
	e.swr, e.sie = cc.swr, cc.sie
	e.validate = cc.noCache
	e.honest = cc.noCache || cc.mustRevalidate || cc.proxyRevalidate || cc.sMaxAge != unsaid && g.cfg.Policy.Strict
	e.contentType = h.Get("Content-Type")
	e.etag, e.lastModified = h.Get("ETag"), h.Get("Last-Modified")
	e.originETag = e.etag
	e.cacheControl = strings.Join(h["Cache-Control"], ", ")
	connection := listed(strings.Join(h["Connection"], ","))
	for name, values := range h {
		low := strings.ToLower(name)
		if !kept[low] && !g.keep[low] || slices.Contains(connection, low) || slices.Contains(cc.withhold, low) {
			continue
		}
		for _, v := range values {
			e.fields = append(e.fields, exchange.Field{Name: name, Value: v})
		}
	}
	slices.SortFunc(e.fields, func(a, b exchange.Field) int { return strings.Compare(a.Name, b.Name) })
}

// weaken makes the shown tag a weak one.
func (e *entry) weaken() {
	if e.etag == "" || strings.HasPrefix(e.etag, "W/") {
		return
	}
	e.etag = "W/" + e.etag
	for i := range e.fields {
		if strings.EqualFold(e.fields[i].Name, "ETag") {
			e.fields[i].Value = e.etag
		}
	}
}

// storedDirectives are what this cache obeys: CDN-Cache-Control where there is
// a valid one, else Cache-Control (RFC 9213, section 2.2).
func storedDirectives(h http.Header) directives {
	if lines := h["Cdn-Cache-Control"]; len(lines) > 0 {
		if d, ok := parseTargeted(lines); ok {
			return d
		}
	}
	return parseCacheControl(h["Cache-Control"])
}

// targeted tells whether CDN-Cache-Control is in force, which puts Expires out
// of it.
func targeted(h http.Header) bool {
	lines := h["Cdn-Cache-Control"]
	if len(lines) == 0 {
		return false
	}
	_, ok := parseTargeted(lines)
	return ok
}

const (
	heuristicShare = 10
	heuristicMost  = 24 * time.Hour
)

// lifetimes is the freshness lifetime of RFC 9111, section 4.2.1 (s-maxage,
// max-age, Expires less Date; unsaid where there is none), and the heuristic
// one of section 4.2.2.
func lifetimes(cc directives, h http.Header, answered time.Time) (explicit, heuristic time.Duration) {
	date := answered
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		date = t
	}
	switch expires := h["Expires"]; {
	case cc.sMaxAge != unsaid:
		return cc.sMaxAge, 0
	case cc.maxAge != unsaid:
		return cc.maxAge, 0
	case len(expires) > 0 && !targeted(h):
		// An invalid date, "0" above all, is in the past (section 5.3).
		t, err := http.ParseTime(expires[0])
		if err != nil {
			return 0, 0
		}
		return max(t.Sub(date), 0), 0
	}
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil && t.Before(date) {
		heuristic = min(date.Sub(t)/heuristicShare, heuristicMost)
	}
	return unsaid, heuristic
}

// initialAge is corrected_age_value of RFC 9111, section 4.2.3. Of a list the
// first counts, and what is not a number is no Age (section 5.1).
func initialAge(r *reply, h http.Header) time.Duration {
	delay := max(r.answered.Sub(r.asked), 0)
	value, _, _ := strings.Cut(h.Get("Age"), ",")
	age, _ := deltaSeconds(strings.Trim(value, " \t"))
	return age + delay
}

// shareable tells whether an answer may be kept for others (RFC 9111, section
// 3).
func (f *flight) shareable(h http.Header) bool {
	if f.target.class == Manifest && f.group.cfg.Policy.Override > 0 {
		return true
	}
	cc := storedDirectives(h)
	if cc.private || cc.noStore && !cc.mustUnderstand {
		return false
	}
	// What goes to the origin is the same for all who share a key, so that
	// Vary cannot tell them apart, except by what no request holds (section
	// 4.1).
	for _, line := range h["Vary"] {
		if slices.Contains(strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }), "*") {
			return false
		}
	}
	for _, field := range f.target.fields {
		if strings.EqualFold(field.Name, "Authorization") {
			return cc.public || cc.mustRevalidate || cc.sMaxAge != unsaid // section 3.5
		}
	}
	return true
}

// refused makes the error of an answer that is not a success.
func (f *flight) refused(o *source, r *reply) *Error {
	e := &Error{Reason: ErrStatus, Status: r.status, Origin: o.root.Host}
	switch {
	case r.status == 206, r.status == 304, r.status < 200:
		e.Reason, e.Err = ErrProtocol, fmt.Errorf("status %d was not asked for", r.status)
	case r.status < 300, r.status < 400:
		e.Err = fmt.Errorf("status %d is no answer to this request", r.status)
	}
	if s := r.header.Get("Retry-After"); s != "" {
		if d, ok := deltaSeconds(s); ok {
			e.RetryAfter = d
		} else if t, err := http.ParseTime(s); err == nil {
			e.RetryAfter = max(t.Sub(r.answered), 0)
		}
	}
	return e
}

// errorLife is for how long an error is remembered; 0 is not at all.
func (f *flight) errorLife(e *Error, h http.Header) time.Duration {
	p := &f.group.cfg.Policy
	switch {
	case e.Reason == ErrStatus && (e.Status == 404 || e.Status == 425):
		d := p.NotFound
		if _, live := f.group.liveFolder(f.target.path, f.shield.now()); live {
			d = min(d, time.Second)
		} else if said, _ := lifetimes(storedDirectives(h), h, f.shield.now()); said != unsaid && d >= 0 {
			d = min(said, time.Minute)
		}
		return max(d, 0)
	case e.Reason == ErrStatus && e.Status == 410:
		return max(p.Gone, 0)
	case e.Reason == ErrStatus && (e.Status == 401 || e.Status == 403):
		return 0
	case e.Reason == ErrCancelled || e.Reason == ErrPath || e.Reason == ErrOverload || e.Reason == ErrClosed:
		return 0
	case e.stalls():
		return time.Duration(f.shield.random() * float64(time.Second))
	}
	return time.Second
}

// sniff refuses what is plainly not of its class: by Content-Type, and a web
// page also by its first bytes (an origin that answers 200 with its error
// page is common).
func sniff(class Class, contentType string, head []byte) Reason {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.Trim(media, " \t"))
	page := media == "text/html" || media == "application/xhtml+xml" || isPage(head)
	if class == Segment {
		if page {
			return ErrNotMedia
		}
		return ""
	}
	kind, sub, _ := strings.Cut(media, "/")
	switch {
	case page || len(head) == 0:
		return ErrNotManifest
	case kind == "image" || kind == "font" || media == "application/json" || media == "text/css" || media == "text/javascript":
		return ErrNotManifest
	case (kind == "audio" || kind == "video") && !strings.Contains(sub, "mpegurl") && !strings.Contains(sub, "dash"):
		return ErrNotManifest
	}
	return ""
}

// isPage tells HTML by its beginning.
func isPage(head []byte) bool {
	s := string(head[:min(len(head), 64)])
	s = strings.ToLower(strings.TrimLeft(strings.TrimPrefix(s, "\xef\xbb\xbf"), " \t\r\n"))
	return strings.HasPrefix(s, "<!doctype html") || strings.HasPrefix(s, "<html")
}

// declaredLength is Content-Length of an answer whose body is not encoded.
func declaredLength(r *reply) int64 {
	if len(r.header["Content-Encoding"]) > 0 {
		return -1
	}
	return r.length
}

// contentRange reads "bytes first-last/size" and gives first and size, -1 for
// an unknown size.
func contentRange(s string) (first, size int64, ok bool) {
	s, ok = strings.CutPrefix(s, "bytes ")
	span, total, ok2 := strings.Cut(s, "/")
	from, _, ok3 := strings.Cut(span, "-")
	if !ok || !ok2 || !ok3 {
		return 0, 0, false
	}
	first, err := strconv.ParseInt(from, 10, 64)
	if err != nil || first < 0 {
		return 0, 0, false
	}
	if total == "*" {
		return first, -1, true
	}
	size, err = strconv.ParseInt(total, 10, 64)
	return first, size, err == nil && size >= 0
}
