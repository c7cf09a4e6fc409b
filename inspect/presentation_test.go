package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestTogether: two video renditions that are cut alike, one that is not, sound
// that is a segment ahead, and cues on one of them.
func TestTogether(t *testing.T) {
	const master = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",CHANNELS=\"2\",URI=\"audio.m3u8\"\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=3000000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,AUDIO=\"a\"\nv720.m3u8?token=secret\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=6000000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1920x1080,AUDIO=\"a\"\nv1080.m3u8\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=1000000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=640x360,AUDIO=\"a\"\nv360.m3u8\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=320x180,AUDIO=\"a\"\ngone.m3u8\n"
	live := func(sequence, second int, lines ...string) string {
		return fmt.Sprintf("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-PROGRAM-DATE-TIME:2026-01-02T11:59:%02dZ\n", sequence, second) +
			strings.Join(lines, "\n") + "\n"
	}
	files := map[string]string{
		"v720.m3u8?token=secret": live(10, 40, "#EXTINF:4,", "1", "#EXT-X-CUE-OUT:8", "#EXTINF:4,", "2", "#EXTINF:4,", "3", "#EXT-X-CUE-IN", "#EXTINF:4,", "4"),
		"v1080.m3u8":             live(10, 40, "#EXTINF:4,", "1", "#EXTINF:4,", "2", "#EXTINF:4,", "3", "#EXTINF:4,", "4"),
		"v360.m3u8":              live(10, 40, "#EXTINF:4,", "1", "#EXTINF:3.5,", "2", "#EXTINF:4,", "3", "#EXTINF:4,", "4"),
		"audio.m3u8":             live(701, 44, "#EXTINF:4,", "2", "#EXTINF:4,", "3", "#EXTINF:3.98,", "4", "#EXTINF:4,", "5"),
	}
	open := func(_ context.Context, ref string) (*Source, error) {
		if files[ref] == "" {
			return nil, fmt.Errorf("there is no %s", ref)
		}
		return &Source{Name: ref, Body: []byte(files[ref])}, nil
	}
	r := Inspect(&Source{Name: "master.m3u8", Body: []byte(master)}, atNoon)
	if r.Together != nil {
		t.Error("nothing was read yet")
	}
	r.Deep(t.Context(), open, atNoon)
	const want = `
Together
reference     v720.m3u8 · 4 boundaries
aligned       1 × audio by date · 1 × variant by date
not aligned   v360.m3u8 · variant · 2 of 4 · up to 500 ms earlier, at 8 s · by date
not known     1 stream
cues on       v720.m3u8 (2)
`
	var page bytes.Buffer
	if err := r.WriteText(&page, false); err != nil || !strings.Contains(page.String(), want) {
		t.Errorf("%v\n%s", err, page.String())
	}
	raw, err := json.Marshal(r.Together)
	if err != nil || !strings.Contains(string(raw), `"name":"v360.m3u8","kind":"variant","by":"date","compared":4,"off":2,"worst_seconds":-0.5,"worst_at_seconds":8,`) || strings.Contains(string(raw), "secret") {
		t.Errorf("%v: %s", err, raw)
	}
}
