package inspect

import (
	"math"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The types of attributes (annex B of ISO/IEC 23009-1, W3C XML Schema part 2).

// typeNames are the types as messages name them.
var typeNames = map[string]string{
	"uint": "a whole number", "int": "a whole number", "uints": "a list of whole numbers", "float": "a number", "bool": "true or false",
	"duration": "a duration like PT4S", "date": "a date and time like 2026-01-02T03:04:05Z", "ratio": "a ratio like 16:9",
	"rate": "a frame rate like 25 or 30000/1001", "range": "a byte range like 0-999", "sap": "a number from 0 to 6",
	"id": "a name without white space", "ato": "a number of seconds, or INF", "codecs": "a list like avc1.64001f,mp4a.40.2",
}

var (
	durationForm = regexp.MustCompile(`^-?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$`)
	rateForm     = regexp.MustCompile(`^[0-9]+(/[1-9][0-9]*)?$`)
	ratioForm    = regexp.MustCompile(`^[0-9]+:[0-9]+$`)
	rangeForm    = regexp.MustCompile(`^[0-9]+-[0-9]*$`)
)

// fits tells whether a value is of a type.
func (t *attrType) fits(v string) bool {
	switch t.form {
	case "word":
		return slices.Contains(t.words, v)
	case "uint":
		_, err := strconv.ParseUint(strings.TrimPrefix(v, "+"), 10, 64)
		return err == nil
	case "int":
		_, err := strconv.ParseInt(v, 10, 64)
		return err == nil
	case "uints":
		for field := range strings.FieldsSeq(v) {
			if _, err := strconv.ParseUint(field, 10, 64); err != nil {
				return false
			}
		}
	case "float", "ato":
		f, err := strconv.ParseFloat(v, 64)
		return err == nil && (t.form == "ato" && v == "INF" || !math.IsInf(f, 0) && !strings.ContainsAny(v, "xXpP_"))
	case "bool":
		return v == "true" || v == "false" || v == "1" || v == "0"
	case "duration":
		_, ok := parseDuration(v)
		return ok
	case "date":
		_, _, ok := parseDate(v)
		return ok
	case "ratio":
		return ratioForm.MatchString(v)
	case "rate":
		return rateForm.MatchString(v)
	case "range":
		return rangeForm.MatchString(v)
	case "sap":
		return len(v) == 1 && v[0] >= '0' && v[0] <= '6'
	case "id", "codecs":
		return v != "" && !strings.ContainsAny(v, " \t\r\n") || t.form == "codecs" && v != "" && !strings.ContainsAny(strings.ReplaceAll(v, ", ", ","), " \t\r\n")
	}
	return true
}

// parseDuration reads an xs:duration that is not negative. A year counts 365
// days and a month 30.
func parseDuration(v string) (time.Duration, bool) {
	m := durationForm.FindStringSubmatch(v)
	if m == nil || v[0] == '-' || strings.HasSuffix(v, "P") || strings.HasSuffix(v, "T") {
		return 0, false
	}
	const day = 24 * time.Hour
	var sum float64
	for i, unit := range [...]time.Duration{365 * day, 30 * day, day, time.Hour, time.Minute, time.Second} {
		if m[i+1] != "" {
			n, _ := strconv.ParseFloat(m[i+1], 64)
			sum += n * float64(unit)
		}
	}
	if sum >= math.MaxInt64 {
		return math.MaxInt64, true
	}
	return time.Duration(math.Round(sum)), true
}

// durationOf gives an attribute that is a duration; 0 where it is not there, or
// none.
func (e *element) durationOf(name string) Seconds {
	d, _ := parseDuration(e.str(name))
	return Seconds(d)
}

// dateOf gives an attribute that is a date, or nil.
func (e *element) dateOf(name string) *time.Time {
	if t, _, ok := parseDate(e.str(name)); ok {
		return dateOrNil(t)
	}
	return nil
}

// uintOf gives an attribute that is a number, else the default.
func (e *element) uintOf(name string, otherwise uint64) uint64 {
	if n, err := strconv.ParseUint(e.str(name), 10, 64); err == nil {
		return n
	}
	return otherwise
}

// mediaSpan converts media time to time, saturating.
func mediaSpan(n, timescale uint64) time.Duration {
	hi, lo := bits.Mul64(n, uint64(time.Second))
	if timescale == 0 || hi >= timescale {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, timescale)
	return time.Duration(min(q, math.MaxInt64))
}
