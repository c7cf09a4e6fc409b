package hls

import (
	"bytes"
	"math"
	"strconv"

	"manifold/manifest"
)

// is settles what kind of playlist this is; a tag of the other kind makes it
// one that clients must not parse (section 4.1).
func (c *compiler) is(kind manifest.Kind, what string) error {
	if kind == 0 || kind == c.kind {
		return nil
	}
	if c.kind == 0 {
		c.kind = kind
		if kind == manifest.HLSMultivariant {
			return c.strays()
		}
		return nil
	}
	if kind == manifest.HLSMedia {
		return c.fail(ErrSyntax, c.from, what+" in a multivariant playlist")
	}
	return c.fail(ErrSyntax, c.from, what+" in a media playlist")
}

// strays takes the URI lines that came before it was known that the playlist
// is a multivariant one: they are no segments.
func (c *compiler) strays() error {
	for _, s := range c.t.segments {
		m := c.t.marks[s.mark]
		end := bytes.IndexByte(c.src[m.to:], '\n') // a line follows
		if err := c.stray(m.from, m.to, m.to+uint32(end)+1); err != nil {
			return err
		}
	}
	c.t.marks, c.t.segments = nil, nil
	return nil
}

// stray takes a URI line that belongs to no variant.
func (c *compiler) stray(from, to, stop uint32) error {
	return c.addEntry(entry{tag: tagNone, at: from, end: from, list: from, uri: from, uriEnd: to, stop: stop})
}

// tagLine takes a known tag whose value begins at attrs.
func (c *compiler) tagLine(tg tag, attrs int) error {
	info := &tags[tg]
	if err := c.is(info.kind, info.name); err != nil {
		return err
	}
	if info.segment && c.inHead {
		c.inHead = false
		c.block = c.at
	}
	switch tg {
	case tagInf:
		c.duration = seconds(c.src[attrs:c.to])
	case tagVersion:
		if len(c.t.entries)+len(c.t.segments) == 0 {
			c.t.top = c.next
		}
	case tagTargetDuration:
		c.t.index.Target = seconds(c.src[attrs:c.to])
	case tagMediaSequence:
		c.t.index.MediaSequence, _ = strconv.ParseUint(string(bytes.TrimSpace(c.src[attrs:c.to])), 10, 64)
	case tagDiscontinuitySequence:
		c.t.index.DiscontinuitySequence, _ = strconv.ParseUint(string(bytes.TrimSpace(c.src[attrs:c.to])), 10, 64)
	case tagEndList:
		c.t.ended = true
	case tagDiscontinuity:
		c.flags |= discontinuity
	case tagGap:
		c.flags |= gap
	case tagProgramDateTime:
		c.flags |= dated
	case tagCueOut, tagCueOutCont, tagCueIn, tagCue, tagSCTE35, tagOATCLS, tagSplicePoint:
		c.cue(tg)
	case tagDateRange:
		c.cue(tg)
		return c.mediaTag(tg, attrs)
	case tagSkip:
		return c.attributes(tg, attrs, func(a *attribute) error {
			if a.named(c.src, "SKIPPED-SEGMENTS") {
				c.t.skipped, _ = strconv.ParseUint(string(a.value(c.src)), 10, 64)
			}
			return nil
		})
	case tagDefine:
		return c.define(attrs)
	case tagServerControl:
		return c.serverControl(attrs)
	case tagPart:
		c.parts++
		if err := c.countSegments(); err != nil {
			return err
		}
		return c.mediaTag(tg, attrs)
	case tagPrefetch:
		if attrs < c.to {
			c.t.marks = append(c.t.marks, mark{from: uint32(attrs), to: uint32(c.to), tag: tg})
			return c.variables(attrs, c.to)
		}
	case tagKey, tagMap, tagPreloadHint, tagRenditionReport:
		return c.mediaTag(tg, attrs)
	case tagMedia, tagStreamInf, tagIFrameStreamInf, tagImageStreamInf, tagSessionData, tagSessionKey, tagContentSteering:
		c.t.steered = c.t.steered || tg == tagContentSteering
		return c.entryTag(tg, attrs)
	}
	return nil
}

