package read

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"manifold/bench/finding"
)

// Tolerances of a single playlist.
const (
	// dateOverlap is what a date may go back to follow a clock (rfc8216bis,
	// section 6.2.1: sub-second).
	dateOverlap = time.Second
	// Dates that run away from durations by one part in driftShare, and by more
	// than driftLeast, are no rounding.
	driftShare = 100
	driftLeast = 250 * time.Millisecond
)

// checkMedia holds a whole media playlist against the rules that need more
// than one line.
func checkMedia(m *Media, p *problems, fragmented bool) {
	if m.Target == 0 && !m.HasSkip {
		p.add("hls-syntax", finding.Line{Number: 1}, "EXT-X-TARGETDURATION is missing")
	}
	checkVersions(m, p)
	checkDurations(m, p)
	checkBoundaries(m, p, fragmented)
	checkDates(m, p)
	checkDateRanges(m, p)
	checkLowLatency(m, p)
}

// checkVersions holds the features that are used against EXT-X-VERSION
// (rfc8216bis, section 8).
func checkVersions(m *Media, p *problems) {
	need := func(version int, line finding.Line, what string) {
		if m.Version < version {
			p.add("hls-version", line, "%s needs EXT-X-VERSION %d, this is %d", what, version, m.Version)
		}
	}
	var ranged, mapped, iv, format bool
	for _, s := range m.Segments {
		if s.Range != nil && !ranged {
			ranged = true
			need(4, s.Line, "EXT-X-BYTERANGE")
		}
		if s.MapStated && !mapped {
			mapped = true
			if m.IFramesOnly {
				need(5, s.Map.Line, "EXT-X-MAP")
			} else {
				need(6, s.Map.Line, "EXT-X-MAP")
			}
		}
		for _, k := range s.Keys {
			if k.IV != "" && !iv {
				iv = true
				need(2, k.Line, "IV")
			}
			if k.Format != "identity" && !format {
				format = true
				need(5, k.Line, "KEYFORMAT")
			}
		}
	}
	if m.HasSkip {
		need(9, finding.Line{Number: 1}, "EXT-X-SKIP")
	}
}

// checkDurations: rounded to the nearest second, no segment is longer than the
// target duration (RFC 8216, section 4.3.3.1).
func checkDurations(m *Media, p *problems) {
	if m.Target == 0 {
		return
	}
	for _, s := range m.Segments {
		if s.Duration.Round(time.Second) > m.Target {
			p.add("hls-target-exceeded", s.Inf, "%s is %s long, the target duration is %s", s.URI, s.Duration, m.Target)
		}
	}
}

// checkBoundaries looks at what stands after each discontinuity. MAP and KEY
// stay in force over one, so their absence is a mistake only in a playlist
// that restates them at its other discontinuities, or has none at all. Where those
// all lead to another place (another directory, another form of name), one that
// stays where it was, as between two advertisements of a break, goes without.
func checkBoundaries(m *Media, p *problems, fragmented bool) {
	var boundaries, withMap, withKey int
	tellsMap, tellsKey := true, true
	for i, s := range m.Segments {
		if s.Map == nil && fragmented && !m.HasSkip && (hasSuffix(s.URI, ".m4s") || hasSuffix(s.URI, ".cmfv") || hasSuffix(s.URI, ".cmfa")) {
			p.add("hls-map-missing", s.Line, "%s is fMP4 and no EXT-X-MAP applies to it", s.URI)
			fragmented = false
		}
		if s.Discontinuity && i > 0 {
			boundaries++
			if s.MapStated {
				withMap++
				tellsMap = tellsMap && place(s.URI) != place(m.Segments[i-1].URI)
			}
			if s.KeyStated {
				withKey++
				tellsKey = tellsKey && place(s.URI) != place(m.Segments[i-1].URI)
			}
		}
	}
	for i, s := range m.Segments {
		if !s.Discontinuity || i == 0 {
			continue
		}
		stays := place(s.URI) == place(m.Segments[i-1].URI)
		if withMap > 0 && !s.MapStated && !(tellsMap && stays) {
			p.add("hls-map-missing", s.Block, "no EXT-X-MAP after the discontinuity before segment %d, and %d of %d other discontinuities have one", s.MSN, withMap, boundaries-1)
		}
		if withKey > 0 && !s.KeyStated && !(tellsKey && stays) {
			p.add("hls-key-missing", s.Block, "no EXT-X-KEY after the discontinuity before segment %d, and %d of %d other discontinuities have one", s.MSN, withKey, boundaries-1)
		}
	}
}

