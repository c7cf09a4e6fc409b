package dash

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestRenditions(t *testing.T) {
	for name, want := range map[string]string{
		"ladder-hdr": `video v0 0 "" 800000 640x360 25 avc1.4d401e ""
video v1 0 "" 5000000 1920x1080 50 hvc1.1.6.L123.B0 ""
video v2 0 "" 12000000 3840x2160 59.94 hvc1.2.4.L153.B0 "PQ"
audio a0 1 "en" 96000 0x0 0 mp4a.40.2 ""
audio a1 2 "de" 96000 0x0 0 mp4a.40.2 ""
`,
		"trick-thumbnails-preselection": `video v0 0 "" 800000 640x360 25 avc1.4d401e ""
video v1 0 "" 2400000 1280x720 25 avc1.64001f ""
trick play thumbs 5 "" 10000 1600x900 0  ""
trick play trick 6 "" 100000 320x180 0 avc1.42c00d ""
`,
		"ondemand-subtitles": `video v0 0 "" 800000 640x360 0 avc1.64001f ""
subtitles t0 2 "de" 256 0x0 0  ""
`,
		"prefixed": `video v0  "" 800000 640x360 0 avc1.4d401e ""
`,
		"ffmpeg-vod-timeline": `video 0 0 "" 648682 320x180 25 avc1.42c00c ""
audio 1 1 "" 64000 0x0 0 mp4a.40.2 ""
`,
		"static-empty-period": "",
	} {
		src, err := os.ReadFile("testdata/corpus/" + name + ".mpd")
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, r := range compile(t, src).Renditions() {
			fmt.Fprintf(&b, "%v %s %s %q %d %dx%d %.4g %s %q\n", r.Kind, r.ID, r.Group, r.Language, r.Bitrate, r.Width, r.Height, r.FrameRate, r.Codecs, r.Range)
		}
		if got := b.String(); got != want {
			t.Errorf("%s: got\n%swant\n%s", name, got, want)
		}
	}
}

func TestFrameRate(t *testing.T) {
	for text, want := range map[string]float64{"25": 25, "30000/1001": 30000.0 / 1001, "": 0, "x": 0, "25/": 0, "25/0": 0, "-1": 0, "NaN": 0, "1/NaN": 0} {
		if got := frameRate(text); got != want {
			t.Errorf("frameRate(%q) = %v, want %v", text, got, want)
		}
	}
}
