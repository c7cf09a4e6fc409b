package ingest

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"manifold/exchange"
)

// precondition evaluates the conditions of a request against the current
// object in the order of RFC 9110, section 13.2.2, and gives the status that
// answers it, or 0 where the method is to be performed. etag is empty where
// there is no object.
func precondition(h exchange.Headers, etag string, modified time.Time, reading bool) int {
	if match := h.Get("If-Match"); match != "" {
		if etag == "" || !matches(match, etag, false) {
			return http.StatusPreconditionFailed
		}
	} else if since, ok := httpDate(h.Get("If-Unmodified-Since")); ok {
		if etag == "" || modified.Truncate(time.Second).After(since) {
			return http.StatusPreconditionFailed
		}
	}
	if none := h.Get("If-None-Match"); none != "" {
		if etag != "" && matches(none, etag, true) {
			if reading {
				return http.StatusNotModified
			}
			return http.StatusPreconditionFailed
		}
	} else if since, ok := httpDate(h.Get("If-Modified-Since")); ok && reading {
		if !modified.Truncate(time.Second).After(since) {
			return http.StatusNotModified
		}
	}
	return 0
}

// matches looks for etag in a list of entity tags; weakly where weak tags
// count as equal (RFC 9110, section 8.8.3.2).
func matches(list, etag string, weakly bool) bool {
	if strings.TrimSpace(list) == "*" {
		return true
	}
	for rest := list; rest != ""; {
		rest = strings.TrimLeft(rest, " \t,")
		weak := strings.HasPrefix(rest, "W/")
		tag := strings.TrimPrefix(rest, "W/")
		if tag == "" || tag[0] != '"' {
			return false
		}
		end := strings.IndexByte(tag[1:], '"')
		if end < 0 {
			return false
		}
		if tag[:end+2] == etag && (weakly || !weak) {
			return true
		}
		rest = tag[end+2:]
	}
	return false
}

func httpDate(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, false
	}
	t, err := http.ParseTime(s)
	return t, err == nil
}

// rangeApplies tells whether a Range field is there and its If-Range holds
// (RFC 9110, section 13.1.5).
func rangeApplies(h exchange.Headers, etag string, modified time.Time) bool {
	if h.Get("Range") == "" {
		return false
	}
	cond := h.Get("If-Range")
	if cond == "" || cond == etag {
		return true
	}
	t, ok := httpDate(cond)
	return ok && t.Equal(modified.Truncate(time.Second))
}

type byteRange struct{ from, size int64 }

type rangeState uint8

const (
	rangeIgnored rangeState = iota // malformed, another unit, or several ranges: the whole is sent
	rangeSatisfiable
	rangeUnsatisfiable
)

// parseRange reads a single byte range (RFC 9110, section 14.1.2).
func parseRange(field string, size int64) (byteRange, rangeState) {
	unit, spec, ok := strings.Cut(field, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		return byteRange{}, rangeIgnored
	}
	first, last, ok := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || strings.Contains(spec, ",") {
		return byteRange{}, rangeIgnored
	}
	if first == "" {
		n, ok := digits(last)
		switch {
		case !ok:
			return byteRange{}, rangeIgnored
		case n == 0 || size == 0:
			return byteRange{}, rangeUnsatisfiable
		}
		n = min(n, size)
		return byteRange{size - n, n}, rangeSatisfiable
	}
	from, ok := digits(first)
	if !ok {
		return byteRange{}, rangeIgnored
	}
	to := size - 1
	if last != "" {
		end, ok := digits(last)
		if !ok || end < from {
			return byteRange{}, rangeIgnored
		}
		to = min(to, end)
	}
	if from >= size {
		return byteRange{}, rangeUnsatisfiable
	}
	return byteRange{from, to - from + 1}, rangeSatisfiable
}

// digits reads a number; one beyond int64 counts as the largest.
func digits(s string) (int64, bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	if s == "" {
		return 0, false
	}
	n, _ := strconv.ParseInt(s, 10, 64) // MaxInt64 where out of range
	return n, true
}
