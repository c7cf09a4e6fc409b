package transcoder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Bounds of an input file, looked at before it is decoded.
const (
	maxStreams  = 64
	maxPixels   = 7680 * 4320
	maxDuration = 24 * time.Hour
)

// formats are the containers that are read. Playlists and scripts are not
// among them: they would name other files to read.
const formats = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv,mxf,ogg,wav,mp3,aac,flac"

// ErrInput is an input file that cannot or must not be used.
var ErrInput = errors.New("not a usable input")

// source is what a file holds.
type source struct {
	duration  time.Duration
	languages []string // of its audio streams
}

// inputOptions stand before every -i of a file: no protocol but files, no
// container that points elsewhere, no picture without bound.
func inputOptions() []string {
	return []string{"-protocol_whitelist", "file,pipe", "-format_whitelist", formats, "-max_pixels", strconv.Itoa(maxPixels)}
}

// probe looks into an input file.
func (t *Tool) probe(ctx context.Context, path string) (source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return source{}, fmt.Errorf("cannot read input: %w: %w", ErrInput, err)
	}
	if !info.Mode().IsRegular() {
		return source{}, fmt.Errorf("cannot read input: %w: %s is not a regular file", ErrInput, path)
	}
	if t.Prober == "" {
		return source{}, fmt.Errorf("cannot look into %s: there is no ffprobe beside %s (Debian's package ffmpeg has both)", path, t.Path)
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	args := append([]string{"-hide_banner", "-loglevel", "error"}, inputOptions()...)
	out, err := t.ask(ctx, t.Prober, append(args, "-of", "json", "-show_entries",
		"format=duration:stream=codec_type,width,height:stream_tags=language", "file:"+path)...)
	if err != nil {
		return source{}, fmt.Errorf("cannot look into %s: %w: %w", path, ErrInput, err)
	}
	s, err := parseProbe(out)
	if err != nil {
		return source{}, fmt.Errorf("cannot use %s: %w: %w", path, ErrInput, err)
	}
	return s, nil
}

func parseProbe(out []byte) (source, error) {
	var p struct {
		Streams []struct {
			Type          string `json:"codec_type"`
			Width, Height int
			Tags          struct{ Language string }
		}
		Format struct{ Duration string }
	}
	if err := json.Unmarshal(out, &p); err != nil {
		return source{}, fmt.Errorf("what ffprobe says is not JSON: %w", err)
	}
	if n := len(p.Streams); n > maxStreams {
		return source{}, fmt.Errorf("%d streams, at most %d", n, maxStreams)
	}
	var s source
	video := false
	for _, stream := range p.Streams {
		switch stream.Type {
		case "video":
			if stream.Width <= 0 || stream.Height <= 0 || stream.Width > maxPixels/stream.Height {
				return source{}, fmt.Errorf("a picture of %dx%d, at most %d pixels", stream.Width, stream.Height, maxPixels)
			}
			video = true
		case "audio":
			s.languages = append(s.languages, bcp47(stream.Tags.Language))
		}
	}
	if !video {
		return source{}, errors.New("no video stream")
	}
	if sec, err := strconv.ParseFloat(p.Format.Duration, 64); err == nil && sec > 0 {
		if sec > maxDuration.Seconds() {
			return source{}, fmt.Errorf("it lasts %.0f s, at most %v", sec, maxDuration)
		}
		s.duration = time.Duration(sec * float64(time.Second))
	}
	return s, nil
}

// resolve completes a full Config with what the file holds: tracks and length.
func (c *Config) resolve(s source) error {
	if len(c.Audio) == 0 {
		for i, lang := range s.languages[:min(len(s.languages), maxTracks)] {
			c.Audio = append(c.Audio, Audio{Language: lang, Bitrate: defaultAudioBitrate, Stream: i})
		}
		if len(s.languages) == 0 {
			c.Audio = []Audio{{Language: "und", Bitrate: defaultAudioBitrate, silent: true}}
		}
	}
	for _, a := range c.Audio {
		if !a.silent && a.Stream >= len(s.languages) {
			return fmt.Errorf("cannot use %s: %w: it has %d audio streams, number %d is asked for", c.Input, ErrInput, len(s.languages), a.Stream)
		}
	}
	if c.Live {
		return nil
	}
	if s.duration == 0 && c.Duration == 0 {
		return fmt.Errorf("cannot use %s: %w: it does not say how long it is, and no duration is configured", c.Input, ErrInput)
	}
	if c.Duration == 0 || s.duration > 0 && s.duration < c.Duration {
		c.Duration = s.duration
	}
	return nil
}
