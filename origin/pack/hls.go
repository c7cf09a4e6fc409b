package pack

import (
	"fmt"
	"strconv"
	"time"
)

// HLS as in draft-pantos-hls-rfc8216bis, section 4.

// version is EXT-X-VERSION: EXT-X-MAP in a playlist that is not of I-frames
// needs 6, fragmented MP4 with it is what 7 is asked for by Apple's tools.
const version = 7

// mediaPlaylist writes the playlist of track i.
func (p *Packager) mediaPlaylist(i int) []byte {
	b := make([]byte, 0, 256+p.listed*100)
	b = append(b, "#EXTM3U\n#EXT-X-VERSION:"...)
	b = strconv.AppendInt(b, version, 10)
	b = fmt.Appendf(b, "\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", p.cfg.target(), p.next-int64(p.listed))
	if p.cfg.Live {
		b = fmt.Appendf(b, "#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", p.dsn)
	} else {
		b = append(b, "#EXT-X-PLAYLIST-TYPE:VOD\n"...)
	}
	b = append(b, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	for _, r := range p.runs {
		b = r.appendSegments(b, r.tracks[i])
	}
	if p.finished {
		b = append(b, "#EXT-X-ENDLIST\n"...)
	}
	return b
}

func (r *Run) appendSegments(b []byte, t *timeline) []byte {
	ext := ".m4s"
	if t.cfg.Kind == Text {
		ext = ".vtt"
	}
	for i := r.dropped; i < r.listed; i++ {
		s := t.at(i)
		if i == 0 && r.discontinuous {
			b = append(b, "#EXT-X-DISCONTINUITY\n"...)
		}
		if i == r.dropped && t.cfg.Kind != Text {
			b = fmt.Appendf(b, "#EXT-X-MAP:URI=\"%s/init.mp4\"\n", r.version)
		}
		if r.p.cfg.Live {
			at := r.anchor.Add(mediaTime(s.start, t.format.timescale)).Round(time.Millisecond)
			b = append(b, "#EXT-X-PROGRAM-DATE-TIME:"...)
			b = at.AppendFormat(b, "2006-01-02T15:04:05.000Z\n")
		}
		d := extinf(s, t.format.timescale)
		b = fmt.Appendf(b, "#EXTINF:%d.%06d,\n%s/%d%s\n", d/time.Second, d%time.Second/time.Microsecond, r.version, r.first+int64(i), ext)
	}
	return b
}

// newest is the newest run with a segment listed: its formats are declared.
func (p *Packager) newest() *Run {
	for i := len(p.runs) - 1; i >= 0; i-- {
		if p.runs[i].listed > p.runs[i].dropped {
			return p.runs[i]
		}
	}
	return nil
}

// multivariant writes the playlist that lists all tracks.
func (p *Packager) multivariant() []byte {
	r := p.newest()
	b := []byte("#EXTM3U\n")
	b = fmt.Appendf(b, "#EXT-X-VERSION:%d\n#EXT-X-INDEPENDENT-SEGMENTS\n", version)
	audio := rates{}
	codecs, groups := "", ""
	for _, t := range r.tracks {
		if t.cfg.Kind != Audio {
			continue
		}
		b = appendMedia(b, t, "AUDIO", "audio", codecs == "")
		b = fmt.Appendf(b, ",CHANNELS=\"%d\",URI=\"%s/index.m3u8\"\n", t.format.channels, t.cfg.Name)
		codecs, groups = ","+t.format.codecs, ",AUDIO=\"audio\""
		rate := p.rates(t)
		audio.peak, audio.average = max(audio.peak, rate.peak), max(audio.average, rate.average)
	}
	text := false
	for _, t := range r.tracks {
		if t.cfg.Kind == Text {
			b = appendMedia(b, t, "SUBTITLES", "subtitles", false)
			b = fmt.Appendf(b, ",FORCED=NO,URI=\"%s/index.m3u8\"\n", t.cfg.Name)
			text = true
		}
	}
	if text {
		groups += ",SUBTITLES=\"subtitles\""
	}
	for _, t := range r.tracks {
		if t.cfg.Kind != Video {
			continue
		}
		rate := p.rates(t)
		b = fmt.Appendf(b, "#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,CODECS=\"%s%s\",RESOLUTION=%dx%d,FRAME-RATE=%.3f,VIDEO-RANGE=SDR%s,CLOSED-CAPTIONS=NONE\n%s/index.m3u8\n",
			rate.peak+audio.peak, rate.average+audio.average, t.format.codecs, codecs, t.format.width, t.format.height, p.cfg.FrameRate.Float(), groups, t.cfg.Name)
	}
	return b
}

func appendMedia(b []byte, t *timeline, typ, group string, first bool) []byte {
	yes := "NO"
	if first {
		yes = "YES"
	}
	return fmt.Appendf(b, "#EXT-X-MEDIA:TYPE=%s,GROUP-ID=%q,NAME=\"%s\",LANGUAGE=%q,DEFAULT=%s,AUTOSELECT=YES",
		typ, group, t.cfg.Label, t.cfg.Language, yes)
}

// rates are bit rates of a track in bits a second.
type rates struct{ peak, average int }

// rates measures a track that is whole; of a live one it gives what was
// declared. No segment of a track is above its peak.
func (p *Packager) rates(t *timeline) rates {
	if p.cfg.Live {
		return rates{t.cfg.Peak, t.cfg.Average}
	}
	var r rates
	var bytes int
	var total time.Duration
	for _, s := range t.segments {
		d := mediaTime(s.duration, t.format.timescale)
		r.peak = max(r.peak, bitsPerSecond(s.size, d))
		bytes += s.size
		total += d
	}
	r.average = bitsPerSecond(bytes, total)
	return r
}

// bitsPerSecond rounds up; d is not 0.
func bitsPerSecond(bytes int, d time.Duration) int {
	us := int64(d / time.Microsecond)
	return int((int64(bytes)*8*1_000_000 + us - 1) / us)
}
