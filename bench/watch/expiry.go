package watch

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// expiries finds when a token says it ends: seconds since 1970.
var expiries = regexp.MustCompile(`(?i)\b(?:exp|expires|expiry)=(1[0-9]{9}|[2-9][0-9]{9})\b`)

// expiry tells, for the evidence, whether a token that was refused had simply
// run out.
func (w *watcher) expiry(address string) string {
	m := expiries.FindStringSubmatch(address)
	if m == nil {
		return ""
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return ""
	}
	left := time.Unix(n, 0).Sub(w.cfg.Now()).Round(time.Second)
	if left < 0 {
		return fmt.Sprintf(": it ran out %s ago", -left)
	}
	return fmt.Sprintf(": it says it is good for %s more", left)
}
