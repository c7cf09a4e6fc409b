package pack

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"manifold/internal/problem"
)

// Rate is a frame rate: Num/Den frames a second.
type Rate struct{ Num, Den int }

// ParseRate reads "25" or "30000/1001".
func ParseRate(s string) (Rate, error) {
	num, den, fraction := strings.Cut(s, "/")
	if !fraction {
		den = "1"
	}
	n, err1 := strconv.Atoi(num)
	d, err2 := strconv.Atoi(den)
	r := Rate{n, d}
	if err1 != nil || err2 != nil || !r.valid() {
		return Rate{}, fmt.Errorf("cannot read frame rate %q: it is written 25 or 30000/1001", s)
	}
	return r, nil
}

func (r Rate) valid() bool {
	return r.Num > 0 && r.Den > 0 && r.Num <= 1_000_000 && r.Den <= 1_000_000 && r.Num/r.Den <= 1000
}

// String is the rate as DASH and FFmpeg write it.
func (r Rate) String() string {
	if r.Den == 1 {
		return strconv.Itoa(r.Num)
	}
	return fmt.Sprintf("%d/%d", r.Num, r.Den)
}

// Float is the rate in frames a second.
func (r Rate) Float() float64 { return float64(r.Num) / float64(r.Den) }

// Frames is how long n frames last.
func (r Rate) Frames(n int) time.Duration {
	return time.Duration(int64(n) * int64(r.Den) * int64(time.Second) / int64(r.Num))
}

// Kind is what a track holds.
type Kind uint8

// The kinds of tracks.
const (
	Video Kind = iota + 1
	Audio
	Text
)

// Track describes one track. Video tracks are renditions of one picture;
// every audio and text track is a choice of its own.
type Track struct {
	// Name is the track's folder, HLS rendition and DASH Representation id:
	// lower-case letters, digits and "-", unique.
	Name string
	Kind Kind
	// Language is a BCP 47 tag ("de", "pt-BR"); required for audio and text.
	Language string
	// Label is the name shown to a viewer; empty means the Language.
	Label string
	// Peak and Average are the bit rates in bits a second that a live
	// presentation declares of the track before it knows them; a VOD
	// presentation declares what it measured. Not used for text.
	Peak, Average int
	// Cues gives the text of a Text track.
	Cues CueSource
}

// Config describes one presentation.
type Config struct {
	// Prefix is put before all names ("live/news"); empty for none.
	Prefix string
	// Live says that the presentation grows while it is watched.
	Live bool
	// FrameRate is the rate of all video tracks.
	FrameRate Rate
	// SegmentFrames is the length of a segment in frames: every rendition has
	// a key frame at each multiple of it.
	SegmentFrames int
	// Window is how much of a live presentation is listed. 0 means 60 s.
	Window time.Duration
	// Delay is how far from the live edge DASH players should play
	// (suggestedPresentationDelay). 0 means four segments.
	Delay time.Duration
	// Time is the URL of a resource with the time of day for DASH UTCTiming,
	// relative to the manifest or absolute. Empty means "time", which
	// origin/ingest answers in every folder; "-" means none.
	Time string
	// Tracks in the order of the manifests; the first video track is the
	// reference. The first audio track is the default.
	Tracks []Track
}

const (
	defaultWindow = time.Minute
	// startSegments are listed before a live presentation is shown first: a
	// player starts three target durations before the end (RFC 8216, 6.3.3).
	startSegments = 3
)

