package transcoder

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The child's descriptors: standard ones, then progress, then one pipe for
// each video and audio track in the order of packing.
const (
	progressFD = 3
	firstFD    = 4
)

// primed is the number of samples by which FFmpeg's AAC encoder delays its
// input. The first samples of the source are cut by as much, and the rest
// left where it is, so that the first packet is at 0 and sound and picture
// are exactly aligned, without an edit list, which CMAF forbids for video and
// players read differently.
const primed = 1024

// arguments are FFmpeg's for a full, resolved Config.
func (c *Config) arguments(font string) []string {
	args := []string{"-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+warning",
		"-progress", "pipe:" + strconv.Itoa(progressFD), "-stats_period", "1"}
	args = append(args, c.input()...)
	args = append(args, "-filter_complex", c.filters(font))
	fd := firstFD
	for i, r := range c.Ladder.Rungs {
		gop := strconv.Itoa(c.gop())
		args = append(args, "-map", fmt.Sprintf("[v%d]", i),
			"-c:v", "libx264", "-preset", c.Ladder.Preset, "-profile:v", "high", "-pix_fmt", "yuv420p",
			"-b:v", strconv.Itoa(r.Bitrate), "-maxrate", strconv.Itoa(r.maxRate()), "-bufsize", strconv.Itoa(r.maxRate()),
			"-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-force_key_frames", "expr:gte(n,n_forced*"+gop+")",
			"-flags:v", "+cgop+bitexact")
		args = append(args, output(fd)...)
		fd++
	}
	for i, a := range c.Audio {
		args = append(args, "-map", fmt.Sprintf("[a%d]", i), "-c:a", "aac", "-b:a", strconv.Itoa(a.Bitrate), "-ac", "2",
			"-ar", strconv.Itoa(audioRate), "-flags:a", "+bitexact", "-metadata:s:0", "language="+iso639(a.Language))
		args = append(args, output(fd)...)
		fd++
	}
	return args
}

// output writes one track as fragments of one frame.
func output(fd int) []string {
	return []string{"-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flush_packets", "1",
		"-f", "mp4", "-movflags", "+cmaf+frag_every_frame+empty_moov+default_base_moof+skip_trailer", "pipe:" + strconv.Itoa(fd)}
}

func (c *Config) input() []string {
	var args []string
	if c.Live {
		args = append(args, "-re")
	}
	if c.Input == "" {
		top := c.Ladder.Rungs[0]
		graph := fmt.Sprintf("testsrc2=size=%dx%d:rate=%s[out0]", top.Width, top.Height, c.Ladder.FrameRate)
		for i, a := range c.Audio {
			graph += fmt.Sprintf(";sine=frequency=%d:beep_factor=2:sample_rate=%d[out%d]", a.Tone, audioRate, i+1)
		}
		return append(args, "-f", "lavfi", "-i", graph)
	}
	if c.Live {
		args = append(args, "-stream_loop", "-1")
	}
	args = append(args, inputOptions()...)
	return append(args, "-i", "file:"+c.Input)
}

// filters is the graph from the inputs to one output for each track. Picture
// and sound are made to begin at 0 and, where the content ends, to end at the
// same moment: the last picture is held, silence added.
func (c *Config) filters(font string) string {
	var g strings.Builder
	top := c.Ladder.Rungs[0]
	g.WriteString("[0:v:0]")
	if c.Input != "" {
		fmt.Fprintf(&g, "scale=%d:%d:force_original_aspect_ratio=decrease,pad=%d:%d:-1:-1,", top.Width, top.Height, top.Width, top.Height)
	}
	fmt.Fprintf(&g, "fps=fps=%s:start_time=0,setsar=1,format=yuv420p", c.Ladder.FrameRate)
	if frames := c.frames(); frames > 0 {
		fmt.Fprintf(&g, ",tpad=stop=-1:stop_mode=clone,trim=end_frame=%d", frames)
	}
	if font != "" {
		text := `%{pts\:hms}`
		if c.Live {
			text += `  %{gmtime\:%F %T} UTC`
		}
		// A live clock has 37 characters, each three fifths of the size wide.
		g.WriteString(drawtext(font, text, "x=(w-tw)/2:y=h-th-h/24", max(min(top.Height/12, top.Width/24), 10)))
	}
	fmt.Fprintf(&g, ",split=%d", len(c.Ladder.Rungs))
	for i := range c.Ladder.Rungs {
		fmt.Fprintf(&g, "[s%d]", i)
	}
	for i, r := range c.Ladder.Rungs {
		fmt.Fprintf(&g, ";[s%d]", i)
		if i > 0 {
			fmt.Fprintf(&g, "scale=%d:%d:flags=bilinear,", r.Width, r.Height)
		}
		g.WriteString("setsar=1")
		if font != "" {
			g.WriteString(drawtext(font, fmt.Sprintf("%dx%d  %d kbit/s", r.Width, r.Height, r.Bitrate/1000), "x=w-tw-h/24:y=h/24", max(r.Height/16, 9)))
		}
		fmt.Fprintf(&g, "[v%d]", i)
	}
	for i, a := range c.Audio {
		c.sound(&g, i, a)
	}
	return g.String()
}

func drawtext(font, text, place string, size int) string {
	return fmt.Sprintf(",drawtext=fontfile=%s:text='%s':%s:fontsize=%d:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=%d", font, text, place, size, size/4)
}

// sound appends the chain of audio track i.
func (c *Config) sound(g *strings.Builder, i int, a Audio) {
	switch {
	case a.silent:
		fmt.Fprintf(g, ";anullsrc=channel_layout=stereo:sample_rate=%d", audioRate)
	case c.Input == "":
		fmt.Fprintf(g, ";[0:a:%d]aformat=channel_layouts=stereo", i)
	default:
		fmt.Fprintf(g, ";[0:a:%d]aresample=%d:async=1:first_pts=0,aformat=channel_layouts=stereo", a.Stream, audioRate)
	}
	if frames := c.frames(); frames > 0 {
		rate := c.Ladder.FrameRate
		end := int64(frames) * int64(rate.Den) * audioRate / int64(rate.Num)
		fmt.Fprintf(g, ",apad,atrim=start_sample=%d:end_sample=%d[a%d]", primed, end, i)
		return
	}
	fmt.Fprintf(g, ",atrim=start_sample=%d[a%d]", primed, i)
}

// frames is the length of the content in frames, 0 where it has no end.
func (c *Config) frames() int {
	if c.Duration <= 0 {
		return 0
	}
	return max(1, int(math.Round(c.Duration.Seconds()*c.Ladder.FrameRate.Float())))
}
