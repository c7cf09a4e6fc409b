package inspect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// tagChecker checks single lines by the table of tags: what every playlist is
// asked, whatever its kind.
type tagChecker struct {
	findings
	kind  where
	first map[string]int  // the line of each tag that may stand once
	odd   map[string]bool // the unknown tags looked at
}

// maxOdd bounds the unknown tags that are compared with the known ones.
const maxOdd = 1000

// text checks the playlist as text: section 4.1.
func (c *tagChecker) text(src string) {
	if strings.HasPrefix(src, "\ufeff") {
		c.add(at{1, 1, ""}, hlsRule(Error, "4.1", "write the file in UTF-8 without a byte order mark"), "", "a byte order mark stands before #EXTM3U")
	}
	if at := strings.Index(src, "#EXTM3U"); strings.Trim(src[:at], "\ufeff") != "" {
		c.add(c.locate(src, at), hlsRule(Error, "4.4.1.1", "remove what stands before it"), "", "something stands before #EXTM3U")
	}
	if !utf8.ValidString(src) {
		c.add(c.locate(src, strings.IndexRune(src, utf8.RuneError)), hlsRule(Error, "4.1", "write the file in UTF-8"), "", "the playlist is not UTF-8")
		return
	}
	for i, r := range src {
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r >= 0x7f && r <= 0x9f {
			c.add(c.locate(src, i), hlsRule(Error, "4.1", "remove it"), "control", fmt.Sprintf("a control character (%U)", r))
			return
		}
	}
}

// locate gives the place of an offset; -1 is the beginning.
func (c *tagChecker) locate(src string, i int) at {
	i = max(i, 0)
	return at{1 + strings.Count(src[:i], "\n"), i - strings.LastIndexByte(src[:i], '\n'), ""}
}

// check checks a line and gives its tag's rule, nil where the tag is unknown,
// and its attributes.
func (c *tagChecker) check(l *line) (*tagRule, []attribute) {
	if l.padded {
		c.add(at{l.number, 1, ""}, hlsRule(Error, "4.1", "remove the blanks"), "padded", "blanks at the beginning or end of a line")
	}
	if l.tag == "" {
		return nil, nil
	}
	t := hlsTags[l.tag]
	here := at{l.number, l.indent + 1, ""}
	if t == nil {
		c.unknown(l, here)
		return nil, nil
	}
	if t.name == "EXT-X-ALLOW-CACHE" {
		c.add(here, hlsRule(Warning, "8", "remove it"), "", "EXT-X-ALLOW-CACHE was taken out of the protocol with version 7")
	}
	if t.once {
		if c.first == nil {
			c.first = make(map[string]int)
		}
		if at, twice := c.first[t.name]; twice {
			c.add(here, hlsRule(Error, t.clause, "keep one of them"), "", fmt.Sprintf("a second %s; the first is on line %d", t.name, at))
		} else {
			c.first[t.name] = l.number
		}
	}
	here.column = l.column
	switch t.form {
	case formAny, formDuration:
	case formNone:
		if l.colon {
			c.add(here, hlsRule(Warning, t.clause, "leave it out"), "", t.name+" has a value, and means none")
		}
	case formList:
		all := attributes(l.value, l.column)
		c.list(t, l, all)
		return t, all
	default:
		c.value(t, nil, t.name, &attribute{value: l.value}, here)
	}
	return t, nil
}

// unknown tells a tag that looks like a known one; others are nobody's
// business.
func (c *tagChecker) unknown(l *line, here at) {
	if c.odd == nil {
		c.odd = make(map[string]bool)
	}
	if c.odd[l.tag] || len(c.odd) == maxOdd {
		return
	}
	c.odd[l.tag] = true
	best := ""
	for name := range hlsTags {
		if d := distance(l.tag, name, 2); d <= 2 && (best == "" || name < best) {
			best = name
		}
	}
	if best != "" {
		c.add(here, hlsRule(Warning, "4.1", "did you mean "+best+"?"), "", "no player knows the tag "+short(l.tag))
	}
}

// list checks an attribute list.
func (c *tagChecker) list(t *tagRule, l *line, all []attribute) {
	seen := make(map[string]bool, len(all))
	for i := range all {
		a := &all[i]
		here := at{l.number, a.column, ""}
		if a.sloppy {
			c.add(here, hlsRule(Error, "4.2", "write NAME=VALUE,NAME=VALUE without blanks"), "blanks "+t.name, t.name+": blanks or text beside "+short(a.name))
		}
		if seen[a.name] {
			c.add(here, hlsRule(Error, "4.2", "keep one of them"), "", t.name+" has "+short(a.name)+" twice")
			continue
		}
		seen[a.name] = true
		if !isAttributeName(a.name) {
			c.add(here, hlsRule(Error, "4.2", "names are of A-Z, 0-9 and hyphen"), "", t.name+": "+strconv.Quote(short(a.name))+" is not an attribute's name")
		}
		if !a.valued {
			c.add(here, hlsRule(Error, "4.2", "give it one, or leave the attribute out"), "", t.name+": "+short(a.name)+" has no value")
			continue
		}
		if r := t.attr(a.name); r != nil {
			c.value(t, r, t.name+": "+a.name, a, here)
		}
	}
	for i := range t.attrs {
		r := &t.attrs[i]
		if a := find(all, r.name); r.required && (a == nil || !a.valued || a.value == "" && r.form != formQuoted) {
			c.add(at{l.number, l.indent + 1, ""}, hlsRule(Error, t.clause, "add it"), "", t.name+" has no "+r.name)
		}
	}
}

