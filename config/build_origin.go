package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"manifold/internal/problem"
	"manifold/origin/ingest"
	"manifold/origin/pack"
	"manifold/proxy/listen"
	"manifold/transcoder"
)

func (b *builder) originServer() {
	f, c := &b.file.OriginServer, &b.cfg.OriginServer
	c.Listen = listen.Config{Plain: f.Listen, MaxRequestBody: -1}
	for _, p := range c.Listen.Validate() {
		p.Path = strings.Replace(p.Path, "plain", "listen", 1)
		b.problems.Under("origin_server", problem.List{p})
	}
	c.Config = ingest.Config{
		Directory: b.path(f.Directory), Memory: f.Memory, MemoryLimit: int64(f.MemoryLimit), MaxObject: int64(f.MaxObject),
		LoopbackWrites: f.LoopbackWrites, TimeName: f.TimeName,
	}
	before := len(b.problems)
	for i, ref := range f.WriteTokens {
		c.WriteTokens = append(c.WriteTokens, string(b.secret(problem.At("origin_server.write_tokens", i), ref)))
	}
	if len(b.problems) == before {
		b.problems.Under("origin_server", c.Config.Validate())
	}
}

func (b *builder) transcoder() {
	f, c := &b.file.Transcoder, &b.cfg.Transcoder
	const at = "transcoder"
	c.To = f.To
	if u, err := url.Parse(f.To); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		b.problems.AddHint(at+".to", "write it like http://127.0.0.1:9100/", "%q is not an http or https URL of a host and a path", clip(f.To))
	}
	c.Token = string(b.secret(at+".token", f.Token))
	c.Config = transcoder.Config{
		FFmpeg: f.FFmpeg, Input: b.path(f.Input), Live: f.Live, Prefix: f.Prefix, Version: f.Version, Ladder: b.ladder(at + ".ladder"),
		Segment: f.Segment, Duration: f.Duration, Window: f.Window, Delay: f.Delay, Time: f.Time,
		NoSubtitles: f.NoSubtitles, NoTimecode: f.NoTimecode, Font: b.path(f.Font), Stall: f.Stall, RestartDelay: f.RestartDelay,
	}
	for _, a := range f.Audio {
		c.Audio = append(c.Audio, transcoder.Audio{Language: a.Language, Label: a.Label, Bitrate: a.Bitrate, Tone: a.Tone, Stream: a.Stream})
	}
	for _, s := range f.Subtitles {
		c.Subtitles = append(c.Subtitles, transcoder.Subtitle{Language: s.Language, Label: s.Label})
	}
	b.problems.Under(at, c.Config.Validate())
}

// ladder takes a ladder that comes with Manifold, and what the file changes.
func (b *builder) ladder(at string) transcoder.Ladder {
	f := &b.file.Transcoder.Ladder
	l, ok := transcoder.Ladders[f.Name]
	if !ok && (f.Name != "" || len(f.Rungs) == 0) {
		names := sortedKeys(transcoder.Ladders)
		b.problems.AddHint(at+".name", or(didYouMean(f.Name, names), "one of "+listed(names)), "there is no ladder %q", clip(f.Name))
	}
	if len(f.Rungs) > 0 {
		l.Rungs = nil
		for _, r := range f.Rungs {
			l.Rungs = append(l.Rungs, transcoder.Rung{Width: r.Width, Height: r.Height, Bitrate: r.Bitrate, MaxRate: r.MaxRate})
		}
	}
	if f.FrameRate != "" {
		rate, err := pack.ParseRate(f.FrameRate)
		if err != nil {
			b.problems.Add(at+".frame_rate", "%v", err)
		}
		l.FrameRate = rate
	}
	if f.Preset != "" {
		l.Preset = f.Preset
	}
	l.Rungs = slices.Clone(l.Rungs)
	return l
}

// loopback tells whether an address to listen on is this machine's alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "localhost" {
		return err == nil
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
