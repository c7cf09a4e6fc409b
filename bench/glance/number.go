package glance

import "time"

// seconds reads a decimal number of seconds; what is not one is not ok.
func seconds(s []byte) (time.Duration, bool) {
	var whole, frac int64
	scale := int64(time.Second)
	digits, dot := 0, false
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
			if !dot {
				if whole = whole*10 + int64(c-'0'); whole > 9_000_000_000 {
					return 0, false
				}
			} else if scale > 1 {
				scale /= 10
				frac += int64(c-'0') * scale
			}
		case c == '.' && !dot && digits > 0:
			dot = true
		default:
			return 0, false
		}
	}
	return time.Duration(whole)*time.Second + time.Duration(frac), digits > 0
}

func integer(s []byte) (uint64, bool) {
	var n uint64
	for _, c := range s {
		if c < '0' || c > '9' || n > 1<<59 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, len(s) > 0
}

func date(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// duration reads an xs:duration of days, hours, minutes and seconds; years and
// months, which no stream has, are refused.
func duration(s string) (time.Duration, bool) {
	if len(s) < 3 || s[0] != 'P' {
		return 0, false
	}
	var d time.Duration
	inTime, digits := false, 0
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'T' && !inTime && digits == 0:
			inTime = true
		case c >= '0' && c <= '9' || c == '.':
			digits++
		default:
			v, ok := seconds([]byte(s[i-digits : i]))
			unit := map[bool]map[byte]time.Duration{
				false: {'D': 24 * time.Hour}, true: {'H': time.Hour, 'M': time.Minute, 'S': time.Second},
			}[inTime][c]
			if !ok || unit == 0 || v/time.Second > time.Duration(1<<62)/unit {
				return 0, false
			}
			if c == 'S' {
				d += v
			} else {
				d += time.Duration(v.Seconds() * float64(unit))
			}
			digits = 0
		}
	}
	return d, digits == 0 && d >= 0
}
