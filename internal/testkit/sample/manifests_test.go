package sample

import (
	"encoding/xml"
	"strings"
	"testing"
)

func TestPlaylist(t *testing.T) {
	vod, live := string(Playlist(500, true)), string(Playlist(6, false))
	if n := strings.Count(vod, "#EXTINF:"); n != 500 || !strings.HasSuffix(vod, "#EXT-X-ENDLIST\n") {
		t.Errorf("VOD: %d segments, ends with %q", n, vod[len(vod)-20:])
	}
	if n := strings.Count(live, "#EXTINF:"); n != 6 || strings.Contains(live, "ENDLIST") {
		t.Errorf("live: %s", live)
	}
}

func TestMPD(t *testing.T) {
	var m struct {
		Type   string `xml:"type,attr"`
		Period []struct {
			AdaptationSet []struct {
				SegmentTemplate struct {
					SegmentTimeline struct {
						S []struct{} `xml:"S"`
					}
				}
				Representation []struct{}
			}
		}
	}
	if err := xml.Unmarshal(MPD(2, 30), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Period) != 2 || len(m.Period[1].AdaptationSet) != 3 || len(m.Period[0].AdaptationSet[0].Representation) != 4 ||
		len(m.Period[0].AdaptationSet[0].SegmentTemplate.SegmentTimeline.S) != 30 || m.Type != "dynamic" {
		t.Errorf("%+v", m)
	}
}
