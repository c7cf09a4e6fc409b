package read

import (
	"bytes"
)

// Kind is what a document is, by its first bytes: neither its name nor its
// Content-Type says so.
type Kind string

// The kinds of documents.
const (
	Multivariant Kind = "HLS multivariant playlist"
	MediaList    Kind = "HLS media playlist"
	MPDDocument  Kind = "DASH MPD"
	HTML         Kind = "an HTML page"
	JSON         Kind = "JSON"
	OtherXML     Kind = "XML that is no MPD"
	Empty        Kind = "nothing"
	Unknown      Kind = "bytes of another kind"
)

// Sniff tells what a document is.
func Sniff(body []byte) Kind {
	b := bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	b = bytes.TrimLeft(b, " \t\r\n")
	head := b[:min(len(b), 4096)]
	lower := bytes.ToLower(head)
	switch {
	case len(b) == 0:
		return Empty
	case bytes.HasPrefix(b, []byte("#EXT")):
		return kindOfPlaylist(b)
	case bytes.HasPrefix(lower, []byte("<!doctype html")), bytes.HasPrefix(lower, []byte("<html")):
		return HTML
	case bytes.HasPrefix(b, []byte("<")):
		return kindOfXML(head)
	case bytes.HasPrefix(b, []byte("{")), bytes.HasPrefix(b, []byte("[")):
		return JSON
	}
	return Unknown
}

// kindOfPlaylist decides by the first tag that only one kind has.
func kindOfPlaylist(b []byte) Kind {
	for len(b) > 0 {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		b = rest
		switch tag, _, _ := bytes.Cut(bytes.TrimRight(line, "\r"), []byte(":")); string(tag) {
		case "#EXT-X-STREAM-INF", "#EXT-X-MEDIA", "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-CONTENT-STEERING", "#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY", "#EXT-X-IMAGE-STREAM-INF":
			return Multivariant
		case "#EXTINF", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-PART", "#EXT-X-ENDLIST":
			return MediaList
		}
	}
	return MediaList
}

func kindOfXML(head []byte) Kind {
	for {
		i := bytes.IndexByte(head, '<')
		if i < 0 || i+1 >= len(head) {
			return OtherXML
		}
		head = head[i+1:]
		switch {
		case head[0] == '?' || head[0] == '!':
			continue
		}
		name := head
		if end := bytes.IndexAny(head, " \t\r\n/>"); end >= 0 {
			name = head[:end]
		}
		if _, local, ok := bytes.Cut(name, []byte(":")); ok {
			name = local
		}
		switch {
		case string(name) == "MPD":
			return MPDDocument
		case bytes.EqualFold(name, []byte("html")):
			return HTML
		}
		return OtherXML
	}
}