// checkDates follows EXT-X-PROGRAM-DATE-TIME along the durations.
func checkDates(m *Media, p *problems) {
	var (
		expected  time.Time // where the last segment ended
		last      Segment
		base      time.Time
		run       time.Duration // media time since base
		count     int
		complaint bool
	)
	for _, s := range m.Segments {
		if !s.Date.IsZero() {
			switch ahead := s.Date.Sub(expected); {
			case expected.IsZero():
			case ahead <= -dateOverlap || ahead < 0 && -ahead >= last.Duration:
				p.add("hls-date-overlap", s.DateLine, "segment %d starts %s before segment %d ends", s.MSN, -ahead, last.MSN)
				complaint = true
			case ahead >= dateOverlap && !s.Discontinuity:
				p.add("hls-date-jump", s.DateLine, "segment %d starts %s after segment %d ends, without EXT-X-DISCONTINUITY", s.MSN, ahead, last.MSN)
				complaint = true
			}
			expected = s.Date
		}
		if s.Discontinuity {
			base, run, count = time.Time{}, 0, 0
		}
		if !s.Date.IsZero() {
			if base.IsZero() {
				base, run, count = s.Date, 0, 0
			} else if away := s.Date.Sub(base) - run; count >= 4 && !complaint && away.Abs() > driftLeast && away.Abs() > run/driftShare {
				p.add("hls-date-drift", s.DateLine, "over %d segments durations add up to %s and dates to %s: %s apart", count, run, s.Date.Sub(base), away.Abs())
				complaint = true
			}
		}
		if !expected.IsZero() {
			expected = expected.Add(s.Duration)
		}
		run += s.Duration
		count++
		last = s
	}
}

// checkDateRanges: rfc8216bis, section 4.4.5.1.
func checkDateRanges(m *Media, p *problems) {
	if len(m.DateRanges) == 0 {
		return
	}
	dated := slices.ContainsFunc(m.Segments, func(s Segment) bool { return !s.Date.IsZero() })
	if !dated && !m.HasSkip && len(m.Segments) > 0 {
		p.add("hls-daterange", m.DateRanges[0].Line, "EXT-X-DATERANGE in a playlist without EXT-X-PROGRAM-DATE-TIME")
	}
	byID := map[string]map[string]string{}
	for _, d := range m.DateRanges {
		had := byID[d.ID]
		if had == nil {
			had = map[string]string{}
			byID[d.ID] = had
			if d.Attrs["START-DATE"] == "" {
				p.add("hls-daterange", d.Line, "the first EXT-X-DATERANGE with ID %s has no START-DATE", d.ID)
			}
		}
		for name, value := range d.Attrs {
			if before, ok := had[name]; ok && before != value {
				p.add("hls-daterange", d.Line, "%s of date range %s is %q here and %q in an earlier tag", name, d.ID, value, before)
			}
			had[name] = value
		}
		if d.End.IsZero() || d.Start.IsZero() {
			continue
		}
		if d.End.Before(d.Start) {
			p.add("hls-daterange", d.Line, "date range %s ends before it starts", d.ID)
		} else if d.Duration >= 0 && (d.End.Sub(d.Start)-d.Duration).Abs() > time.Millisecond {
			p.add("hls-daterange", d.Line, "END-DATE of date range %s is not START-DATE plus DURATION", d.ID)
		}
	}
}