// value checks the value of an attribute, or of a tag where r is nil.
func (c *tagChecker) value(t *tagRule, r *attrRule, name string, a *attribute, here at) {
	form, wantQuotes := t.form, false
	if r != nil {
		form = r.form
		wantQuotes = r.quoted || form == formQuoted
		if form == formOrNone {
			wantQuotes = a.value != "NONE"
		}
	}
	wrong := func(g Grade, cure string) {
		text := name + " is not " + formNames[form]
		if r != nil && r.values != nil {
			text = name + " is none of " + strings.Join(r.values, ", ")
		}
		c.add(here, hlsRule(g, t.clause, cure), "form "+name, text+": "+strconv.Quote(short(a.value)))
	}
	if strings.Contains(a.value, "{$") { // a variable stands for some of it
		return
	}
	switch {
	case form == formAny:
		return
	case wantQuotes && !a.quoted:
		c.add(here, hlsRule(Error, "4.2", "put it in quotes"), "quotes "+name, name+" is not in quotes")
		return
	case r != nil && !wantQuotes && a.quoted:
		c.add(here, hlsRule(Error, "4.2", "write it without quotes"), "quotes "+name, name+" is in quotes")
		return
	case !matchesForm(form, a.value):
		wrong(Error, "")
	case form == formHex && strings.ContainsAny(a.value, "abcdef"):
		c.add(here, hlsRule(Warning, "4.2", "write A to F as capitals"), "lower "+name, name+" has small letters in its hexadecimal number")
	case r != nil && r.values != nil && !slices.Contains(r.values, a.value):
		wrong(Error, "")
	case form == formDate:
		if _, zoned, _ := parseDate(a.value); !zoned {
			c.add(here, hlsRule(Warning, t.clause, "add Z or an offset like +01:00"), "zone", name+" has no time zone: players take UTC")
		}
	}
}

func matchesForm(form valueForm, v string) bool {
	switch form {
	case formInteger:
		_, err := strconv.ParseUint(v, 10, 64)
		return err == nil && v[0] != '+'
	case formFloat, formSigned:
		if form == formSigned {
			v = strings.TrimPrefix(v, "-")
		}
		return isDecimal(v)
	case formHex:
		digits, ok := strings.CutPrefix(v, "0x")
		if !ok {
			digits, ok = strings.CutPrefix(v, "0X")
		}
		return ok && digits != "" && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
	case formEnum:
		return v != "" && !strings.ContainsAny(v, "\", \t")
	case formResolution:
		w, h, ok := strings.Cut(v, "x")
		return ok && matchesForm(formInteger, w) && matchesForm(formInteger, h)
	case formDate:
		_, _, ok := parseDate(v)
		return ok
	case formRange:
		n, o, both := strings.Cut(v, "@")
		return matchesForm(formInteger, n) && (!both || matchesForm(formInteger, o))
	}
	return true
}

// isDecimal tells digits with at most one dot among them.
func isDecimal(v string) bool {
	whole, part, _ := strings.Cut(v, ".")
	return whole+part != "" && strings.Trim(whole, "0123456789") == "" && strings.Trim(part, "0123456789") == ""
}

// parseDate reads a date of ISO 8601 as playlists have it; zoned says that it
// states its zone. One without is UTC (section 4.4.4.6).
func parseDate(v string) (t time.Time, zoned, ok bool) {
	for i, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t, i < 3, true
		}
	}
	return time.Time{}, false, false
}

// seconds reads a decimal number of seconds; ok is false where v is none.
func seconds(v string) (d time.Duration, ok bool) {
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || !isDecimal(strings.TrimPrefix(v, "-")) || f > 1e9 || f < -1e9 {
		return 0, false
	}
	return time.Duration(f*1e9 + 0.5), true
}

func isAttributeName(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// short keeps what a message quotes from a manifest readable, and printable.
func short(s string) string {
	const most = 48
	s = strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '�'
		}
		return r
	}, s[:min(len(s), 4*most)])
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// distance is the number of letters to insert, remove or replace to make b of
// a, or more than most.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
