package manifest

import "testing"

func TestFilterKeeps(t *testing.T) {
	hd := Rendition{Kind: Variant, Bitrate: 6_000_000, Width: 1920, Height: 1080, FrameRate: 29.97, Codecs: "avc1.640028,mp4a.40.2"}
	tall := Rendition{Kind: Variant, Width: 720, Height: 1280}
	hdr := Rendition{Kind: Variant, Range: "PQ", Codecs: "hvc1.2.4.L153.B0, ec-3,stpp.ttml.im1t"}
	audio := Rendition{Kind: Audio, Language: "de-AT"}
	subs := Rendition{Kind: Subtitles, Language: "pt-BR", Codecs: "wvtt"}
	trick := Rendition{Kind: TrickPlay, Bitrate: 100, Width: 320, Height: 180, Codecs: "jpeg"}
	bare := Rendition{Kind: Variant}
	for name, c := range map[string]struct {
		f    Filter
		r    Rendition
		want bool
	}{
		"all":                    {Filter{}, hd, true},
		"lines":                  {Filter{MaxLines: 1080}, hd, true},
		"too many lines":         {Filter{MaxLines: 720}, hd, false},
		"upright":                {Filter{MaxLines: 720}, tall, true},
		"too few lines":          {Filter{MinLines: 1081}, hd, false},
		"lines not said":         {Filter{MinLines: 1, MaxLines: 2}, bare, true},
		"bitrate":                {Filter{MinBitrate: 6_000_000, MaxBitrate: 6_000_000}, hd, true},
		"too large":              {Filter{MaxBitrate: 5_999_999}, hd, false},
		"too small":              {Filter{MinBitrate: 6_000_001}, hd, false},
		"trick play is small":    {Filter{MinBitrate: 1000}, trick, true},
		"trick play has lines":   {Filter{MinLines: 360}, trick, false},
		"pictures are no codec":  {Filter{Codecs: []string{"avc1"}}, trick, true},
		"frame rate":             {Filter{MaxFrameRate: 29.97}, hd, true},
		"frame rate, over":       {Filter{MaxFrameRate: 25}, hd, false},
		"codecs":                 {Filter{Codecs: []string{"avc1", "mp4a"}}, hd, true},
		"codecs, begun":          {Filter{Codecs: []string{"avc1.", "mp4a.40"}}, hd, true},
		"codecs, whole parts":    {Filter{Codecs: []string{"avc1", "mp4a.4"}}, hd, false},
		"codecs, one is missing": {Filter{Codecs: []string{"avc1"}}, hd, false},
		"codecs, subtitles":      {Filter{Codecs: []string{"hvc1", "ec-3"}}, hdr, true},
		"codecs not said":        {Filter{Codecs: []string{"avc1"}}, bare, true},
		"hdr":                    {Filter{}, hdr, true},
		"sdr only":               {Filter{SDROnly: true}, hdr, false},
		"sdr, not said":          {Filter{SDROnly: true}, hd, true},
		"language":               {Filter{Languages: []string{"en", "DE"}}, audio, true},
		"language, narrower":     {Filter{Languages: []string{"de-AT-1996"}}, audio, false},
		"language, not a subtag": {Filter{Languages: []string{"d"}}, audio, false},
		"any language":           {Filter{Languages: []string{"*"}}, audio, true},
		"language not said":      {Filter{Languages: []string{"en"}}, Rendition{Kind: Audio}, true},
		"subtitles":              {Filter{Subtitles: []string{"pt"}, Languages: []string{"en"}}, subs, true},
		"subtitles, other":       {Filter{Subtitles: []string{"en"}}, subs, false},
		"captions are in video":  {Filter{Subtitles: []string{"en"}}, Rendition{Kind: ClosedCaptions, Language: "fr"}, true},
	} {
		if got := c.f.Keeps(&c.r); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
