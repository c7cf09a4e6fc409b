package viewer

import "time"

// State is what a viewer is doing.
type State uint8

// The states.
const (
	Starting State = iota // no picture yet
	Playing
	Stalled // the buffer ran dry
	Seeking // no picture since the viewer went elsewhere
	Ended   // all was played
	Left    // the viewer had enough
	Failed  // the player gave up
)

func (s State) String() string {
	return [...]string{"starting", "playing", "stalled", "seeking", "ended", "left", "failed"}[s]
}

// Over tells that nothing more comes.
func (s State) Over() bool { return s >= Ended }

// Outcome is what a viewer got.
type Outcome struct {
	State State
	// Why is why the player gave up.
	Why string
	// Startup is until the first picture; negative where none came.
	Startup time.Duration
	// Stalls and Stood are how often and how long the picture stood for want of
	// media, Played how much was seen.
	Stalls        int
	Stood, Played time.Duration
	// Seeks and Sought are how often the viewer went elsewhere, and how long it
	// took all in all until there was a picture again.
	Seeks  int
	Sought time.Duration
	// Switches are changes of quality, Moves changes of pathway: Steered by an
	// answer, the others for a failure. Jumps are leaps to the live edge.
	Switches, Moves, Steered, Jumps int
	// Segments, Bytes and Abandoned count media of all tracks; Fetched those
	// that were fetched indeed.
	Segments, Fetched, Abandoned int
	Bytes                        int64
	// Bits is the sum of rate × length over the video segments, Filmed of the
	// lengths: Bits/Filmed.Seconds() is the mean rate.
	Bits   float64
	Filmed time.Duration
	// Polls are steering requests; Deaf that steering ended before the viewer did.
	Polls int
	Deaf  bool
	// Errors are requests that failed.
	Errors int
}
