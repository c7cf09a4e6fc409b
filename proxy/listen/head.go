package listen

import (
	"bytes"
	"encoding/binary"
	"unsafe"

	"manifold/exchange"
)

// head is an index over the field lines of an HTTP/1.1 request as they came
// over the wire. One pass makes it and refuses on the way what RFC 9112 calls
// ambiguous and fasthttp lets through: line folding (section 5.2), bare LF,
// a space in a name (section 5.1), Content-Length beside Transfer-Encoding
// (section 6.1), the transfer coding identity (section 7).
type head struct {
	raw   []byte
	lines []line

	host          string
	contentLength bool
	transfer      bool
	chunked       bool
	earlyData     bool
	priority      string
}

// line is one field: offsets into raw.
type line struct{ name, nameEnd, value, valueEnd uint16 }

var _ exchange.Headers = (*head)(nil)

// Why a head is refused.
var (
	refusedFold     = &refusal{400, "a header field is folded over several lines", true}
	refusedLF       = &refusal{400, "a header line does not end in CR LF", true}
	refusedName     = &refusal{400, "a header field has a malformed name", true}
	refusedTwoSizes = &refusal{400, "the request has both Content-Length and Transfer-Encoding", true}
	refusedCoding   = &refusal{400, "the request has a transfer coding other than chunked", true}
	refusedHosts    = &refusal{400, "the request has more than one Host", true}
	refusedTooLarge = &refusal{431, "the request's header is too large", true}
)

// parse indexes raw, the field lines with their ends of line up to and with
// the empty one. raw must stay as it is while h is used.
func (h *head) parse(raw []byte, maxBytes, maxLines int) *refusal {
	*h = head{raw: raw, lines: h.lines[:0]}
	if len(raw) > maxBytes {
		return refusedTooLarge
	}
	hosts, whole := 0, false
	for at := 0; at < len(raw); {
		n := bytes.IndexByte(raw[at:], '\n')
		if n < 1 || raw[at+n-1] != '\r' {
			return refusedLF
		}
		end := at + n - 1
		if end == at {
			whole = true
			break
		}
		if c := raw[at]; c == ' ' || c == '\t' {
			return refusedFold
		}
		colon := at
		for colon < end && token[raw[colon]] {
			colon++
		}
		if colon == at || colon == end || raw[colon] != ':' {
			return refusedName
		}
		l := line{name: uint16(at), nameEnd: uint16(colon)}
		v, vEnd := colon+1, end
		for v < vEnd && (raw[v] == ' ' || raw[v] == '\t') {
			v++
		}
		for v < vEnd && (raw[vEnd-1] == ' ' || raw[vEnd-1] == '\t') {
			vEnd--
		}
		l.value, l.valueEnd = uint16(v), uint16(vEnd)
		at += n + 1
		if !h.special(l, &hosts) {
			if len(h.lines) == maxLines {
				return refusedTooLarge
			}
			h.lines = append(h.lines, l)
		}
	}
	switch {
	case !whole && len(raw) > 0:
		return refusedLF
	case hosts > 1:
		return refusedHosts
	case h.transfer && h.contentLength:
		return refusedTwoSizes
	case h.transfer && !h.chunked:
		return refusedCoding
	}
	return nil
}

// special notes the fields that are the protocol's own business. It reports
// whether they are kept from the handler.
func (h *head) special(l line, hosts *int) bool {
	name := text(h.raw[l.name:l.nameEnd])
	value := text(h.raw[l.value:l.valueEnd])
	switch len(name) {
	case 2:
		return fold(name, "te")
	case 4:
		if fold(name, "host") {
			*hosts++
			h.host = value
			return true
		}
	case 6:
		return fold(name, "expect")
	case 7:
		return fold(name, "upgrade") || fold(name, "trailer")
	case 8:
		if fold(name, "priority") {
			h.priority = value
		}
	case 10:
		if fold(name, "early-data") {
			h.earlyData = h.earlyData || value == "1"
		}
		return fold(name, "connection") || fold(name, "keep-alive")
	case 14:
		h.contentLength = h.contentLength || fold(name, "content-length")
	case 16:
		return fold(name, "proxy-connection")
	case 17:
		if fold(name, "transfer-encoding") {
			h.chunked = !h.transfer && fold(value, "chunked")
			h.transfer = true
			return true
		}
	}
	return false
}

// Get gives the first value of a field, "" where there is none.
func (h *head) Get(name string) string {
	for _, l := range h.lines {
		if int(l.nameEnd-l.name) == len(name) && fold(text(h.raw[l.name:l.nameEnd]), name) {
			return text(h.raw[l.value:l.valueEnd])
		}
	}
	return ""
}

// Each calls f for every field in the order received.
func (h *head) Each(f func(name, value string) bool) {
	for _, l := range h.lines {
		if !f(text(h.raw[l.name:l.nameEnd]), text(h.raw[l.value:l.valueEnd])) {
			return
		}
	}
}

// fold compares two field names without regard to case, several bytes at a
// time: the bytes of a name, control characters being excluded, are letters in
// two cases where they differ in bit 5 alone (but for "^" and "~", which no
// name that we know has).
func fold(a, b string) bool {
	const bit5 = 0x2020202020202020
	n := len(a)
	switch {
	case n != len(b):
		return false
	case n >= 8:
		for i := 0; i+8 < n; i += 8 {
			if (word(a, i)^word(b, i))&^bit5 != 0 {
				return false
			}
		}
		return (word(a, n-8)^word(b, n-8))&^bit5 == 0
	}
	for i := range n {
		if (a[i]^b[i])&^0x20 != 0 {
			return false
		}
	}
	return true
}

// word is the eight bytes of s from i on.
func word(s string, i int) uint64 {
	return binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s), len(s))[i:])
}

// text is b as a string, without a copy: it is as b is.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// token marks the bytes of a field name (RFC 9110, section 5.6.2).
var token = func() (t [256]bool) {
	for _, c := range "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		t[c] = true
	}
	return t
}()
