package transcoder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// stopTime is how long an FFmpeg that was asked to stop may take.
const stopTime = 5 * time.Second

// process is one FFmpeg.
type process struct {
	pid      int
	progress *os.File
	tracks   []*os.File // where each track is read
	done     chan struct{}
	err      error // after done

	once sync.Once
}

// start starts FFmpeg with a pipe for progress and one for each track.
func (t *Tool) start(args []string, tracks int, stderr io.Writer, nice int) (*process, error) {
	p := &process{done: make(chan struct{})}
	var theirs []*os.File
	closeAll := func(files []*os.File) {
		for _, f := range files {
			_ = f.Close()
		}
	}
	for range tracks + 1 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(theirs)
			closeAll(p.tracks)
			return nil, fmt.Errorf("cannot make pipe to FFmpeg: %w", err)
		}
		theirs = append(theirs, w)
		p.tracks = append(p.tracks, r)
	}
	p.progress, p.tracks = p.tracks[0], p.tracks[1:]

	cmd := exec.Command(t.Path, args...)
	cmd.Env = environment()
	cmd.Dir = "/"
	cmd.Stderr = stderr
	cmd.ExtraFiles = theirs // 3, 4, …
	cmd.SysProcAttr = t.attributes()
	cmd.WaitDelay = time.Second

	started := make(chan error)
	go func() {
		// Pdeathsig strikes when the thread that started the child ends, not
		// the process: the thread stays with this goroutine until then.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	err := <-started
	closeAll(theirs)
	if err != nil {
		closeAll(p.tracks)
		_ = p.progress.Close()
		return nil, fmt.Errorf("cannot start FFmpeg: %w", err)
	}
	p.pid = cmd.Process.Pid
	if nice > 0 {
		_ = syscall.Setpriority(syscall.PRIO_PGRP, p.pid, nice)
	}
	return p, nil
}

// stop asks FFmpeg to end, and kills its group where it does not. What it
// still writes must be read meanwhile.
func (p *process) stop() {
	p.once.Do(func() {
		if p.ended() {
			return
		}
		_ = syscall.Kill(p.pid, syscall.SIGINT)
		timer := time.NewTimer(stopTime)
		defer timer.Stop()
		select {
		case <-p.done:
		case <-timer.C:
			p.kill()
		}
	})
}

// kill ends FFmpeg and whatever it started.
func (p *process) kill() {
	if !p.ended() {
		_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	}
}

// ended tells whether FFmpeg has ended: its number may be another process's.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// close gives the pipes back.
func (p *process) close() {
	_ = p.progress.Close()
	for _, f := range p.tracks {
		_ = f.Close()
	}
}

// failure says how FFmpeg ended, with the last of what it said.
func failure(err error, lines []string) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("FFmpeg ended badly: %w", err)
	}
	how := fmt.Sprintf("with status %d", exit.ExitCode())
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		how = "by signal: " + ws.Signal().String()
	}
	if len(lines) == 0 {
		return fmt.Errorf("FFmpeg ended %s and said nothing", how)
	}
	text := ""
	for _, line := range lines[max(0, len(lines)-8):] {
		text += "\n  " + line
	}
	return fmt.Errorf("FFmpeg ended %s; its last words:%s", how, text)
}

// sleep waits; false where ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
