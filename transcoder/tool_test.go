package transcoder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// answers are how a stand-in for FFmpeg answers what it is asked first. It
// encodes nothing: it fails in the ways an FFmpeg can.
const answers = `#!/bin/sh
case "$*" in
-version) echo "ffmpeg version 5.1.9-test Copyright"; exit 0 ;;
*-encoders) echo " V....D libx264 x"; echo " A....D aac x"; exit 0 ;;
*-filters) echo " ... testsrc2 x"; echo " ... scale x"; echo " T.C drawtext x"; exit 0 ;;
esac
`

func script(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFindRefuses(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file string
		want       error
		text       string
	}{
		{"missing", "/nonexistent/ffmpeg", ErrNoFFmpeg, "install the Debian package ffmpeg"},
		{"not in the PATH", "ffmpeg-that-is-not-there", ErrNoFFmpeg, "install the Debian package ffmpeg"},
		{"not a program", plain, ErrNoFFmpeg, "permission denied"},
		{"old", script(t, "#!/bin/sh\necho ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright"), ErrOld, "at least 5.1 is needed"},
		{"just too old", script(t, "#!/bin/sh\necho ffmpeg version 5.0 Copyright"), ErrOld, "5.0"},
		{"something else", script(t, "#!/bin/sh\necho hello"), nil, `"hello", not FFmpeg's`},
		{"silent", script(t, "#!/bin/sh\n"), nil, "not FFmpeg's"},
		{"broken", script(t, "#!/bin/sh\necho error while loading shared libraries >&2; exit 127"), nil, "shared libraries"},
		{"without x264", script(t, strings.Replace(answers, "libx264", "h264_v4l2m2m", 1)), ErrLacks, "libx264"},
	}
	for _, tt := range tests {
		_, err := Find(context.Background(), tt.file)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if _, err := New(context.Background(), Config{FFmpeg: tt.file}, newSink(), time.Now, quiet); err == nil {
			t.Errorf("%s: New took it", tt.name)
		}
	}
	for _, v := range []string{"5.1", "6.0.1", "n7.1", "N-112233-gabcdef", "10.0"} {
		if tool, err := Find(context.Background(), script(t, strings.Replace(answers, "5.1.9-test", v, 1))); err != nil || tool.Version != v {
			t.Errorf("version %s: %v", v, err)
		}
	}
}

func TestFont(t *testing.T) {
	noText := script(t, strings.Replace(answers, "drawtext", "drawbox", 1))
	with := script(t, answers)
	tests := []struct {
		cfg  Config
		want error
	}{
		{Config{FFmpeg: noText}, ErrLacks},
		{Config{FFmpeg: noText, NoTimecode: true}, nil},
		{Config{FFmpeg: with, Font: "/nonexistent.ttf"}, ErrNoFont},
		{Config{FFmpeg: with, Font: "/nonexistent.ttf", NoTimecode: true}, nil},
	}
	for i, tt := range tests {
		_, err := New(context.Background(), tt.cfg, newSink(), time.Now, quiet)
		if !errors.Is(err, tt.want) {
			t.Errorf("%d: %v, want %v", i, err, tt.want)
		}
	}
	old := fonts
	defer func() { fonts = old }()
	fonts = []string{"/nonexistent.ttf"}
	if _, err := New(context.Background(), Config{FFmpeg: with}, newSink(), time.Now, quiet); !errors.Is(err, ErrNoFont) || !strings.Contains(err.Error(), "fonts-dejavu-core") {
		t.Errorf("no font at all: %v", err)
	}
}

// How an FFmpeg can fail before it has made anything: the reason is given,
// with its own words, and nothing is left behind.
func TestFailures(t *testing.T) {
	child := filepath.Join(t.TempDir(), "child")
	tests := []struct {
		name, run string
		live      bool
		want      string
	}{
		{"error", "echo '[error] Conversion failed!' >&2; exit 187", false, "with status 187; its last words:\n  [error] Conversion failed!"},
		{"error, live", "echo '[error] Conversion failed!' >&2; exit 1", true, "Conversion failed!"},
		{"silent error", "exit 1", false, "with status 1 and said nothing"},
		{"many words", "yes '[warning] too much to say' | head -100000 >&2; echo last >&2; exit 1", false, "\n  last"},
		{"signal", "kill -9 $$", false, "by signal: killed"},
		{"no output", "exit 0", false, "unexpected EOF"},
		{"nonsense", "echo garbage >&4; exec sleep 60", false, "its size"},
		{"half a header", "printf '\\0\\0\\0\\034ftypiso6' >&4; exit 3", false, "with status 3"},
		{"stands still", "exec sleep 60", false, "stands still"},
		{"stands still, deaf, with a child", "trap '' INT TERM; sleep 60 & echo $! > " + child + "; wait; sleep 60", true, "stands still"},
	}
	for _, tt := range tests {
		cfg := Config{FFmpeg: script(t, answers+tt.run+"\n"), NoTimecode: true, Live: tt.live, Stall: 300 * time.Millisecond}
		s := newSink()
		tr, err := New(context.Background(), cfg, s, time.Now, quiet)
		if err != nil {
			t.Fatal(err)
		}
		err = tr.Run(context.Background())
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
			continue
		}
		st := tr.Status()
		if st.State != Failed || st.PID != 0 || st.LastError != err.Error() || len(err.Error()) > 5000 || len(st.LastLines) > tailLines {
			t.Errorf("%s: %+v", tt.name, st)
		}
		if len(s.objects) > 0 {
			t.Errorf("%s: %d objects left", tt.name, len(s.objects))
		}
	}
	pid, err := os.ReadFile(child)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(pid)) + "/fd/0"); err == nil {
		t.Errorf("the child %s of a killed FFmpeg is still there", pid)
	}
}

// An FFmpeg that does not listen to a stop is killed.
func TestDeafEncoderIsKilled(t *testing.T) {
	t.Parallel()
	cfg := Config{FFmpeg: script(t, answers+"trap '' INT\necho deaf >&2\nwhile :; do sleep 1; done\n"), NoTimecode: true, Live: true, Stall: time.Hour}
	tr, err := New(context.Background(), cfg, newSink(), time.Now, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := tr.Run(ctx); err != nil {
		t.Errorf("a stop: %v", err)
	}
	if d := time.Since(start); d < stopTime || d > 2*stopTime {
		t.Errorf("it took %v", d)
	}
	if st := tr.Status(); st.State != Stopped || st.PID != 0 {
		t.Errorf("%+v", st)
	}
}
