package transcoder

import "manifold/origin/pack"

// Rung is one rendition of the picture.
type Rung struct {
	// Width and Height in pixels, both even.
	Width, Height int
	// Bitrate is the average and MaxRate the highest rate over a second, in
	// bits a second; MaxRate 0 means a ninth above Bitrate.
	Bitrate, MaxRate int
}

// Ladder is a set of rungs that are encoded together.
type Ladder struct {
	// Rungs, best first.
	Rungs []Rung
	// FrameRate of all rungs.
	FrameRate pack.Rate
	// Preset is x264's trade of processor time for quality ("ultrafast" …
	// "veryslow"). Empty means "veryfast".
	Preset string
}

// Ladders are the ladders that come with Manifold, by name.
var Ladders = map[string]Ladder{
	// For a demonstration beside a browser: live, with timecode and two audio
	// tracks, it took an eighth of one core of a small virtual machine.
	"demo": {
		FrameRate: pack.Rate{Num: 25, Den: 1},
		Preset:    "ultrafast",
		Rungs: []Rung{
			{Width: 640, Height: 360, Bitrate: 800_000},
			{Width: 426, Height: 240, Bitrate: 400_000},
			{Width: 256, Height: 144, Bitrate: 200_000},
		},
	},
	"mobile": {
		FrameRate: pack.Rate{Num: 25, Den: 1},
		Preset:    "veryfast",
		Rungs: []Rung{
			{Width: 960, Height: 540, Bitrate: 1_600_000},
			{Width: 640, Height: 360, Bitrate: 800_000},
			{Width: 480, Height: 270, Bitrate: 450_000},
			{Width: 320, Height: 180, Bitrate: 250_000},
		},
	},
	"general-1080p30": {
		FrameRate: pack.Rate{Num: 30, Den: 1},
		Preset:    "veryfast",
		Rungs: []Rung{
			{Width: 1920, Height: 1080, Bitrate: 5_000_000},
			{Width: 1280, Height: 720, Bitrate: 3_000_000},
			{Width: 960, Height: 540, Bitrate: 1_800_000},
			{Width: 640, Height: 360, Bitrate: 900_000},
			{Width: 426, Height: 240, Bitrate: 400_000},
		},
	},
	"sport-1080p60": {
		FrameRate: pack.Rate{Num: 60, Den: 1},
		Preset:    "veryfast",
		Rungs: []Rung{
			{Width: 1920, Height: 1080, Bitrate: 8_000_000},
			{Width: 1280, Height: 720, Bitrate: 4_500_000},
			{Width: 960, Height: 540, Bitrate: 2_500_000},
			{Width: 640, Height: 360, Bitrate: 1_200_000},
		},
	},
}

func (r Rung) maxRate() int {
	if r.MaxRate > 0 {
		return r.MaxRate
	}
	return r.Bitrate + r.Bitrate/9
}

// peak is the rate that no segment of this many seconds is above: the decoder
// buffer of a second (-bufsize) once, the highest rate all along, and a
// margin for the container.
func (r Rung) peak(segment float64) int {
	highest := float64(r.maxRate())
	return int((highest+highest/segment)*1.03) + 5000
}
