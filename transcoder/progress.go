package transcoder

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"strings"
	"time"
)

// Progress is what FFmpeg says of its work once a second (-progress).
type Progress struct {
	// Frame counts the frames encoded of the first rung.
	Frame int64
	// FPS is the rate of encoding in frames a second; Speed is media time
	// over time: below 1, a live encoder falls behind.
	FPS, Speed float64
	// Duplicated and Dropped are frames made or left out to keep the rate.
	Duplicated, Dropped int64
	// Time is the media time encoded.
	Time time.Duration
}

// readProgress calls report for every block of key=value lines, which ends
// with "progress=continue" or "progress=end", until r ends.
func readProgress(r io.Reader, report func(Progress)) {
	var p Progress
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), 64<<10)
	for lines.Scan() {
		key, value, ok := strings.Cut(lines.Text(), "=")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch key {
		case "frame":
			p.Frame, _ = strconv.ParseInt(value, 10, 64)
		case "fps":
			p.FPS, _ = strconv.ParseFloat(value, 64)
		case "speed":
			p.Speed, _ = strconv.ParseFloat(strings.TrimSuffix(value, "x"), 64)
		case "dup_frames":
			p.Duplicated, _ = strconv.ParseInt(value, 10, 64)
		case "drop_frames":
			p.Dropped, _ = strconv.ParseInt(value, 10, 64)
		case "out_time_us":
			us, _ := strconv.ParseInt(value, 10, 64)
			p.Time = time.Duration(max(us, 0)) * time.Microsecond
		case "progress":
			report(p)
		}
	}
	_, _ = io.Copy(io.Discard, r) // a line too long must not block FFmpeg
}

// tail keeps the last lines of stderr, in bounds.
type tail struct {
	lines   []string
	partial []byte
	report  func(lines []string)
}

const (
	tailLines = 40
	tailLine  = 400
)

// Write takes a piece of stderr.
func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		line, rest, whole := bytes.Cut(p, []byte("\n"))
		if room := tailLine - len(t.partial); room > 0 {
			t.partial = append(t.partial, line[:min(room, len(line))]...)
		}
		p = rest
		if !whole {
			break
		}
		if text := strings.ToValidUTF8(strings.TrimSpace(string(t.partial)), "�"); text != "" {
			t.lines = append(t.lines, text)
			if len(t.lines) > tailLines {
				t.lines = append(t.lines[:0], t.lines[len(t.lines)-tailLines:]...)
			}
		}
		t.partial = t.partial[:0]
	}
	t.report(append([]string(nil), t.lines...))
	return n, nil
}
