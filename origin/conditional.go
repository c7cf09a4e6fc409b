package origin

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// condition applies the request's preconditions and range to the entry, in the
// order of RFC 9110, section 13.2.2.
func (a *Answer) condition(req *Request) error {
	e := a.entry
	switch {
	case req.IfNoneMatch != "":
		if e.etag != "" && matches(req.IfNoneMatch, e.etag) || strings.TrimSpace(req.IfNoneMatch) == "*" {
			a.status = 304
			return nil
		}
	case req.IfModifiedSince != "":
		since, err1 := http.ParseTime(req.IfModifiedSince)
		modified, err2 := http.ParseTime(e.lastModified)
		if err1 == nil && err2 == nil && !modified.After(since) {
			a.status = 304
			return nil
		}
	}
	if req.Range == "" || req.IfRange != "" && !e.isStill(req.IfRange) {
		return nil
	}
	return a.cut(req.Range)
}

// matches tells whether a tag is in a list of tags, by weak comparison.
func matches(list, tag string) bool {
	for list != "" {
		list = strings.TrimLeft(list, " \t,")
		start := strings.IndexByte(list, '"')
		if start < 0 {
			return false
		}
		end := strings.IndexByte(list[start+1:], '"')
		if end < 0 {
			return false
		}
		end += start + 2
		if weakEqual(list[:end], tag) {
			return true
		}
		list = list[end:]
	}
	return false
}

// isStill tells whether the validator of an If-Range is the entry's, by strong
// comparison (RFC 9110, section 13.1.5).
func (e *entry) isStill(validator string) bool {
	if strings.HasPrefix(validator, `"`) {
		return validator == e.etag
	}
	if strings.HasPrefix(validator, "W/") {
		return false
	}
	at, err := http.ParseTime(validator)
	modified, err2 := http.ParseTime(e.lastModified)
	// A date is strong only where the answer was made a minute later (section
	// 8.8.2.2).
	return err == nil && err2 == nil && at.Equal(modified) && e.responded.Sub(modified) >= time.Minute
}

// cut makes the answer a 206 of one range. What is not a single byte range is
// passed over, and the whole is answered (RFC 9110, section 14.2); so is an
// open range of a body whose length is not known yet.
func (a *Answer) cut(header string) error {
	unit, spec, ok := strings.Cut(header, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(unit), "bytes") || strings.Contains(spec, ",") {
		return nil
	}
	from, to, ok := strings.Cut(strings.Trim(spec, " \t"), "-")
	if !ok {
		return nil
	}
	first, last := int64(-1), int64(-1)
	if from != "" {
		if first, ok = position(from); !ok {
			return nil
		}
	}
	if to != "" {
		if last, ok = position(to); !ok || from != "" && last < first {
			return nil
		}
	}
	if from == "" && to == "" {
		return nil
	}
	b := a.entry.version.body
	size := b.length()
	if size < 0 && from != "" && to != "" {
		// A part of a segment that is still being made: it is there soon.
		if err := b.wait(a.ctx, last); err != nil {
			return err
		}
		size = b.length()
		if size < 0 {
			a.status, a.first, a.last = 206, first, last+1
			return nil
		}
	}
	switch {
	case size < 0:
		return nil
	case from == "" && last == 0, from != "" && first >= size:
		a.status, a.first, a.last = 416, 0, 0
		return nil
	case from == "":
		first, last = max(size-last, 0), size-1
	case to == "" || last >= size:
		last = size - 1
	}
	if last < first { // an empty body
		a.status, a.first, a.last = 416, 0, 0
		return nil
	}
	a.status, a.first, a.last = 206, first, last+1
	return nil
}

// position reads a byte position; one beyond all bodies is the last there can
// be.
func position(s string) (int64, bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	if len(s) > 18 {
		return 1 << 60, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// AppendContentRange appends the value of Content-Range for a 206 or 416.
func (a *Answer) AppendContentRange(dst []byte) []byte {
	dst = append(dst, "bytes "...)
	if a.status == 416 {
		dst = append(dst, '*')
	} else {
		dst = strconv.AppendInt(dst, a.first, 10)
		dst = append(dst, '-')
		dst = strconv.AppendInt(dst, a.last-1, 10)
	}
	dst = append(dst, '/')
	if size := a.entry.version.body.length(); size >= 0 {
		return strconv.AppendInt(dst, size, 10)
	}
	return append(dst, '*')
}