// mediaTag marks the URIs of a tag of a media playlist.
func (c *compiler) mediaTag(tg tag, attrs int) error {
	found, none := false, false
	err := c.attributes(tg, attrs, func(a *attribute) error {
		switch {
		case a.named(c.src, "URI") && tg != tagDateRange:
		case tg == tagDateRange && (a.named(c.src, "X-ASSET-URI") || a.named(c.src, "X-ASSET-LIST")):
		case tg == tagKey && a.named(c.src, "METHOD"):
			none = string(a.value(c.src)) == "NONE"
			return nil
		default:
			return nil
		}
		if !a.valid || a.val == a.valEnd {
			return nil
		}
		found = true
		c.t.marks = append(c.t.marks, mark{a.val, a.valEnd, tg, !a.quoted})
		return c.variables(int(a.val), int(a.valEnd))
	})
	if err != nil {
		return err
	}
	if !found && (tags[tg].required || tg == tagKey && !none) {
		return c.fail(ErrSyntax, c.from, tags[tg].name+" without URI")
	}
	return nil
}

// entryTag takes a tag of a multivariant playlist.
func (c *compiler) entryTag(tg tag, attrs int) error {
	if c.waiting >= 0 {
		return c.noVariantURI()
	}
	e := entry{tag: tg, at: uint32(c.from), end: uint32(c.to), list: uint32(attrs), stop: uint32(c.next)}
	err := c.attributes(tg, attrs, func(a *attribute) error {
		if tags[tg].uri == "" || !a.valid || a.val == a.valEnd || !a.named(c.src, tags[tg].uri) {
			return nil
		}
		if e.uriEnd != 0 {
			return c.fail(ErrSyntax, int(a.at), tags[tg].name+" with two "+tags[tg].uri)
		}
		e.uri, e.uriEnd = a.val, a.valEnd
		return c.variables(int(a.val), int(a.valEnd))
	})
	if err != nil {
		return err
	}
	if e.uriEnd == 0 && tags[tg].required {
		return c.fail(ErrSyntax, c.from, tags[tg].name+" without "+tags[tg].uri)
	}
	if tg == tagStreamInf {
		c.waiting = len(c.t.entries)
		c.t.index.Variants++
	}
	return c.addEntry(e)
}

func (c *compiler) addEntry(e entry) error {
	if len(c.t.entries) >= MaxEntries {
		return c.fail(ErrBounds, c.from, "more than 10,000 variants, renditions and other tags")
	}
	c.t.entries = append(c.t.entries, e)
	return nil
}

// noVariantURI is the error of a variant that is followed by no URI line
// (section 4.4.6.2), told where the variant stands.
func (c *compiler) noVariantURI() error {
	at := int(c.t.entries[c.waiting].at)
	line := 1 + bytes.Count(c.src[:at], newline)
	return &Error{line, 1, at, "EXT-X-STREAM-INF without a URI line", ErrSyntax}
}

// uriLine takes a line that is a URI.
func (c *compiler) uriLine() error {
	if c.waiting >= 0 {
		e := &c.t.entries[c.waiting]
		e.uri, e.uriEnd, e.stop = uint32(c.from), uint32(c.to), uint32(c.next)
		c.waiting = -1
		return c.variables(c.from, c.to)
	}
	if c.kind == manifest.HLSMultivariant {
		if err := c.stray(uint32(c.from), uint32(c.to), uint32(c.next)); err != nil {
			return err
		}
		return c.variables(c.from, c.to)
	}
	if c.inHead {
		c.inHead = false
		c.block = c.at
	}
	c.t.segments = append(c.t.segments, segment{
		at: uint32(c.block), mark: uint32(len(c.t.marks)), duration: c.duration, flags: c.flags})
	c.t.marks = append(c.t.marks, mark{from: uint32(c.from), to: uint32(c.to), tag: tagInf})
	if c.window += c.duration; c.window < 0 {
		c.window = math.MaxInt64
	}
	c.duration, c.flags, c.block = 0, 0, c.next
	if err := c.countSegments(); err != nil {
		return err
	}
	return c.variables(c.from, c.to)
}

func (c *compiler) countSegments() error {
	if len(c.t.segments)+c.parts > MaxSegments {
		return c.fail(ErrBounds, c.from, "more than 100,000 segments and parts")
	}
	return nil
}

// attributes calls f for each attribute of the line's tag.
func (c *compiler) attributes(tg tag, attrs int, f func(*attribute) error) error {
	a, n := &c.attr, 0
	for pos := attrs; ; {
		next, ok, open := nextAttribute(c.src, pos, c.to, a)
		if open >= 0 {
			return c.fail(ErrSyntax, open, "unterminated quote in "+tags[tg].name)
		}
		if !ok {
			return nil
		}
		if n++; n > MaxAttributes {
			return c.fail(ErrBounds, int(a.at), tags[tg].name+" has more than 256 attributes")
		}
		if err := f(a); err != nil {
			return err
		}
		pos = next
	}
}
