package transcoder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"manifold/origin/pack"
)

// Transcoder is one job.
type Transcoder struct {
	cfg     Config
	tool    *Tool
	args    []string
	version string
	tracks  int // that FFmpeg makes
	packer  *pack.Packager
	now     func() time.Time
	log     *slog.Logger

	mu     sync.Mutex
	status Status
}

// New prepares a job that puts its objects into sink: it looks at FFmpeg and
// the input, and starts nothing. The error is a problem.List where cfg is
// wrong; ErrNoFFmpeg, ErrOld, ErrLacks, ErrNoFont or ErrInput say what is
// missing and what to do.
func New(ctx context.Context, cfg Config, sink pack.Sink, now func() time.Time, log *slog.Logger) (*Transcoder, error) {
	if err := cfg.Validate().Err(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	t := &Transcoder{now: now, log: log}
	var err error
	if t.tool, err = Find(ctx, cfg.FFmpeg); err != nil {
		return nil, err
	}
	font := ""
	if !cfg.NoTimecode {
		if font, err = t.tool.font(cfg.Font); err != nil {
			return nil, err
		}
	}
	if cfg.Input != "" {
		source, err := t.tool.probe(ctx, cfg.Input)
		if err != nil {
			return nil, err
		}
		if err := cfg.resolve(source); err != nil {
			return nil, err
		}
	}
	t.cfg = cfg
	t.args = cfg.arguments(font)
	t.tracks = len(cfg.Ladder.Rungs) + len(cfg.Audio)
	if t.packer, err = pack.New(cfg.packing(), sink, now); err != nil {
		return nil, err
	}
	if !cfg.Live {
		if t.version = cfg.Version; t.version == "" {
			t.version = t.contentVersion()
		}
	}
	t.status = Status{State: Idle, Since: now(), Tool: *t.tool}
	return t, nil
}

// contentVersion names what this job makes: the same job over the same file
// with the same FFmpeg gives the same name.
func (t *Transcoder) contentVersion() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%d\n", t.tool.Version, strings.Join(t.args, "\n"), t.cfg.gop())
	for _, s := range t.cfg.Subtitles {
		fmt.Fprintf(h, "%s\n", s.Language)
	}
	if info, err := os.Stat(t.cfg.Input); t.cfg.Input != "" && err == nil {
		fmt.Fprintf(h, "%d %d\n", info.Size(), info.ModTime().UnixNano())
	}
	return hex.EncodeToString(h.Sum(nil)[:5])
}

// Ready is closed when the manifests can be fetched for the first time.
func (t *Transcoder) Ready() <-chan struct{} { return t.packer.Ready() }

// Run does the job. VOD: nil when everything is published; an error where
// FFmpeg, the input or the sink failed, or ctx ended. Live: it returns nil
// when ctx ends (the manifests stay as they are) or the content has ended
// (the manifests say so); a failure before anything was published is
// returned, later ones are logged and FFmpeg is started again.
func (t *Transcoder) Run(ctx context.Context) error {
	delay := t.cfg.RestartDelay
	for {
		made := t.packer.Status().Next
		err := t.once(ctx)
		switch {
		case ctx.Err() != nil:
			t.enter(Stopped, nil)
			if t.cfg.Live {
				return nil
			}
			return fmt.Errorf("cannot finish encoding: %w", context.Cause(ctx))
		case err == nil:
			if err = t.packer.Finish(ctx); err == nil {
				t.enter(Ended, nil)
				return nil
			}
		}
		if !t.cfg.Live || !t.packer.Status().Ready {
			t.enter(Failed, err)
			return err
		}
		if t.packer.Status().Next > made {
			delay = t.cfg.RestartDelay
		}
		t.enter(Waiting, err)
		t.log.Warn("live encoder failed, starting it again", "prefix", t.cfg.Prefix, "in", delay, "error", err)
		if !sleep(ctx, delay) {
			t.enter(Stopped, nil)
			return nil
		}
		delay = min(2*delay, max(maxRestart, t.cfg.RestartDelay))
	}
}
