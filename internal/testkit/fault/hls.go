package fault

import (
	"fmt"
	"strings"
	"time"
)

// Playlist is a media playlist before it is written.
type Playlist struct {
	Pathway, Rendition string
	Since              time.Duration // of the fault
	From               int           // the first segment after it
	Version, Target    int
	Sequence           int
	DiscSequence       int
	PartTarget         string
	Control            string
	Type               string
	Ended              bool
	Segments           []Segment
	Open               *Segment // the one whose parts are coming
	Hint               string
	Reports            []string
	Extra              []string // lines before the first segment
}

// Segment is one segment of a playlist, with the tags before it.
type Segment struct {
	N             int
	URI, Duration string
	Range         string
	Discontinuity bool
	Map           string // stated when not empty
	Keys          []string
	Date          time.Time
	Parts         []PartTag
	Gap           bool
}

// PartTag is one EXT-X-PART.
type PartTag struct {
	URI, Duration string
	Independent   bool
}

var renditions = []string{"v0", "v1", "a0"}

func (s *Stream) master() string {
	var b strings.Builder
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:9\n")
	if s.cfg.Steered {
		b.WriteString("#EXT-X-CONTENT-STEERING:SERVER-URI=\"http://edge.test/steer?protocol=hls\",PATHWAY-ID=\"alpha\"\n")
	}
	for _, p := range s.pathways() {
		fmt.Fprintf(&b, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio-%s\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,STABLE-RENDITION-ID=\"en\",URI=\"http://edge.test/hls/%s/a0.m3u8\"\n", p, p)
	}
	for _, p := range s.pathways() {
		for i, size := range []string{"640x360", "320x180"} {
			pathway := ""
			if s.cfg.Steered {
				pathway = ",PATHWAY-ID=\"" + p + "\""
			}
			fmt.Fprintf(&b, "#EXT-X-STREAM-INF:BANDWIDTH=%d,CODECS=\"avc1.42C01E,mp4a.40.2\",RESOLUTION=%s,AUDIO=\"audio-%s\",STABLE-VARIANT-ID=\"v%d\"%s\n", 900000-i*400000, size, p, i, pathway)
			fmt.Fprintf(&b, "http://edge.test/hls/%s/v%d.m3u8\n", p, i)
		}
	}
	return b.String()
}

// playlist makes a media playlist as it is at the stream's time now.
func (s *Stream) playlist(pathway, rendition string, now time.Duration) *Playlist {
	last := int(now/Length) - 1
	first := max(0, last-window+1)
	if s.cfg.VOD {
		first = 0
	}
	p := &Playlist{Pathway: pathway, Rendition: rendition, Version: 9, Target: 2, Sequence: first + 1, DiscSequence: dsn(first), Ended: s.cfg.VOD}
	if boundary(first) {
		p.DiscSequence-- // its own discontinuity is still listed
	}
	if s.cfg.VOD {
		p.Type = "VOD"
	}
	if s.cfg.LowLatency {
		p.PartTarget = "0.5"
		p.Control = "CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,HOLD-BACK=6.0,CAN-SKIP-UNTIL=12.0"
	}
	for n := first; n <= last; n++ {
		seg := s.segment(pathway, rendition, n, n == first)
		if s.cfg.LowLatency && n > last-3 {
			seg.Parts = s.parts(pathway, rendition, n, int(Length/Part))
		}
		p.Segments = append(p.Segments, seg)
	}
	if s.cfg.LowLatency && !p.Ended {
		k := int((now - time.Duration(last+1)*Length) / Part)
		open := s.segment(pathway, rendition, last+1, false)
		open.Parts = s.parts(pathway, rendition, last+1, k)
		p.Open = &open
		p.Hint = s.address(pathway, fmt.Sprintf("%s/%d.%d.m4s", rendition, last+1, k))
		for _, other := range renditions {
			if other == rendition {
				continue
			}
			msn, part := last+2, k-1
			if k == 0 {
				msn, part = last+1, int(Length/Part)-1
			}
			p.Reports = append(p.Reports, fmt.Sprintf("URI=\"%s.m3u8\",LAST-MSN=%d,LAST-PART=%d", other, msn, part))
		}
	}
	return p
}

