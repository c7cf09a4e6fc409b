package viewer

import (
	"fmt"
	"strings"
	"time"
)

// stream is a server for the tests: two pathways, three qualities, live or VOD,
// steered or not, HLS and DASH.
type stream struct {
	live, steered, before bool
	length                int // segments of a VOD
	each                  time.Duration
	// fail answers instead of the stream, where status is not 0 or err not nil.
	fail func(w *world, r Request) (status int, body string, err error)
	// steer is the steering answer's body.
	steer string
	alone bool // one pathway
}

const (
	hlsURL  = "http://edge.test/m.m3u8"
	dashURL = "http://edge.test/m.mpd"
)

func (s *stream) pathways() []string {
	if s.alone {
		return []string{"alpha"}
	}
	return []string{"alpha", "beta"}
}

func (s *stream) serve(w *world, r Request) (int, string, error) {
	if s.each == 0 {
		s.each = 2 * time.Second
	}
	if s.fail != nil {
		if status, body, err := s.fail(w, r); status != 0 || err != nil {
			return status, body, err
		}
	}
	switch {
	case strings.HasPrefix(r.URL, hlsURL):
		return 200, s.master(), nil
	case strings.Contains(r.URL, ".mpd"):
		return 200, s.mpd(w), nil
	case strings.HasSuffix(r.URL, ".m3u8"):
		return 200, s.playlist(w), nil
	case strings.Contains(r.URL, "/steer"):
		if s.steer != "" {
			return 200, s.steer, nil
		}
		return 200, `{"VERSION":1,"TTL":10,"RELOAD-URI":"http://edge.test/steer?2","PATHWAY-PRIORITY":["alpha","beta"]}`, nil
	case r.URL == "":
		return 404, "", fmt.Errorf("no address")
	}
	return 200, "", nil
}

func (s *stream) master() string {
	var b strings.Builder
	b.WriteString("#EXTM3U\n")
	if s.steered {
		b.WriteString("#EXT-X-CONTENT-STEERING:SERVER-URI=\"/steer\",PATHWAY-ID=\"alpha\"\n")
	}
	for _, p := range s.pathways() {
		for i, k := range []int{400, 1000, 3000} {
			id := ""
			if s.steered {
				id = ",PATHWAY-ID=\"" + p + "\""
			}
			fmt.Fprintf(&b, "#EXT-X-STREAM-INF:BANDWIDTH=%d000,CODECS=\"avc1\"%s\nhttp://%s.test/v%d.m3u8\n", k, id, p, i)
		}
	}
	return b.String()
}

// window is the segments that are there.
func (s *stream) window(w *world) (first, n int) {
	if !s.live {
		return 0, s.length
	}
	last := 100 + int(w.since()/s.each)
	return last - 5, 6
}

func (s *stream) playlist(w *world) string {
	first, n := s.window(w)
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-MAP:URI=\"i.mp4\"\n", int(s.each.Seconds()), first)
	for i := range n {
		fmt.Fprintf(&b, "#EXTINF:%.3f,\n%d.m4s\n", s.each.Seconds(), first+i)
	}
	if !s.live {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return b.String()
}

func (s *stream) mpd(w *world) string {
	first, n := s.window(w)
	head := fmt.Sprintf(`type="static" mediaPresentationDuration="PT%gS"`, float64(n)*s.each.Seconds())
	if s.live {
		began := epoch.Add(-time.Duration(101) * s.each)
		head = fmt.Sprintf(`type="dynamic" minimumUpdatePeriod="PT4S" suggestedPresentationDelay="PT6S" availabilityStartTime="%s"`, began.Format(time.RFC3339Nano))
	}
	var b strings.Builder
	b.WriteString("<MPD " + head + ">")
	if s.live {
		b.WriteString("<Location>http://edge.test/session.mpd</Location>")
	}
	if s.steered {
		fmt.Fprintf(&b, `<ContentSteering defaultServiceLocation="alpha" queryBeforeStart="%v">http://edge.test/steer</ContentSteering>`, s.before)
	}
	for _, p := range s.pathways() {
		fmt.Fprintf(&b, `<BaseURL serviceLocation="%s">http://%s.test/</BaseURL>`, p, p)
	}
	b.WriteString(`<Period id="1" start="PT0S">`)
	for _, kind := range []string{"video", "audio"} {
		fmt.Fprintf(&b, `<AdaptationSet contentType="%s"><SegmentTemplate timescale="1000" media="$RepresentationID$/$Time$.m4s" initialization="$RepresentationID$/i.mp4"><SegmentTimeline><S t="%d" d="%d" r="%d"/></SegmentTimeline></SegmentTemplate>`,
			kind, first*int(s.each.Milliseconds()), s.each.Milliseconds(), n-1)
		for i, k := range []int{400, 1000, 3000} {
			if kind == "video" || i == 0 {
				fmt.Fprintf(&b, `<Representation id="%s%d" bandwidth="%d000"/>`, kind, i, k)
			}
		}
		b.WriteString("</AdaptationSet>")
	}
	b.WriteString("</Period></MPD>")
	return b.String()
}
