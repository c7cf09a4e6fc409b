package transcoder

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"manifold/origin/pack"
)

func TestValidate(t *testing.T) {
	for _, good := range []Config{{}, {Live: true}, small("live/x"), {Input: "/x/film.mkv"}, {Ladder: Ladders["sport-1080p60"], Live: true}} {
		if l := good.Validate(); len(l) > 0 {
			t.Errorf("%+v: %v", good, l)
		}
	}
	for name, ladder := range Ladders {
		if l := (&Config{Ladder: ladder, Live: true}).Validate(); len(l) > 0 {
			t.Errorf("%s: %v", name, l)
		}
	}
	rung := func(r Rung) Config { return Config{Ladder: Ladder{Rungs: []Rung{r}}} }
	tests := []struct {
		want string
		cfg  Config
	}{
		{"input:", Config{Input: "rtmp://x/y"}},
		{"input:", Config{Input: "a\nb"}},
		{"font:", Config{Font: "/a:b.ttf"}},
		{"duration:", Config{Duration: -1}},
		{"restart_delay:", Config{RestartDelay: -1}},
		{"stall:", Config{Stall: -1}},
		{"segment:", Config{Segment: -1}},
		{"segment:", Config{Segment: 100 * time.Millisecond}},
		{"window:", Config{Window: time.Second}},
		{"prefix:", Config{Prefix: "../x"}},
		{"ladder.rungs[0]:", rung(Rung{Width: 641, Height: 360, Bitrate: 1e6})},
		{"ladder.rungs[0]:", rung(Rung{Width: 100000, Height: 100000, Bitrate: 1e6})},
		{"ladder.rungs[0].bitrate:", rung(Rung{Width: 640, Height: 360})},
		{"ladder.rungs[0].max_rate:", rung(Rung{Width: 640, Height: 360, Bitrate: 1e6, MaxRate: 1e5})},
		{"ladder.rungs: 13 rungs", Config{Ladder: Ladder{Rungs: make([]Rung, 13)}}},
		{"ladder.preset:", Config{Ladder: Ladder{Preset: "-i /etc/passwd"}}},
		{"ladder.frame_rate:", Config{Ladder: Ladder{FrameRate: pack.Rate{Num: -1, Den: 1}}}},
		{"audio[0].bitrate:", Config{Audio: []Audio{{Language: "en", Bitrate: 1}}}},
		{"audio[0].tone:", Config{Audio: []Audio{{Language: "en", Tone: 99999}}}},
		{"audio[0].stream:", Config{Audio: []Audio{{Language: "en", Stream: -1}}}},
		{"audio[1].language:", Config{Audio: []Audio{{Language: "en"}, {}}}},
		{"subtitles[0].label:", Config{Subtitles: []Subtitle{{Language: "en", Label: "a\"b"}}}},
		{"audio: 9 audio", Config{Audio: make([]Audio, 9)}},
	}
	for _, tt := range tests {
		if l := tt.cfg.Validate(); len(l) == 0 || !strings.Contains(l.Error(), tt.want) {
			t.Errorf("want %q, got %v", tt.want, l)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	cfg := Config{Ladder: Ladder{Rungs: []Rung{{Width: 640, Height: 360, Bitrate: 1e6}, {Width: 640, Height: 360, Bitrate: 5e5}}},
		Audio: []Audio{{Language: "de"}, {Language: "de"}, {Language: "pt-BR", Label: "Brasil"}}}.WithDefaults()
	var names []string
	for _, track := range cfg.packing().Tracks {
		names = append(names, track.Name+"/"+track.Label)
	}
	if got := strings.Join(names, " "); got != "v360/ v360-2/ audio-de/Deutsch audio-de-2/Deutsch audio-pt-br/Brasil text-en/English" {
		t.Error(got)
	}
}

func TestArguments(t *testing.T) {
	cfg := Config{Live: true, Ladder: Ladder{FrameRate: pack.Rate{Num: 30000, Den: 1001}}}.WithDefaults()
	live := strings.Join(cfg.arguments("/f.ttf"), " ")
	for _, want := range []string{" -re -f lavfi ", "rate=30000/1001", " -g 60 -keyint_min 60 -sc_threshold 0 -force_key_frames expr:gte(n,n_forced*60)", "drawtext=fontfile=/f.ttf", " pipe:8"} {
		if !strings.Contains(live, want) {
			t.Errorf("no %q in %s", want, live)
		}
	}
	if strings.Contains(live, "tpad") || strings.Contains(live, "pipe:9") {
		t.Error(live)
	}
	cfg = Config{Input: "-x:/y", Duration: time.Second, Audio: []Audio{{Language: "en"}}}.WithDefaults()
	file := cfg.arguments("")
	joined := strings.Join(file, " ")
	for _, want := range []string{"-protocol_whitelist file,pipe -format_whitelist mov,", "-i file:/", "trim=end_frame=25", "end_sample=48000"} {
		if !strings.Contains(joined, want) {
			t.Errorf("no %q in %s", want, joined)
		}
	}
	if strings.Contains(joined, "drawtext") || strings.Contains(joined, "-re ") {
		t.Error(joined)
	}
}

func TestTimecode(t *testing.T) {
	cues := timecode("de").Cues(3599500*time.Millisecond, 3601*time.Second, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	if len(cues) != 2 || cues[1].End != 3601*time.Second || cues[1].Text != "[de] 01:00:00.500\n2026-03-01 12:00:01.000 UTC" {
		t.Errorf("%+v", cues)
	}
}

func TestProgress(t *testing.T) {
	text := "frame=25\nfps=24.90\nstream_0_0_q=29.0\nbitrate=N/A\ntotal_size=N/A\nout_time_us=-5\ndup_frames=1\ndrop_frames=2\nspeed=N/A\nprogress=continue\n" +
		"frame=50\nout_time_us=2000000\nspeed=1.01x\nprogress=end\n"
	var got []Progress
	readProgress(iotest.OneByteReader(strings.NewReader(text)), func(p Progress) { got = append(got, p) })
	if len(got) != 2 || got[0] != (Progress{Frame: 25, FPS: 24.9, Duplicated: 1, Dropped: 2}) ||
		got[1] != (Progress{Frame: 50, FPS: 24.9, Speed: 1.01, Duplicated: 1, Dropped: 2, Time: 2 * time.Second}) {
		t.Errorf("%+v", got)
	}
	r := strings.NewReader(strings.Repeat("x", 1<<20))
	readProgress(r, func(Progress) { t.Error("a report of nothing") })
	if r.Len() != 0 {
		t.Error("the rest was not read")
	}
}

func TestTail(t *testing.T) {
	var got []string
	w := &tail{report: func(lines []string) { got = lines }}
	for i := range 100 {
		_, _ = io.WriteString(w, "line "+string(rune('a'+i%26)))
		_, _ = io.WriteString(w, strings.Repeat(".", i*10)+"\n\n")
	}
	if len(got) != tailLines || !strings.HasPrefix(got[tailLines-1], "line v...") || len(got[tailLines-1]) != tailLine {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
}

func FuzzProgress(f *testing.F) {
	f.Add([]byte("frame=25\nfps=24.90\nout_time_us=1\nspeed=1x\nprogress=continue\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		readProgress(bytes.NewReader(data), func(p Progress) {
			if p.Time < 0 {
				t.Errorf("%+v", p)
			}
		})
		w := &tail{report: func(lines []string) {
			if len(lines) > tailLines {
				t.Errorf("%d lines", len(lines))
			}
		}}
		if n, err := w.Write(data); n != len(data) || err != nil {
			t.Error(n, err)
		}
	})
}

func FuzzProbe(f *testing.F) {
	f.Add([]byte(`{"streams":[{"codec_type":"video","width":320,"height":180},{"codec_type":"audio","tags":{"language":"ger"}}],"format":{"duration":"2.5"}}`))
	f.Add([]byte(`{"streams":[{"codec_type":"video","width":100000,"height":100000}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseProbe(data)
		if err == nil && (s.duration < 0 || s.duration > maxDuration || len(s.languages) > maxStreams) {
			t.Errorf("%+v", s)
		}
	})
}