func (s *Stream) segment(pathway, rendition string, n int, first bool) Segment {
	seg := Segment{N: n, URI: s.address(pathway, fmt.Sprintf("%s/%d.m4s", rendition, n)), Duration: "2.00000", Discontinuity: boundary(n)}
	if first || boundary(n) {
		seg.Map = s.address(pathway, rendition+"/"+initName(n))
		if s.cfg.Encrypted {
			if isAd(n) {
				seg.Keys = []string{"METHOD=NONE"}
			} else {
				seg.Keys = []string{fmt.Sprintf("METHOD=AES-128,URI=%q,IV=0x%032x", s.address(pathway, "key"), 7)}
			}
		}
	}
	if !s.cfg.NoDates {
		seg.Date = s.cfg.Epoch.Add(time.Duration(n) * Length)
	}
	return seg
}

func initName(n int) string {
	if isAd(n) {
		return "ad.init.mp4"
	}
	return "init.mp4"
}

func (s *Stream) parts(pathway, rendition string, n, count int) (list []PartTag) {
	for k := range count {
		list = append(list, PartTag{URI: s.address(pathway, fmt.Sprintf("%s/%d.%d.m4s", rendition, n, k)), Duration: "0.50000", Independent: k == 0})
	}
	return list
}

// address is where a pathway has a file, with the token it wants.
func (s *Stream) address(pathway, file string) string {
	return "http://" + pathway + ".test/media/" + file + "?hdnts=" + Token(pathway)
}

func (p *Playlist) write() string {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	w("#EXTM3U\n#EXT-X-VERSION:%d\n#EXT-X-TARGETDURATION:%d", p.Version, p.Target)
	if p.Control != "" {
		w("#EXT-X-SERVER-CONTROL:%s", p.Control)
	}
	if p.PartTarget != "" {
		w("#EXT-X-PART-INF:PART-TARGET=%s", p.PartTarget)
	}
	if p.Type != "" {
		w("#EXT-X-PLAYLIST-TYPE:%s", p.Type)
	}
	w("#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:%d", p.Sequence, p.DiscSequence)
	for _, x := range p.Extra {
		w("%s", x)
	}
	for i := range p.Segments {
		p.Segments[i].write(w, true)
	}
	if p.Open != nil {
		if len(p.Open.Parts) > 0 {
			p.Open.write(w, false)
		}
		w("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=%q", p.Hint)
		for _, r := range p.Reports {
			w("#EXT-X-RENDITION-REPORT:%s", r)
		}
	}
	if p.Ended {
		w("#EXT-X-ENDLIST")
	}
	return b.String()
}

func (s *Segment) write(w func(string, ...any), whole bool) {
	if s.Discontinuity {
		w("#EXT-X-DISCONTINUITY")
	}
	keyFirst := len(s.Keys) == 1 && s.Keys[0] == "METHOD=NONE"
	if keyFirst {
		w("#EXT-X-KEY:METHOD=NONE") // the initialisation is clear too
	}
	if s.Map != "" {
		w("#EXT-X-MAP:URI=%q", s.Map)
	}
	if !keyFirst {
		for _, k := range s.Keys {
			w("#EXT-X-KEY:%s", k)
		}
	}
	if !s.Date.IsZero() {
		w("#EXT-X-PROGRAM-DATE-TIME:%s", s.Date.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	if s.Gap {
		w("#EXT-X-GAP")
	}
	for _, p := range s.Parts {
		independent := ""
		if p.Independent {
			independent = ",INDEPENDENT=YES"
		}
		w("#EXT-X-PART:DURATION=%s%s,URI=%q", p.Duration, independent, p.URI)
	}
	if s.Range != "" && whole {
		w("#EXT-X-BYTERANGE:%s", s.Range)
	}
	if whole {
		w("#EXTINF:%s,\n%s", s.Duration, s.URI)
	}
}