var (
	nameSyntax     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)
	languageSyntax = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`) // the shape of BCP 47
	prefixSyntax   = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)
)

// Validate lists what is wrong with c.
func (c *Config) Validate() problem.List {
	var l problem.List
	if c.Prefix != "" && !prefixSyntax.MatchString(c.Prefix) {
		l.AddHint("prefix", `like "live/news"`, "%q is not a relative path", c.Prefix)
	}
	switch {
	case !c.FrameRate.valid():
		l.AddHint("frame_rate", "25 or 30000/1001", "%d/%d is no frame rate", c.FrameRate.Num, c.FrameRate.Den)
	case c.SegmentFrames <= 0:
		l.Add("segment_frames", "%d frames is not a length", c.SegmentFrames)
	default:
		if d := c.segment(); d < 500*time.Millisecond || d > 30*time.Second {
			l.Add("segment_frames", "a segment of %v is not between 0.5 s and 30 s", d)
		}
		if w := c.Window; w < 0 || w > 0 && w < 3*c.segment() {
			l.AddHint("window", "RFC 8216, section 6.2.2", "%v is shorter than three segments of %v", w, c.segment())
		}
	}
	if c.Delay < 0 {
		l.Add("delay", "%v is negative", c.Delay)
	}
	if strings.ContainsAny(c.Time, "\"<>& \n\r\t") {
		l.Add("time", "%q is not a URL", c.Time)
	}
	c.validateTracks(&l)
	return l
}

func (c *Config) validateTracks(l *problem.List) {
	names := map[string]bool{}
	videos := 0
	for i := range c.Tracks {
		t := &c.Tracks[i]
		at := problem.At("tracks", i)
		if !nameSyntax.MatchString(t.Name) {
			l.AddHint(at+".name", "lower-case letters, digits and -", "%q cannot be a track's name", t.Name)
		}
		if names[t.Name] {
			l.Add(at+".name", "another track is named %q too", t.Name)
		}
		names[t.Name] = true
		if strings.ContainsAny(t.Label, "\"\r\n") {
			l.Add(at+".label", "%q has a quote or a line break", t.Label)
		}
		switch t.Kind {
		case Video:
			videos++
		case Audio, Text:
			if !languageSyntax.MatchString(t.Language) {
				l.AddHint(at+".language", `like "en" or "pt-BR"`, "%q is not a BCP 47 language tag", t.Language)
			}
			if t.Kind == Text && t.Cues == nil {
				l.Add(at+".cues", "a text track needs a source of cues")
			}
		default:
			l.Add(at+".kind", "%d is not a kind of track", t.Kind)
		}
		if c.Live && t.Kind != Text && (t.Peak <= 0 || t.Average <= 0 || t.Average > t.Peak) {
			l.Add(at+".peak", "a live track declares bit rates: peak %d, average %d", t.Peak, t.Average)
		}
	}
	if videos == 0 {
		l.Add("tracks", "there is no video track")
	}
}

func (c *Config) segment() time.Duration { return c.FrameRate.Frames(c.SegmentFrames) }

func (c Config) withDefaults() Config {
	if c.Window == 0 {
		c.Window = max(defaultWindow, 3*c.segment())
	}
	if c.Delay == 0 {
		c.Delay = 4 * c.segment()
	}
	if c.Time == "" {
		c.Time = "time"
	}
	c.Tracks = append([]Track(nil), c.Tracks...)
	for i := range c.Tracks {
		if c.Tracks[i].Label == "" {
			c.Tracks[i].Label = c.Tracks[i].Language
		}
	}
	return c
}

// listed is how many segments a live playlist holds: no less than the window
// also while the newest segment is the next one to leave.
func (c *Config) listed() int {
	n := int((c.Window + c.segment() - 1) / c.segment())
	return max(n+1, startSegments)
}

// keep is how long a segment is kept after it has left the manifests.
func (c *Config) keep() time.Duration { return time.Duration(c.listed()+2) * c.segment() }

// target is the EXT-X-TARGETDURATION: what the longest possible segment
// rounds to. An audio or odd segment is longer than the grid by one frame at
// most, of up to 1/20 s.
func (c *Config) target() int {
	return int((c.segment() + time.Second/20 + time.Second/2) / time.Second)
}

// boundary is where interval i begins, in ticks of a timescale, rounded up: a
// sample belongs to interval i where boundary(i) <= start < boundary(i+1).
func (c *Config) boundary(i int64, timescale uint32) uint64 {
	num := uint64(i) * uint64(c.SegmentFrames) * uint64(c.FrameRate.Den) * uint64(timescale)
	den := uint64(c.FrameRate.Num)
	return (num + den - 1) / den
}
