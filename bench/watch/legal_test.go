package watch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"manifold/bench/finding"
	"manifold/internal/testkit/bubble"
)

// served watches what a handler serves, on a simulated clock.
func served(t *testing.T, address string, serve http.HandlerFunc, change func(*Config)) (r *finding.Report) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		c := Config{URL: "http://edge.test/" + address, For: 30 * time.Second, Segments: All}
		if change != nil {
			change(&c)
		}
		r = follow(t, serve, c)
	})
	return r
}

// manifests answers what ends so with what text makes at the time, the rest
// with media.
func manifests(end string, text func(at time.Duration) string, media http.HandlerFunc) http.HandlerFunc {
	var began time.Time
	return func(w http.ResponseWriter, r *http.Request) {
		if began.IsZero() {
			began = time.Now()
		}
		if !strings.HasSuffix(r.URL.Path, end) {
			media(w, r)
			return
		}
		w.Header().Set("Content-Type", map[string]string{".m3u8": "application/vnd.apple.mpegurl", ".mpd": "application/dash+xml"}[end])
		fmt.Fprint(w, text(time.Since(began)))
	}
}

// dynamic is an MPD of that type; its clock began a minute before the watch.
func dynamic(at time.Duration, periods string) string {
	now := time.Now()
	return fmt.Sprintf(`<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" profiles="p" minBufferTime="PT2S" minimumUpdatePeriod="PT2S" availabilityStartTime="%s" publishTime="%s">%s</MPD>`,
		now.Add(-at-time.Minute).UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339Nano), periods)
}

func set(segments string) string {
	return `<AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="1">` + segments + `</Representation></AdaptationSet>`
}

func vtt(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "WEBVTT\n") }

// box is a box of a whole size.
func box(kind string, size int) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint32(b, uint32(size))
	copy(b[4:], kind)
	return b
}

var publish = regexp.MustCompile(`publishTime="[^"]*"`)

