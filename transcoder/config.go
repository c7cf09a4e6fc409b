package transcoder

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"manifold/internal/problem"
	"manifold/origin/pack"
)

// Config is one job: a VOD presentation to be made once, or a live one to be
// kept going.
type Config struct {
	// FFmpeg is the program's name or path. Empty means "ffmpeg" in the PATH;
	// ffprobe is looked for beside it.
	FFmpeg string
	// Input is a media file. Empty means the test source: a moving pattern
	// and a tone for each audio language. A live file begins again at its end.
	Input string
	// Live encodes in real time into a sliding window; otherwise everything
	// is encoded as fast as possible and published at the end.
	Live bool
	// Prefix is put before all names ("live/news").
	Prefix string
	// Version names this content in its addresses (lower-case letters, digits
	// and "-"); other content needs another one, because media is cached for
	// a year. Empty is derived from the job (and the file's size and time).
	// A live presentation numbers itself and does not use it.
	Version string
	// Ladder is what is encoded. No rungs means Ladders["demo"].
	Ladder Ladder
	// Segment is the length of a segment, and the distance of key frames. It
	// is rounded to whole frames. 0 means 2 s.
	Segment time.Duration
	// Duration ends the content. 0 means 60 s of the test source as VOD, the
	// whole file, or for ever live.
	Duration time.Duration
	// Window is how much of a live presentation is listed. 0 means 60 s.
	Window time.Duration
	// Delay is the suggestedPresentationDelay of DASH. 0 means four segments.
	Delay time.Duration
	// Time is the URL of UTCTiming; see pack.Config.
	Time string
	// Audio are the audio tracks. None means English and German tones for the
	// test source, the file's own tracks (at most 8) for a file.
	Audio []Audio
	// Subtitles are tracks whose cues say their own time, to check timing by.
	// None means one in English for the test source, none for a file.
	Subtitles []Subtitle
	// NoSubtitles leaves subtitles out.
	NoSubtitles bool
	// NoTimecode leaves the picture without the burned-in media time and rung.
	NoTimecode bool
	// Font is the font file of the timecode. Empty looks for the usual ones
	// of the Debian packages fonts-dejavu-core and fonts-liberation.
	Font string
	// Stall is how long a running FFmpeg may go without finishing a segment.
	// 0 means 10 s or five segments live, and a minute for VOD.
	Stall time.Duration
	// RestartDelay is the pause before the first restart of a live FFmpeg; it
	// doubles up to a minute while no segment is made. 0 means 500 ms.
	RestartDelay time.Duration
}

// Audio is one audio track.
type Audio struct {
	// Language is a BCP 47 tag ("de"); required.
	Language string
	// Label is the name shown; empty is the language's own name.
	Label string
	// Bitrate in bits a second; 0 means 64,000.
	Bitrate int
	// Tone is the frequency of the test source's tone in Hz; 0 means 440 for
	// the first track, 220 more for each further one.
	Tone int
	// Stream is the number of the file's audio stream, from 0.
	Stream int

	silent bool // the file has no sound
}

// Subtitle is one subtitle track.
type Subtitle struct {
	// Language is a BCP 47 tag; required.
	Language string
	// Label is the name shown; empty is the language's own name.
	Label string
}

const (
	defaultSegment      = 2 * time.Second
	defaultVOD          = time.Minute
	defaultAudioBitrate = 64_000
	defaultRestart      = 500 * time.Millisecond
	maxRestart          = time.Minute
	audioRate           = 48_000
	maxTracks           = 8
	maxRungs            = 12
)

// Validate lists what is wrong with c, but for what only the file and the
// machine can tell.
func (c *Config) Validate() problem.List {
	var l problem.List
	if strings.ContainsAny(c.Input, "\x00\n") {
		l.Add("input", "%q is not a file name", c.Input)
	}
	if strings.Contains(c.Input, "://") {
		l.AddHint("input", "fetch it first", "%q is a URL: inputs are files", c.Input)
	}
	if c.Font != "" && !plainPath(c.Font) {
		l.Add("font", "%q has a character that FFmpeg's filters use themselves", c.Font)
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"duration", c.Duration}, {"stall", c.Stall}, {"restart_delay", c.RestartDelay}, {"segment", c.Segment}} {
		if d.value < 0 {
			l.Add(d.name, "%v is negative", d.value)
		}
	}
	c.validateLadder(&l)
	if len(c.Audio) > maxTracks || len(c.Subtitles) > maxTracks {
		l.Add("audio", "%d audio and %d subtitle tracks: at most %d of each", len(c.Audio), len(c.Subtitles), maxTracks)
	}
	for i, a := range c.Audio {
		at := problem.At("audio", i)
		if a.Bitrate != 0 && (a.Bitrate < 16_000 || a.Bitrate > 512_000) {
			l.Add(at+".bitrate", "%d bit/s is not between 16000 and 512000", a.Bitrate)
		}
		if a.Tone < 0 || a.Tone > audioRate/2 {
			l.Add(at+".tone", "%d Hz cannot be heard at %d samples a second", a.Tone, audioRate)
		}
		if a.Stream < 0 {
			l.Add(at+".stream", "%d is not the number of a stream", a.Stream)
		}
	}
	full := c.WithDefaults()
	packing := full.packing()
	for _, p := range packing.Validate() {
		p.Path = full.place(p.Path)
		l = append(l, p)
	}
	return l
}

