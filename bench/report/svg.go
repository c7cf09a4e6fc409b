package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"

	"manifold/bench/result"
)

// plot is one drawing with its lines.
type plot struct {
	Title, About string
	X, Y         axis
	Lines        []line
	Breaks       []float64 // where a new round begins

	SVG   template.HTML
	Table table
	ID    string
}

type axis struct {
	Label string
	Unit  result.Unit
	Log   bool
	Most  float64 // 0: as the values need
	Ticks []tick  // nil: by the values
}

type tick struct {
	At    float64
	Label string
}

type line struct {
	Name string
	X, Y []float64
}

// table is the numbers of a plot, for those who do not see it.
type table struct {
	Head []string
	Rows [][]string
}

const (
	width, height          = 720, 260
	left, right, top, base = 64, 12, 10, 36
	maxLines               = 4
	maxPoints              = 360 // of a line: more are not seen, and cost bytes
	maxRows                = 24
)

// draw fills SVG and Table; false where there is nothing to draw.
func (p *plot) draw() bool {
	xs, ys := extent{math.Inf(1), 0}, extent{math.Inf(1), 0}
	points := 0
	for i := range p.Lines {
		l := &p.Lines[i]
		*l = l.thinned()
		for k := range l.X {
			if p.Y.Log && l.Y[k] <= 0 {
				continue
			}
			xs.add(l.X[k])
			ys.add(l.Y[k])
			points++
		}
	}
	if points < 2 {
		return false
	}
	p.ID = "plot-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(p.Title))
	if !p.Y.Log {
		ys.low = 0
	}
	if p.Y.Most > 0 {
		ys.high = p.Y.Most
	}
	xTicks, yTicks := p.X.Ticks, p.Y.ticks(&ys)
	if xTicks == nil {
		xs.low = min(xs.low, 1)
		xTicks = linear(xs.low, xs.high, 8, result.Number)
	}
	x := func(v float64) float64 {
		return left + (v-xs.low)/max(xs.high-xs.low, 1e-9)*(width-left-right)
	}
	y := func(v float64) float64 {
		share := (v - ys.low) / max(ys.high-ys.low, 1e-12)
		if p.Y.Log {
			share = math.Log(max(v, ys.low)/ys.low) / max(math.Log(ys.high/ys.low), 1e-9)
		}
		return height - base - min(max(share, 0), 1)*(height-top-base)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		width, height, p.ID, p.ID, p.ID, html.EscapeString(p.Title), p.ID, html.EscapeString(p.describe()))
	for _, t := range yTicks {
		fmt.Fprintf(&b, `<path class="grid" d="M%d %.1fH%d"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`, left, y(t.At), width-right, left-6, y(t.At)+4, html.EscapeString(t.Label))
	}
	for _, t := range xTicks {
		if t.At < xs.low || t.At > xs.high {
			continue
		}
		fmt.Fprintf(&b, `<path class="grid" d="M%.1f %dV%d"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`, x(t.At), height-base, height-base+4, x(t.At), height-base+17, html.EscapeString(t.Label))
	}
	for _, v := range p.Breaks {
		fmt.Fprintf(&b, `<path class="break" d="M%.1f %dV%d"/>`, x(v), top, height-base)
	}
	fmt.Fprintf(&b, `<text class="label" x="%d" y="%d" text-anchor="end">%s</text>`, width-right, height-4, html.EscapeString(p.X.Label))
	for i, l := range p.Lines {
		fmt.Fprintf(&b, `<path class="line l%d" d="%s"/>`, i, l.path(x, y, p.Y.Log))
	}
	b.WriteString(`</svg>`)
	p.SVG = template.HTML(b.String())
	p.tabulate()
	return true
}

// path is a line as SVG has it; it is broken where there is no value.
func (l line) path(x, y func(float64) float64, log bool) string {
	var b strings.Builder
	pen := "M"
	for k := range l.X {
		if log && l.Y[k] <= 0 {
			pen = "M"
			continue
		}
		fmt.Fprintf(&b, "%s%.1f %.1f", pen, x(l.X[k]), y(l.Y[k]))
		pen = "L"
	}
	return b.String()
}

