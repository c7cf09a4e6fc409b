package viewer

import (
	"net/url"
	"time"
)

// Kind is what a request is for.
type Kind uint8

// The kinds of requests.
const (
	Entry    Kind = iota // the address that the viewer was given
	List                 // an HLS media playlist
	Update               // an MPD again
	Steering             // a steering answer
	Init                 // an initialisation section
	Media                // a segment
)

// Kinds is how many kinds there are.
const Kinds = int(Media) + 1

func (k Kind) String() string {
	return [...]string{"entry", "playlist", "mpd update", "steering", "initialisation", "segment"}[k]
}

// Document tells whether it is text that a viewer reads, not media.
func (k Kind) Document() bool { return k <= Steering }

// Request is what a viewer asks for.
type Request struct {
	ID   uint32
	Kind Kind
	// URL is empty for media of viewers that do not fetch it.
	URL string
	// Bytes is how large media is expected to be, by its rate.
	Bytes int64
	// Every is how often a document is asked for, 0 where it is once.
	Every time.Duration
	// Pathway is the name of the pathway that media comes from.
	Pathway string
}

// Answer is what came of a request.
type Answer struct {
	ID     uint32
	Status int   // 0: none
	Err    error // why there is no answer, or no whole one
	// URL is the address that answered, Doc what [Library.Read] made of it.
	URL        *url.URL
	Doc        any
	RetryAfter time.Duration
	Bytes      int64
	// Begin is when the request was sent, First when the header came, Done when
	// all was there.
	Begin, First, Done time.Time
}

// OK tells whether all of it is there.
func (a *Answer) OK() bool { return a.Err == nil && a.Status >= 200 && a.Status < 300 }

// Port is what a viewer acts through. None of its methods calls the viewer.
type Port interface {
	// Send begins a request; Answer follows.
	Send(v *Viewer, r Request)
	// Cancel breaks one off; an answer that comes all the same is ignored.
	Cancel(v *Viewer, id uint32)
	// Progress is how many bytes of one have come so far, and when the first.
	Progress(v *Viewer, id uint32, now time.Time) (bytes int64, first time.Time)
}