// checkLowLatency: rfc8216bis, sections 4.4.3.7, 4.4.3.8 and 4.4.4.9.
func checkLowLatency(m *Media, p *problems) {
	parts := slices.Clone(m.Parts)
	open := len(parts)
	for _, s := range m.Segments {
		parts = append(parts, s.Parts...)
	}
	c := m.Control
	if c != nil && m.Target > 0 {
		if c.HoldBack > 0 && c.HoldBack < 3*m.Target {
			p.add("ll-hold-back", m.ControlLine, "HOLD-BACK of %s; three target durations are %s", c.HoldBack, 3*m.Target)
		}
		if c.CanSkipUntil > 0 && c.CanSkipUntil < 6*m.Target {
			p.add("ll-skip-boundary", m.ControlLine, "CAN-SKIP-UNTIL of %s; six target durations are %s", c.CanSkipUntil, 6*m.Target)
		}
	}
	if m.Ended {
		for _, h := range m.Hints {
			p.add("ll-hint-after-end", h.Line, "EXT-X-PRELOAD-HINT in a playlist with EXT-X-ENDLIST")
		}
	}
	if len(parts) > 0 && m.PartTarget == 0 {
		p.add("ll-part-inf", parts[0].Line, "EXT-X-PART without EXT-X-PART-INF")
	}
	if m.PartTarget == 0 {
		return
	}
	switch {
	case c == nil || c.PartHoldBack == 0:
		p.add("ll-part-inf", m.PartTargetLine, "EXT-X-PART-INF without PART-HOLD-BACK in EXT-X-SERVER-CONTROL")
	case c.PartHoldBack < 2*m.PartTarget:
		p.add("ll-hold-back", m.ControlLine, "PART-HOLD-BACK of %s; two part targets are %s", c.PartHoldBack, 2*m.PartTarget)
	case c.PartHoldBack < 3*m.PartTarget:
		p.add("ll-hold-back-tight", m.ControlLine, "PART-HOLD-BACK of %s; three part targets are %s", c.PartHoldBack, 3*m.PartTarget)
	}
	checkParts(m, p, parts[:open], false)
	first := true // whose oldest parts may have left
	for _, s := range m.Segments {
		checkParts(m, p, s.Parts, true)
		if len(s.Parts) > 0 && first {
			first = false
			continue
		}
		var sum time.Duration
		for _, part := range s.Parts {
			sum += part.Duration
		}
		if len(s.Parts) > 0 && (sum-s.Duration).Abs() > cmp.Or(m.PartTarget/10, time.Millisecond) {
			p.add("ll-parts-sum", s.Inf, "the %d parts of segment %d last %s, the segment %s", len(s.Parts), s.MSN, sum, s.Duration)
		}
	}
}

func checkParts(m *Media, p *problems, parts []Part, complete bool) {
	for i, part := range parts {
		last := complete && i == len(parts)-1
		beforeGap := i+1 < len(parts) && parts[i+1].Gap
		switch {
		case part.Duration > m.PartTarget+time.Microsecond:
			p.add("ll-part-exceeded", part.Line, "a part of %s, the part target is %s", part.Duration, m.PartTarget)
		case last || beforeGap || part.Gap || part.Independent || !complete && i == len(parts)-1:
		case part.Duration*100 < m.PartTarget*85:
			p.add("ll-part-short", part.Line, "a part of %s, 85 %% of the part target are %s", part.Duration, m.PartTarget*85/100)
		}
	}
}

// hasSuffix tells whether the path of a URI ends so.
func hasSuffix(uri, suffix string) bool {
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	return strings.HasSuffix(uri, suffix)
}

// place is the path of a URI without the numbers of its last element: equal for
// segments that were made together.
func place(uri string) string {
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	name := strings.LastIndexByte(uri, '/') + 1
	return uri[:name] + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, uri[name:])
}