// thinned keeps the largest of each few points.
func (l line) thinned() line {
	n := (len(l.X) + maxPoints - 1) / maxPoints
	if n <= 1 {
		return l
	}
	out := line{Name: l.Name}
	for i := 0; i < len(l.X); i += n {
		most := i
		for k := i; k < min(i+n, len(l.X)); k++ {
			if l.Y[k] > l.Y[most] {
				most = k
			}
		}
		out.X, out.Y = append(out.X, l.X[most]), append(out.Y, l.Y[most])
	}
	return out
}

type extent struct{ low, high float64 }

func (e *extent) add(v float64) { e.low, e.high = min(e.low, v), max(e.high, v) }

// ticks widens the extent to round numbers, and gives them.
func (a *axis) ticks(e *extent) []tick {
	if !a.Log {
		if e.high <= e.low {
			e.high = e.low + 1
		}
		t := linear(e.low, e.high, 5, a.Unit)
		if last := t[len(t)-1].At; last < e.high && a.Most == 0 {
			step := t[1].At - t[0].At
			t = append(t, tick{last + step, a.Unit.Show(last + step)})
			e.high = last + step
		}
		return t
	}
	from, to := math.Floor(math.Log10(e.low)), math.Ceil(math.Log10(e.high))
	if to <= from {
		to = from + 1
	}
	e.low, e.high = math.Pow(10, from), math.Pow(10, to)
	var out []tick
	for k := from; k <= to; k++ {
		v := math.Pow(10, k)
		out = append(out, tick{v, a.Unit.Show(v * 1.0000001)})
	}
	return out
}

// linear gives about n round numbers from low to high.
func linear(low, high float64, n int, unit result.Unit) []tick {
	raw := (high - low) / float64(n)
	if raw <= 0 {
		return []tick{{low, unit.Show(low)}, {low + 1, unit.Show(low + 1)}}
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := power
	for _, m := range []float64{1, 2, 5, 10} {
		if step = m * power; step >= raw {
			break
		}
	}
	var out []tick
	for v := math.Ceil(low/step) * step; v <= high+step/1e6; v += step {
		out = append(out, tick{v, label(v, step, unit)})
	}
	if len(out) < 2 {
		out = append(out, tick{low + step, label(low+step, step, unit)})
	}
	return out
}

// label writes a tick without digits that the step does not have.
func label(v, step float64, unit result.Unit) string {
	if unit == result.Number || unit == result.Share {
		suffix := ""
		if unit == result.Share {
			v, step, suffix = v*100, step*100, " %"
		}
		digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
		if digits == 0 {
			return result.Count(int64(math.Round(v))) + suffix
		}
		return fmt.Sprintf("%.*f%s", digits, v, suffix)
	}
	return unit.Show(v)
}

// describe is the plot in words.
func (p *plot) describe() string {
	var list []string
	for _, l := range p.Lines {
		low, high := math.Inf(1), math.Inf(-1)
		for _, v := range l.Y {
			low, high = min(low, v), max(high, v)
		}
		if len(l.Y) > 0 {
			list = append(list, fmt.Sprintf("%s from %s to %s", l.Name, p.Y.Unit.Show(low), p.Y.Unit.Show(high)))
		}
	}
	return strings.Join(list, "; ") + "."
}

// tabulate makes the table of a plot: as many rows as can be read.
func (p *plot) tabulate() {
	p.Table.Head = []string{p.X.Label}
	longest := 0
	for i, l := range p.Lines {
		p.Table.Head = append(p.Table.Head, l.Name)
		if len(l.X) > len(p.Lines[longest].X) {
			longest = i
		}
	}
	xs := p.Lines[longest].X
	step := (len(xs) + maxRows - 1) / maxRows
	for k := 0; k < len(xs); k += max(step, 1) {
		row := []string{p.at(xs[k])}
		for _, l := range p.Lines {
			cell := "–"
			if k < len(l.Y) {
				cell = p.Y.Unit.Show(l.Y[k])
			}
			row = append(row, cell)
		}
		p.Table.Rows = append(p.Table.Rows, row)
	}
}

func (p *plot) at(x float64) string {
	if p.X.Ticks != nil { // percentiles
		return fmt.Sprintf("%.6g %%", 100*(1-math.Pow(10, -x)))
	}
	return fmt.Sprintf("%.4g", x)
}
