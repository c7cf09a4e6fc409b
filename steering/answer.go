package steering

import (
	"math"
	"strconv"
	"time"
)

// ContentType is the media type of a steering answer, for HLS and DASH alike.
const ContentType = "application/vnd.apple.steering-list"

// Answer is one steering answer. Players were observed to stop steering for
// good on other statuses, other versions, a missing or relative RELOAD-URI, so
// every answer has all members, is status 200, and lists at least one pathway.
type Answer struct {
	// TTL is how long the player waits until it asks again; rounded to whole
	// seconds, at least 1.
	TTL time.Duration
	// Reload is the absolute RELOAD-URI.
	Reload []byte
}

// Append appends the JSON body: VERSION, TTL, RELOAD-URI, PATHWAY-PRIORITY.
// Reload and the pathway ids must need no escaping in JSON (URLs and
// [A-Za-z0-9._-]).
func (a *Answer) Append(dst []byte, s *State, o *Order) []byte {
	dst = append(dst, `{"VERSION":1,"TTL":`...)
	dst = strconv.AppendInt(dst, max(1, int64(math.Round(a.TTL.Seconds()))), 10)
	dst = append(dst, `,"RELOAD-URI":"`...)
	dst = append(dst, a.Reload...)
	dst = append(dst, `","PATHWAY-PRIORITY":[`...)
	for i := range o.N {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, s.Pathways[o.Index[i]].ID...)
		dst = append(dst, '"')
	}
	return append(dst, "]}\n"...)
}

// jitterShare is the largest part of a TTL that is added or taken away, so
// that sessions which began together do not ask together for ever.
const jitterShare = 0.15

// Jitter gives the TTL of one session: ttl ± 15 %, always the same for the
// same session.
func Jitter(ttl time.Duration, session uint64) time.Duration {
	u := float64(mix(session^0x9e3779b97f4a7c15)>>11) / (1 << 53) // [0, 1)
	return time.Duration(float64(ttl) * (1 + jitterShare*(2*u-1)))
}
