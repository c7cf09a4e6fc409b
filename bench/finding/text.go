package finding

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteText writes a report for people: the verdict last, where a terminal
// leaves it in view.
func (r *Report) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	p := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	p("%s", r.URL)
	p("%s, watched %s, %s", r.Kind, r.Ended.Sub(r.Began).Round(100*time.Millisecond), r.Client)
	p("%d documents, %d reloads, %d segments listed, %d fetched (%s)", len(r.Resources), r.reloads(), r.SegmentsSeen, r.SegmentsFetched, size(r.Bytes))
	for _, f := range r.Facts {
		p("%s", f)
	}
	r.table(p)
	for _, f := range r.Findings {
		p("")
		f.write(p)
	}
	if r.Lost > 0 {
		p("\n%d further findings at other places were not kept.", r.Lost)
	}
	violations, warnings, notes, known := r.Counts()
	p("")
	switch {
	case r.Failed():
		p("FAILED: %s, %s.", plural(violations, "violation"), plural(warnings, "warning"))
	case warnings+known > 0:
		p("PASSED: no violation; %s, %d known.", plural(warnings, "warning"), known)
	default:
		p("PASSED: nothing found%s.", map[bool]string{true: fmt.Sprintf(", %s", plural(notes, "note")), false: ""}[notes > 0])
	}
	return b.Flush()
}

func (r *Report) reloads() (n int) {
	for _, d := range r.Resources {
		n += d.Reloads
	}
	return n
}

func (r *Report) table(p func(string, ...any)) {
	const most = 40
	if len(r.Resources) == 0 {
		return
	}
	p("")
	p("  %-34s %8s %9s %8s  %s", "document", "reloads", "segments", "fetched", "live edge")
	for i, d := range r.Resources {
		if i == most {
			p("  and %d more", len(r.Resources)-most)
			break
		}
		edge := ""
		if d.Edge != nil {
			edge = fmt.Sprintf("%.1f s ago", *d.Edge)
		}
		p("  %-34s %8d %9d %8d  %s", cut(d.Name, 34), d.Reloads, d.Segments, d.Fetched, edge)
	}
}

func (f *Finding) write(p func(string, ...any)) {
	head := strings.ToUpper(f.Rule.Severity.String())
	if f.Known != "" {
		head = "KNOWN"
	}
	p("%s  %s  %s", head, f.Rule.ID, f.Rule.Title)
	if f.Said != "" {
		p("  found   %s", f.Said)
	}
	p("  where   %s%s", f.Where, f.others())
	if f.URL != "" {
		p("          %s", f.URL)
	}
	p("  when    %s", f.when())
	for _, l := range f.Before {
		p("  before  %s", l)
	}
	for _, l := range f.After {
		p("  after   %s", l)
	}
	p("  clause  %s", f.Rule.Clause)
	if f.Known != "" {
		p("  known   %s", f.Known)
	} else {
		p("  cure    %s", f.Rule.Cure)
	}
	for _, u := range f.Under {
		p("  hence   %s: %s (%s%s)", u.Rule.ID, orElse(u.Said, u.Rule.Title), u.Where, u.others())
	}
}

func (f *Finding) others() string {
	n := len(f.Places) + f.MorePlaces
	if n == 0 {
		return ""
	}
	const named = 3
	list := f.Places[:min(named, len(f.Places))]
	s := ", and " + strings.Join(list, ", ")
	if n > len(list) {
		s += fmt.Sprintf(" and %d more", n-len(list))
	}
	return s
}

func (f *Finding) when() string {
	s := f.At.UTC().Format("15:04:05.000Z")
	switch {
	case f.Previous > 0:
		s += fmt.Sprintf(", reload %d after %d", f.Reload, f.Previous)
	case f.Reload > 0:
		s += fmt.Sprintf(", reload %d", f.Reload)
	}
	if f.Count > 1 {
		s += fmt.Sprintf("; %d times until %s", f.Count, f.Last.UTC().Format("15:04:05.000Z"))
	}
	return s
}

// String is the line with its number.
func (l Line) String() string { return fmt.Sprintf("%5d | %s", l.Number, l.Text) }

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}
