package dash

import (
	"math"
	"time"
)

// duration reads an xs:duration ("PT1H2M3.5S", "P1DT12H"). A year counts 365
// days and a month 30, what is negative or not a duration counts as 0, what
// is too long as the longest.
func duration(p []byte) time.Duration {
	for len(p) > 0 && isSpace(p[0]) {
		p = p[1:]
	}
	if len(p) < 3 || p[0] != 'P' {
		return 0
	}
	const day = 24 * time.Hour
	var total float64
	clock := false
	for p = p[1:]; len(p) > 0; {
		if p[0] == 'T' {
			clock = true
			p = p[1:]
			continue
		}
		n, scale, i := 0.0, 0.0, 0
		for ; i < len(p) && ('0' <= p[i] && p[i] <= '9' || p[i] == '.'); i++ {
			switch {
			case p[i] != '.':
				n = n*10 + float64(p[i]-'0')
				scale *= 10
			case scale == 0:
				scale = 1
			default:
				return 0
			}
		}
		if scale > 1 {
			n /= scale
		}
		if i == 0 || i == len(p) {
			break // white space at the end, or not a duration
		}
		var unit time.Duration
		switch c := p[i]; {
		case c == 'Y' && !clock:
			unit = 365 * day
		case c == 'M' && !clock:
			unit = 30 * day
		case c == 'D' && !clock:
			unit = day
		case c == 'H' && clock:
			unit = time.Hour
		case c == 'M' && clock:
			unit = time.Minute
		case c == 'S' && clock:
			unit = time.Second
		default:
			return 0
		}
		total += n * float64(unit)
		p = p[i+1:]
	}
	for _, c := range p {
		if !isSpace(c) {
			return 0
		}
	}
	if !(total < math.MaxInt64) {
		return math.MaxInt64
	}
	return time.Duration(math.Round(total))
}

// number reads an unsigned integer, saturating; ok is false where there is
// none.
func number(p []byte) (n uint64, ok bool) {
	for _, c := range p {
		switch {
		case '0' <= c && c <= '9':
			if n > (math.MaxUint64-9)/10 {
				n = math.MaxUint64
				continue
			}
			n, ok = n*10+uint64(c-'0'), true
		case isSpace(c):
		default:
			return 0, false
		}
	}
	return n, ok
}
