package glance

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// MaxSegments bounds the segments of a document.
const MaxSegments = 100_000

// Playlist is an HLS media playlist (RFC 8216, section 4.3.3).
type Playlist struct {
	Line
	Target time.Duration
	// HoldBack is how far from the end to begin, where that is said.
	HoldBack time.Duration
	Ended    bool
	// First is the media sequence number of the first segment, Next the one
	// after the last.
	First, Next uint64
	// Date is when the first segment begins, where that is said.
	Date time.Time

	body []byte
	uris []span // of the segments, where they are kept
	Map  string // of the last segment
}

type span struct{ from, to uint32 }

var errNoPlaylist = errors.New("cannot read the media playlist: it does not begin with #EXTM3U")

// ReadPlaylist reads a media playlist. keep tells to keep the segments'
// addresses, and with them body, which must not change then.
func ReadPlaylist(body []byte, keep bool) (*Playlist, error) {
	rest, ok := bytes.CutPrefix(body, []byte("#EXTM3U"))
	if !ok {
		return nil, errNoPlaylist
	}
	p := &Playlist{}
	if keep {
		p.body = body
	}
	var (
		length  time.Duration
		hasInf  bool
		skipped uint64
		seen    bool
		n       int
		at      time.Duration
	)
	offset := len(body) - len(rest)
	for offset < len(body) {
		end := bytes.IndexByte(body[offset:], '\n')
		next := offset + end + 1
		if end < 0 {
			end, next = len(body)-offset, len(body)
		}
		line := bytes.TrimRight(body[offset:offset+end], "\r \t")
		from := offset
		offset = next
		if len(line) == 0 {
			continue
		}
		if line[0] != '#' {
			if !hasInf {
				continue
			}
			if n++; n > MaxSegments {
				return nil, fmt.Errorf("cannot read the media playlist: more than %d segments", MaxSegments)
			}
			if !seen {
				p.First += skipped
				seen = true
			}
			p.add(Segment{At: at, Each: length, Number: p.First + uint64(n-1)}, 0)
			at += length
			if keep {
				p.uris = append(p.uris, span{uint32(from), uint32(from + len(line))})
			}
			hasInf = false
			continue
		}
		if !bytes.HasPrefix(line, []byte("#EXT")) {
			continue
		}
		colon := bytes.IndexByte(line, ':')
		tag, value := line, []byte(nil)
		if colon >= 0 {
			tag, value = line[:colon], line[colon+1:]
		}
		switch string(tag) {
		case "#EXTINF":
			text, _, _ := bytes.Cut(value, []byte(","))
			length, hasInf = seconds(text)
		case "#EXT-X-TARGETDURATION":
			p.Target, _ = seconds(value)
		case "#EXT-X-MEDIA-SEQUENCE":
			if !seen {
				p.First, _ = integer(value)
			}
		case "#EXT-X-SKIP":
			if v, ok := attribute(value, "SKIPPED-SEGMENTS"); ok {
				skipped, _ = integer(v)
			}
		case "#EXT-X-ENDLIST":
			p.Ended = true
		case "#EXT-X-PLAYLIST-TYPE":
			p.Ended = p.Ended || string(value) == "VOD"
		case "#EXT-X-SERVER-CONTROL":
			if v, ok := attribute(value, "HOLD-BACK"); ok {
				p.HoldBack, _ = seconds(v)
			}
		case "#EXT-X-PROGRAM-DATE-TIME":
			if n == 0 && p.Date.IsZero() {
				p.Date = date(string(value))
			}
		case "#EXT-X-MAP":
			if v, ok := attribute(value, "URI"); ok && keep {
				p.Map = string(v)
			}
		}
	}
	if !seen {
		p.First += skipped
	}
	p.Next = p.First + uint64(n)
	if p.Target <= 0 && n == 0 {
		return nil, errors.New("cannot read the media playlist: neither EXT-X-TARGETDURATION nor a segment")
	}
	return p, nil
}

// URI is the address of a segment as it stands, where addresses were kept.
func (p *Playlist) URI(number uint64) string {
	if i := number - p.First; number >= p.First && i < uint64(len(p.uris)) {
		return string(p.body[p.uris[i].from:p.uris[i].to])
	}
	return ""
}

// attribute finds a value in an attribute list (RFC 8216, section 4.2).
func attribute(list []byte, name string) ([]byte, bool) {
	for len(list) > 0 {
		eq := bytes.IndexByte(list, '=')
		if eq < 0 {
			return nil, false
		}
		key := bytes.TrimSpace(list[:eq])
		list = list[eq+1:]
		var value []byte
		if len(list) > 0 && list[0] == '"' {
			end := bytes.IndexByte(list[1:], '"')
			if end < 0 {
				return nil, false
			}
			value, list = list[1:1+end], list[end+2:]
			if comma := bytes.IndexByte(list, ','); comma >= 0 {
				list = list[comma+1:]
			} else {
				list = nil
			}
		} else if comma := bytes.IndexByte(list, ','); comma >= 0 {
			value, list = list[:comma], list[comma+1:]
		} else {
			value, list = list, nil
		}
		if string(key) == name {
			return value, true
		}
	}
	return nil, false
}
