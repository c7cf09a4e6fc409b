package watch

import (
	"context"
	"net/url"
	"regexp"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/internal/problem"
)

// Fetcher fetches for the watch.
type Fetcher interface {
	Do(ctx context.Context, req client.Request) *client.Result
}

var _ Fetcher = (*client.Client)(nil)

// Sampling is how much of the media is fetched.
type Sampling string

// The samplings.
const (
	None   Sampling = "none"
	Sample Sampling = "sample" // initialisations, keys, both ends, and one new segment in four
	All    Sampling = "all"
)

// Config is what to watch, and how.
type Config struct {
	// URL is the presentation's address: a playlist or an MPD.
	URL string
	// For is how long to watch; 0 means until the context ends.
	For time.Duration
	// Segments is how much media to fetch; empty means Sample.
	Segments Sampling
	// Edges is how many independent edges may answer; 0 and 1 mean one. With
	// more, a reload may be older than the one before by one segment, and by
	// nothing more.
	Edges int
	// Ignore are regular expressions of what does not count in a URL (tokens),
	// besides the forms this package knows (see Patterns).
	Ignore []string
	// Personal are regular expressions of what makes a manifest one viewer's
	// own, besides the forms this package knows.
	Personal []string
	// Known are rules whose findings are accepted, with the reason.
	Known map[finding.ID]string
	// MaxManifest bounds a manifest in bytes; 0 means 8 MiB.
	MaxManifest int64
	// Grace is how long viewers may be sent to a dead pathway until that is a
	// finding; 0 means 15 s.
	Grace time.Duration
	// Fetcher fetches, Client says in words how. Second is another viewer's,
	// nil where there is none.
	Fetcher Fetcher
	Second  Fetcher
	Client  string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Progress is told now and then what is going on; may be nil.
	Progress func(string)

	shared bool // MaxManifest is this package's own: many playlists share maxText
}

// Validate tells what is wrong with c.
func (c *Config) Validate() error {
	var list problem.List
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		list.AddHint("url", "as in https://edge.example/live/master.m3u8", "not an http or https address: %q", c.URL)
	}
	switch c.Segments {
	case "", None, Sample, All:
	default:
		list.AddHint("segments", "one of none, sample, all", "unknown sampling %q", c.Segments)
	}
	if c.For < 0 || c.Edges < 0 || c.MaxManifest < 0 || c.Grace < 0 {
		list.Add("", "for, edges, max-manifest and grace must not be negative")
	}
	for name, patterns := range map[string][]string{"ignore": c.Ignore, "personal": c.Personal} {
		for i, p := range patterns {
			if _, err := regexp.Compile(p); err != nil {
				list.Add(problem.At(name, i), "%v", err)
			}
		}
	}
	for id := range c.Known {
		if !finding.Exists(id) {
			list.AddHint("known", "see manifold bench rules", "there is no rule %q", id)
		}
	}
	if c.Fetcher == nil {
		list.Add("fetcher", "is missing")
	}
	return list.Err()
}

func (c *Config) defaults() {
	if c.Segments == "" {
		c.Segments = Sample
	}
	c.Edges = max(c.Edges, 1)
	if c.MaxManifest == 0 {
		c.MaxManifest, c.shared = 8<<20, true
	}
	if c.Grace == 0 {
		c.Grace = 15 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
}

// Bounds of a watch.
const (
	maxTracks   = 200       // media playlists
	maxListed   = 400_000   // segments that they list in all
	maxText     = 64 << 20  // bytes of all of them in one round
	leastText   = 1 << 20   // of which each may always have this much
	parsers     = 4         // that are read at a time
	maxHistory  = 20_000    // segments remembered for each
	maxEvidence = 512 << 10 // bytes of a former version kept for evidence
	maxInits    = 512
	keepSegment = 8 << 20 // bytes of a segment that are looked at
	maxSegment  = 1 << 30 // bytes of a segment that are counted
	workers     = 4
	maxJobs     = 4096
)