// What other packagers write, and the standards allow, is no finding.
func TestLegal(t *testing.T) {
	file := append(box("ftyp", 24), box("mdat", 400<<10)...)
	whole := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file))
	}
	const static = `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="p" minBufferTime="PT2S" mediaPresentationDuration="PT8S"><Period>%s</Period></MPD>`
	hereUntil := func(limit int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var n int
			if _, err := fmt.Sscanf(r.URL.Path, "/%d.vtt", &n); err != nil || n > limit {
				http.NotFound(w, r)
				return
			}
			vtt(w, r)
		}
	}
	for name, c := range map[string]struct {
		address string
		serve   http.HandlerFunc
	}{
		"one file on demand, larger than what is looked at": {"x.mpd", manifests(".mpd", func(time.Duration) string {
			return fmt.Sprintf(static, set(`<BaseURL>v.mp4</BaseURL><SegmentBase indexRange="24-99"><Initialization range="0-23"/></SegmentBase>`))
		}, whole)},
		"a transport stream in DASH": {"x.mpd", manifests(".mpd", func(time.Duration) string {
			return fmt.Sprintf(static, set(`<SegmentTemplate media="$Number$.ts" duration="4"/>`))
		}, func(w http.ResponseWriter, r *http.Request) {
			var n uint64
			_, _ = fmt.Sscanf(r.URL.Path, "/%d.ts", &n)
			_, _ = w.Write(packet((n - 1) * 4 * 90000))
		})},
		"a timeline that repeats until the next update, in a Period that has an end": {"x.mpd", manifests(".mpd", func(at time.Duration) string {
			return dynamic(at, `<Period id="1" start="PT0S" duration="PT1000S">`+set(`<SegmentTemplate media="$Number$.vtt" startNumber="1"><SegmentTimeline><S t="0" d="2" r="-1"/></SegmentTimeline></SegmentTemplate>`)+`</Period>`)
		}, hereUntil(30))},
		"an advertisement that is listed before its time": {"x.mpd", manifests(".mpd", func(at time.Duration) string {
			return dynamic(at, `<Period id="1" start="PT0S" duration="PT60S">`+set(`<SegmentTemplate media="$Number$.vtt"><SegmentTimeline><S t="0" d="60"/></SegmentTimeline></SegmentTemplate>`)+
				`</Period><Period id="2" start="PT60S" duration="PT60S">`+set(`<SegmentTemplate media="$Number$.vtt"><SegmentTimeline><S t="0" d="6" r="9"/></SegmentTimeline></SegmentTemplate>`)+`</Period>`)
		}, hereUntil(1))},
		"a Period that is announced": {"x.mpd", manifests(".mpd", func(at time.Duration) string {
			return dynamic(at, `<Period id="1" start="PT0S">`+set(fmt.Sprintf(`<SegmentTemplate media="$Number$.vtt"><SegmentTimeline><S t="0" d="2" r="%d"/></SegmentTimeline></SegmentTemplate>`, 29+int(at/(2*time.Second))))+
				`</Period><Period id="2" start="PT600S"/>`)
		}, vtt)},
		"a list that slides": {"x.mpd", manifests(".mpd", func(at time.Duration) string {
			first := 26 + int(at/(2*time.Second))
			var b strings.Builder
			for n := first; n < first+5; n++ {
				fmt.Fprintf(&b, `<SegmentURL media="%d.vtt"/>`, n)
			}
			return dynamic(at, `<Period id="1" start="PT0S">`+set(fmt.Sprintf(`<SegmentList duration="2" startNumber="%d">%s</SegmentList>`, first, b.String()))+`</Period>`)
		}, vtt)},
		"segments that are always there, and a comment with the time": {"x.mpd", manifests(".mpd", func(at time.Duration) string {
			return publish.ReplaceAllString(dynamic(at, fmt.Sprintf(`<!-- %s --><Period id="1" start="PT0S">`, at)+set(`<SegmentTemplate media="$Number$.vtt" availabilityTimeOffset="INF"><SegmentTimeline><S t="0" d="10" r="19"/></SegmentTimeline></SegmentTemplate>`)+`</Period>`),
				`publishTime="1999-12-31T23:59:00Z"`)
		}, vtt)},
		"a stream that has just begun, with a high number": {"x.m3u8", manifests(".m3u8", func(at time.Duration) string {
			s := "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:77777\n"
			for n := range 1 + int(at/(2*time.Second)) {
				s += fmt.Sprintf("#EXTINF:2,\n%d.vtt\n", n)
			}
			return s
		}, vtt)},
		"a picture playlist of the heads of fragments": {"x.m3u8", manifests(".m3u8", func(time.Duration) string {
			return "#EXTM3U\n#EXT-X-VERSION:5\n#EXT-X-TARGETDURATION:2\n#EXT-X-I-FRAMES-ONLY\n#EXTINF:2,\n#EXT-X-BYTERANGE:5000@24\nv.mp4\n#EXT-X-ENDLIST\n"
		}, whole)},
	} {
		t.Run(name, func(t *testing.T) {
			if r := served(t, c.address, c.serve, nil); len(r.Findings) > 0 || r.SegmentsFetched == 0 {
				t.Error(text2(r))
			}
		})
	}
}

// packet is a transport stream of one packet, with a presentation time.
func packet(pts uint64) []byte {
	b := bytes.Repeat([]byte{0xff}, 188)
	copy(b, []byte{0x47, 0x41, 0x00, 0x10, 0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5,
		byte(pts>>29&0xe) | 0x21, byte(pts >> 22), byte(pts>>14) | 1, byte(pts >> 7), byte(pts<<1) | 1})
	return b
}

// A presentation of many long playlists is followed as far as memory goes.
func TestManyLongPlaylists(t *testing.T) {
	long := "#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + strings.Repeat("#EXTINF:1,\nx\n", 75_000)
	r := served(t, "entry", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		if r.URL.Path == "/entry" {
			fmt.Fprint(w, "#EXTM3U\n"+variants(8))
			return
		}
		fmt.Fprint(w, long)
	}, func(c *Config) { c.Segments, c.For = None, 5*time.Second })
	said := false
	for _, f := range r.Findings {
		said = said || f.Rule.ID == "too-much"
	}
	if !said {
		t.Error(text2(r))
	}
}
