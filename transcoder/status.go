package transcoder

import (
	"time"

	"manifold/origin/pack"
)

// State is what a Transcoder is doing.
type State string

// The states: not run yet; FFmpeg at work; FFmpeg failed and will be started
// again; the content came to its end; stopped on demand; given up.
const (
	Idle    State = "idle"
	Running State = "running"
	Waiting State = "waiting"
	Ended   State = "ended"
	Stopped State = "stopped"
	Failed  State = "failed"
)

// Status is where a job stands.
type Status struct {
	State State
	// Since is when the State was entered.
	Since time.Time
	// Tool is the FFmpeg that is used.
	Tool Tool
	// PID is FFmpeg's process, 0 where none runs.
	PID int
	// Starts counts the times FFmpeg was started.
	Starts int
	// Progress is the newest of the running or last FFmpeg.
	Progress Progress
	// LastError says why FFmpeg last failed; empty where it never did.
	LastError string
	// LastLines are the last lines FFmpeg wrote to stderr, at most 40.
	LastLines []string
	// Presentation is what has been published.
	Presentation pack.Status
}

// Status gives the state of now.
func (t *Transcoder) Status() Status {
	t.mu.Lock()
	s := t.status
	s.LastLines = append([]string(nil), s.LastLines...)
	t.mu.Unlock()
	s.Presentation = t.packer.Status()
	return s
}

func (t *Transcoder) update(f func(*Status)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.status)
}

func (t *Transcoder) enter(state State, err error) {
	now := t.now()
	t.update(func(s *Status) {
		s.State, s.Since = state, now
		if state != Running {
			s.PID = 0
		}
		if err != nil {
			s.LastError = err.Error()
		}
	})
}
