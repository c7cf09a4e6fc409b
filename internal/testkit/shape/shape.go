// Package shape serves files as over a slow network: each session has one link,
// whose speed follows a trace from its first request on, and which its requests
// share. It is there to give a real player and a model of it the same network.
//
// A [Server] has one lock, around the list of its sessions, and each session
// one, around the time up to which its link is taken.
package shape

import (
	"io"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Step is a stretch of a trace, in bits/s.
type Step struct {
	For  time.Duration
	Bits float64
}

// Server serves the files of a folder at /SESSION/FILE.
type Server struct {
	// Dir is the folder, Trace each session's network, from the beginning
	// again when it is over; Trip its round trip.
	Dir   string
	Trace []Step
	Trip  time.Duration

	mu       sync.Mutex
	sessions map[string]*link
}

type link struct {
	trace []Step
	began time.Time

	mu   sync.Mutex
	free time.Time
}

// ServeHTTP answers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, file, _ := strings.Cut(strings.TrimPrefix(path.Clean(r.URL.Path), "/"), "/")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Timing-Allow-Origin", "*")
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	defer root.Close()
	f, err := root.Open(file)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		http.NotFound(w, r)
		return
	}
	l := s.session(name)
	if !wait(r, time.Now().Add(s.Trip)) {
		return
	}
	w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	_ = flush.Flush()
	buf := make([]byte, 2048)
	for {
		n, err := f.Read(buf)
		if n > 0 {
			if !wait(r, l.take(n)) {
				return
			}
			if _, err := w.Write(buf[:n]); err != nil {
				return
			}
			_ = flush.Flush()
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

func (s *Server) session(name string) *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.sessions[name]
	if l == nil {
		if s.sessions == nil {
			s.sessions = map[string]*link{}
		}
		l = &link{trace: s.Trace, began: time.Now()}
		s.sessions[name] = l
	}
	return l
}

// take books n bytes on the link, and says when the last of them is through.
func (l *link) take(n int) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.free.Before(now) {
		l.free = now
	}
	bits := 8 * float64(n)
	for bits > 0 {
		speed, left := l.at(l.free)
		if can := speed * left.Seconds(); can < bits {
			bits -= can
			l.free = l.free.Add(left)
			continue
		}
		l.free = l.free.Add(time.Duration(bits / speed * float64(time.Second)))
		break
	}
	return l.free
}

// at is the speed at a time, and how long it lasts.
func (l *link) at(t time.Time) (bits float64, left time.Duration) {
	var whole time.Duration
	for _, s := range l.trace {
		whole += s.For
	}
	at := t.Sub(l.began) % whole
	for _, s := range l.trace {
		if at < s.For {
			return s.Bits, s.For - at
		}
		at -= s.For
	}
	return l.trace[0].Bits, l.trace[0].For
}

func wait(r *http.Request, until time.Time) bool {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-r.Context().Done():
		return false
	case <-t.C:
		return true
	}
}
