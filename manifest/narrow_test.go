package manifest

import (
	"reflect"
	"testing"
)

func TestFilterAnd(t *testing.T) {
	for name, c := range map[string]struct{ a, b, want Filter }{
		"neutral": {Filter{}, Filter{}, Filter{}},
		"bounds": {
			Filter{MinLines: 360, MaxLines: 1080, MaxBitrate: 5, MaxFrameRate: 60},
			Filter{MinLines: 540, MaxLines: 720, MinBitrate: 2, MaxBitrate: 9, MaxFrameRate: 30, SDROnly: true},
			Filter{MinLines: 540, MaxLines: 720, MinBitrate: 2, MaxBitrate: 5, MaxFrameRate: 30, SDROnly: true},
		},
		"one bound":            {Filter{MaxLines: 720}, Filter{}, Filter{MaxLines: 720}},
		"the other":            {Filter{}, Filter{MaxLines: 720}, Filter{MaxLines: 720}},
		"codecs of one":        {Filter{}, Filter{Codecs: []string{"avc1"}}, Filter{Codecs: []string{"avc1"}}},
		"codecs in common":     {Filter{Codecs: []string{"avc1", "hvc1", "mp4a.40"}}, Filter{Codecs: []string{"mp4a", "avc1.64"}}, Filter{Codecs: []string{"avc1.64", "mp4a.40"}}},
		"no codec in common":   {Filter{Codecs: []string{"avc1"}}, Filter{Codecs: []string{"av01"}}, Filter{Codecs: []string{"none"}}},
		"languages in common":  {Filter{Languages: []string{"de", "en"}}, Filter{Languages: []string{"DE-AT"}}, Filter{Languages: []string{"DE-AT"}}},
		"subtitles of another": {Filter{Subtitles: []string{"de"}}, Filter{Subtitles: []string{"fr"}}, Filter{Subtitles: []string{"none"}}},
		"order of the first":   {Filter{Order: Ascending, StartBitrate: 9}, Filter{Order: Descending, StartBitrate: 5}, Filter{Order: Ascending, StartBitrate: 5}},
		"order of the second":  {Filter{}, Filter{Order: Descending}, Filter{Order: Descending}},
	} {
		got := c.a.And(c.b)
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if got.Neutral() != (name == "neutral") {
			t.Errorf("%s: neutral %v", name, got.Neutral())
		}
	}
}
