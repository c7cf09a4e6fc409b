package transcoder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Tool is an FFmpeg that was looked at once.
type Tool struct {
	// Path and Prober are the programs ffmpeg and ffprobe; Prober is empty
	// where there is none.
	Path, Prober string
	// Version as FFmpeg gives it ("5.1.9-0+deb12u1").
	Version string
	// Drawtext tells whether it can write text into a picture.
	Drawtext bool
	// Isolated tells whether FFmpeg is run without any network: in a network
	// namespace of its own, which not every system allows.
	Isolated bool
}

// Errors of an FFmpeg that cannot be used.
var (
	ErrNoFFmpeg = errors.New("FFmpeg is not there: install the Debian package ffmpeg (apt-get install ffmpeg)")
	ErrOld      = errors.New("FFmpeg is too old")
	ErrLacks    = errors.New("FFmpeg lacks a part")
	ErrNoFont   = errors.New("there is no font for the timecode")
)

// The oldest FFmpeg that is driven: Debian 12 has 5.1.
const (
	minMajor, minMinor = 5, 1
	lookTime           = 20 * time.Second
)

// Find looks for FFmpeg under name (empty: "ffmpeg" in the PATH) and at what
// it can do.
func Find(ctx context.Context, name string) (*Tool, error) {
	if name == "" {
		name = "ffmpeg"
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("cannot find %s: %w (%w)", name, ErrNoFFmpeg, err)
	}
	if found, err = filepath.Abs(found); err != nil {
		return nil, fmt.Errorf("cannot find %s: %w", name, err)
	}
	t := &Tool{Path: found, Isolated: true}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	out, err := t.ask(ctx, found, "-version")
	if err != nil { // perhaps it is the isolation that is not allowed
		t.Isolated = false
		out, err = t.ask(ctx, found, "-version")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot ask %s for its version: %w", found, err)
	}
	if t.Version, err = version(out); err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", found, err)
	}
	if err := t.parts(ctx); err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", found, err)
	}
	prober := filepath.Join(filepath.Dir(found), strings.Replace(filepath.Base(found), "ffmpeg", "ffprobe", 1))
	if prober != found {
		if p, err := exec.LookPath(prober); err == nil {
			t.Prober = p
		}
	}
	return t, nil
}

var versionLine = regexp.MustCompile(`^ffmpeg version (\S+)`)

// version reads the first line of -version. A build from the source has no
// number ("N-112233-gabcdef"): it is taken for a new one.
func version(out []byte) (string, error) {
	m := versionLine.FindSubmatch(out)
	if m == nil {
		line, _, _ := bytes.Cut(out, []byte("\n"))
		return "", fmt.Errorf("its version line is %q, not FFmpeg's", truncate(string(line), 100))
	}
	v := string(m[1])
	major, rest, _ := strings.Cut(strings.TrimPrefix(v, "n"), ".")
	a, err := strconv.Atoi(major)
	if err != nil {
		return v, nil
	}
	b := 0
	for i := 0; i < len(rest) && rest[i] >= '0' && rest[i] <= '9'; i++ {
		b = b*10 + int(rest[i]-'0')
	}
	if a < minMajor || a == minMajor && b < minMinor {
		return "", fmt.Errorf("%w: %s, at least %d.%d is needed (Debian 12 has 5.1)", ErrOld, v, minMajor, minMinor)
	}
	return v, nil
}

// parts looks for the encoders and filters that are always needed.
func (t *Tool) parts(ctx context.Context) error {
	encoders, err := t.ask(ctx, t.Path, "-hide_banner", "-encoders")
	if err != nil {
		return err
	}
	filters, err := t.ask(ctx, t.Path, "-hide_banner", "-filters")
	if err != nil {
		return err
	}
	for name, list := range map[string][]byte{"libx264": encoders, "aac": encoders, "testsrc2": filters, "scale": filters} {
		if !listed(list, name) {
			return fmt.Errorf("%w: %s (Debian's own package ffmpeg has it)", ErrLacks, name)
		}
	}
	t.Drawtext = listed(filters, "drawtext")
	return nil
}

// listed finds a name in the second column of one of FFmpeg's lists.
func listed(list []byte, name string) bool {
	for line := range strings.Lines(string(list)) {
		if f := strings.Fields(line); len(f) >= 2 && f[1] == name {
			return true
		}
	}
	return false
}

// ask runs a program that only says something.
func (t *Tool) ask(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = environment()
	cmd.SysProcAttr = t.attributes()
	cmd.WaitDelay = time.Second
	var out, errors limited
	out.limit, errors.limit = 1<<20, 8<<10
	cmd.Stdout, cmd.Stderr = &out, &errors
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(errors.String()); text != "" {
			return nil, fmt.Errorf("%w: %s", err, truncate(text, 1000))
		}
		return nil, err
	}
	return out.Bytes(), nil
}

// limited keeps the first bytes written to it.
type limited struct {
	bytes.Buffer
	limit int
}

func (l *limited) Write(p []byte) (int, error) {
	if room := l.limit - l.Len(); room > 0 {
		l.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func truncate(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// environment is all that FFmpeg gets: no proxies, no colours, no secrets.
func environment() []string {
	return []string{"LANG=C.UTF-8", "TZ=UTC", "AV_LOG_FORCE_NOCOLOR=1", "PATH=" + os.Getenv("PATH")}
}

// attributes put the program into a process group of its own, let it die with
// this one, and, where it works, into an empty network namespace.
func (t *Tool) attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if !t.Isolated {
		return a
	}
	a.Cloneflags = syscall.CLONE_NEWNET
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	}
	return a
}

// fonts are where Debian's packages put what can be read from a distance.
var fonts = []string{
	"/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf",
	"/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
	"/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
	"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
	"/usr/share/fonts/truetype/liberation/LiberationMono-Bold.ttf",
	"/usr/share/fonts/truetype/liberation2/LiberationMono-Bold.ttf",
}

// font gives the font file for the timecode.
func (t *Tool) font(wanted string) (string, error) {
	if !t.Drawtext {
		return "", fmt.Errorf("cannot burn in the timecode: %w: drawtext (leave the timecode out, or use Debian's own package ffmpeg)", ErrLacks)
	}
	candidates := fonts
	if wanted != "" {
		candidates = []string{wanted}
	}
	for _, f := range candidates {
		if info, err := os.Stat(f); err == nil && info.Mode().IsRegular() {
			return f, nil
		}
	}
	if wanted != "" {
		return "", fmt.Errorf("cannot burn in the timecode: %w: no file %s", ErrNoFont, wanted)
	}
	return "", fmt.Errorf("cannot burn in the timecode: %w: install the Debian package fonts-dejavu-core, name a font, or leave the timecode out", ErrNoFont)
}