// place says where in a Config stands what the packager names its own way.
func (c *Config) place(path string) string {
	rest, isTrack := strings.CutPrefix(path, "tracks[")
	if !isTrack {
		switch path {
		case "segment_frames":
			return "segment"
		case "frame_rate":
			return "ladder.frame_rate"
		}
		return path
	}
	number, rest, _ := strings.Cut(rest, "]")
	i, _ := strconv.Atoi(number)
	for _, list := range []struct {
		name string
		n    int
	}{{"ladder.rungs", len(c.Ladder.Rungs)}, {"audio", len(c.Audio)}, {"subtitles", len(c.Subtitles)}} {
		if i < list.n {
			return problem.At(list.name, i) + rest
		}
		i -= list.n
	}
	return path
}

func (c *Config) validateLadder(l *problem.List) {
	if n := len(c.Ladder.Rungs); n > maxRungs {
		l.Add("ladder.rungs", "%d rungs, at most %d", n, maxRungs)
	}
	for i, r := range c.Ladder.Rungs {
		at := problem.At("ladder.rungs", i)
		if r.Width < 16 || r.Height < 16 || r.Width > 7680 || r.Height > 4320 || r.Width%2+r.Height%2 != 0 {
			l.Add(at, "%dx%d is not an even size between 16x16 and 7680x4320", r.Width, r.Height)
		}
		if r.Bitrate < 10_000 || r.Bitrate > 200_000_000 {
			l.Add(at+".bitrate", "%d bit/s is not between 10000 and 200000000", r.Bitrate)
		}
		if r.MaxRate != 0 && (r.MaxRate < r.Bitrate || r.MaxRate > 400_000_000) {
			l.Add(at+".max_rate", "%d bit/s is below the average or above 400000000", r.MaxRate)
		}
	}
	switch c.Ladder.Preset {
	case "", "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow":
	default:
		l.Add("ladder.preset", "%q is not a preset of x264", c.Ladder.Preset)
	}
}

// plainPath tells whether a path can stand in a filter description as it is.
func plainPath(p string) bool { return !strings.ContainsAny(p, `'\:,;[]=%`+"\n\x00") }

// WithDefaults gives the configuration in force: what each zero value means is in
// its place, as far as no file must be looked at.
func (c Config) WithDefaults() Config {
	if c.FFmpeg == "" {
		c.FFmpeg = "ffmpeg"
	}
	if c.Input != "" {
		if abs, err := filepath.Abs(c.Input); err == nil {
			c.Input = abs
		}
	}
	if len(c.Ladder.Rungs) == 0 {
		c.Ladder.Rungs = Ladders["demo"].Rungs
		if c.Ladder.Preset == "" {
			c.Ladder.Preset = Ladders["demo"].Preset
		}
	}
	if c.Ladder.FrameRate == (pack.Rate{}) {
		c.Ladder.FrameRate = Ladders["demo"].FrameRate
	}
	if c.Ladder.Preset == "" {
		c.Ladder.Preset = "veryfast"
	}
	if c.Segment == 0 {
		c.Segment = defaultSegment
	}
	if c.Duration == 0 && !c.Live && c.Input == "" {
		c.Duration = defaultVOD
	}
	if c.Input == "" && len(c.Audio) == 0 {
		c.Audio = []Audio{{Language: "en"}, {Language: "de"}}
	}
	if c.Input == "" && len(c.Subtitles) == 0 {
		c.Subtitles = []Subtitle{{Language: "en"}}
	}
	if c.NoSubtitles {
		c.Subtitles = nil
	}
	if c.Stall == 0 {
		c.Stall = time.Minute
		if c.Live {
			c.Stall = max(10*time.Second, 5*c.Segment)
		}
	}
	if c.RestartDelay == 0 {
		c.RestartDelay = defaultRestart
	}
	c.Audio = append([]Audio(nil), c.Audio...)
	for i := range c.Audio {
		a := &c.Audio[i]
		if a.Bitrate == 0 {
			a.Bitrate = defaultAudioBitrate
		}
		if a.Tone == 0 {
			a.Tone = 440 + 220*i
		}
	}
	return c
}

// gop is the distance of key frames, and the length of a segment, in frames.
func (c *Config) gop() int {
	if !(c.Ladder.FrameRate.Num > 0 && c.Ladder.FrameRate.Den > 0) {
		return 0
	}
	return int(c.Segment.Seconds()*c.Ladder.FrameRate.Float() + 0.5)
}

// packing is the presentation of a full Config: video, audio, text, in the
// order of FFmpeg's outputs.
func (c *Config) packing() pack.Config {
	segment := float64(c.gop()) / max(c.Ladder.FrameRate.Float(), 1e-9)
	p := pack.Config{Prefix: c.Prefix, Live: c.Live, FrameRate: c.Ladder.FrameRate, SegmentFrames: c.gop(),
		Window: c.Window, Delay: c.Delay, Time: c.Time}
	taken := map[string]bool{}
	name := func(base string) string {
		n := base
		for i := 2; taken[n]; i++ {
			n = fmt.Sprintf("%s-%d", base, i)
		}
		taken[n] = true
		return n
	}
	for _, r := range c.Ladder.Rungs {
		p.Tracks = append(p.Tracks, pack.Track{Name: name(fmt.Sprintf("v%d", r.Height)), Kind: pack.Video, Peak: r.peak(max(segment, 0.1)), Average: r.Bitrate})
	}
	for _, a := range c.Audio {
		p.Tracks = append(p.Tracks, pack.Track{Name: name("audio-" + strings.ToLower(a.Language)), Kind: pack.Audio,
			Language: a.Language, Label: labelOf(a.Label, a.Language), Peak: a.Bitrate + a.Bitrate/4 + 8000, Average: a.Bitrate})
	}
	for _, s := range c.Subtitles {
		p.Tracks = append(p.Tracks, pack.Track{Name: name("text-" + strings.ToLower(s.Language)), Kind: pack.Text,
			Language: s.Language, Label: labelOf(s.Label, s.Language), Cues: timecode(s.Language)})
	}
	return p
}
