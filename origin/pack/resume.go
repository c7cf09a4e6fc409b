package pack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Getter is a [Sink] that can also be read; fs.ErrNotExist for a name that
// holds nothing. Into such a sink a live presentation goes on where an earlier
// packager of the same prefix ended: its numbers and dates never go back, the
// first new segment is a discontinuity, and what was listed is removed in
// time. Into another, the numbers begin at the time of day and
// EXT-X-DISCONTINUITY-SEQUENCE at 0.
type Getter interface {
	Get(ctx context.Context, name string) ([]byte, error)
}

// resume looks for an earlier life of the presentation, once.
func (p *Packager) resume(ctx context.Context) error {
	getter, ok := p.sink.(Getter)
	if !ok || !p.cfg.Live || p.resumed {
		p.resumed = true
		return nil
	}
	gone := expiry{at: p.now().Add(p.cfg.keep())}
	for i := range p.cfg.Tracks {
		t := &p.cfg.Tracks[i]
		data, err := getter.Get(ctx, path.Join(p.cfg.Prefix, t.Name, "index.m3u8"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot look for an earlier playlist of %s: %w", t.Name, err)
		}
		o := readOld(data)
		p.next = max(p.next, o.next)
		p.dsn = max(p.dsn, o.discontinuities+1)
		p.floor = laterOf(p.floor, o.end)
		for _, uri := range o.uris {
			name := path.Join(p.cfg.Prefix, t.Name, uri)
			gone.names = append(gone.names, name)
			if base, isText := strings.CutSuffix(name, ".vtt"); isText {
				gone.names = append(gone.names, base+".m4s", path.Join(path.Dir(name), "init.mp4"))
			}
		}
	}
	if len(gone.names) > 0 {
		p.expired = append(p.expired, gone)
	}
	p.resumed = true
	return nil
}

// old is what an earlier playlist of ours tells.
type old struct {
	next            int64     // the number after its last segment
	discontinuities int64     // the discontinuity number of its last segment
	end             time.Time // when its last segment ended
	uris            []string
}

var ownURI = regexp.MustCompile(`^[a-z0-9-]{1,64}/(init\.mp4|[0-9]{1,18}\.(m4s|vtt))$`)

// Bounds of the numbers taken over; beyond them the playlist is not ours.
const (
	maxNumber = 1 << 53
	maxURIs   = 100_000
)

// readOld reads a playlist written by appendSegments; what it does not know
// is passed over.
func readOld(playlist []byte) old {
	var o old
	var first, count int64
	var duration time.Duration
	for line := range strings.Lines(string(playlist)) {
		line = strings.TrimSpace(line)
		tag, value, _ := strings.Cut(line, ":")
		switch tag {
		case "#EXT-X-MEDIA-SEQUENCE":
			first = number(value)
		case "#EXT-X-DISCONTINUITY-SEQUENCE":
			o.discontinuities += number(value)
		case "#EXT-X-DISCONTINUITY":
			o.discontinuities++
		case "#EXT-X-MAP":
			if uri := strings.TrimSuffix(strings.TrimPrefix(value, `URI="`), `"`); ownURI.MatchString(uri) && len(o.uris) < maxURIs {
				o.uris = append(o.uris, uri)
			}
		case "#EXT-X-PROGRAM-DATE-TIME":
			if t, err := time.Parse(time.RFC3339, value); err == nil {
				o.end = t
			}
		case "#EXTINF":
			seconds, err := strconv.ParseFloat(strings.TrimSuffix(value, ","), 64)
			if duration = 0; err == nil && seconds > 0 && seconds < 3600 {
				duration = time.Duration(seconds * float64(time.Second))
			}
		default:
			if !ownURI.MatchString(line) || len(o.uris) >= maxURIs {
				continue
			}
			o.uris = append(o.uris, line)
			count++
			if !o.end.IsZero() {
				o.end = o.end.Add(duration)
			}
		}
	}
	o.next = first + count
	return o
}

func number(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil || n < 0 || n > maxNumber {
		return 0
	}
	return n
}
