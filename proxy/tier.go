package proxy

import (
	"slices"
	"strconv"
	"strings"

	"manifold/device"
	"manifold/explain"
	"manifold/internal/problem"
	"manifold/manifest"
	"manifold/session"
)

// TierConfig is one offer of a channel: what its manifests list for those
// whose token names it.
type TierConfig struct {
	// Name is the value of the tier claim: [A-Za-z0-9._-]+.
	Name string
	// Filter says what is listed; the zero Filter lists all. It is no lock:
	// who knows the address of a playlist that is not listed may still ask for
	// it, as far as the token's paths allow.
	Filter manifest.Filter
}

// tier is a TierConfig in use.
type tier struct {
	name   string
	id     session.Name
	filter manifest.Filter
}

// noTier is the index of no tier: the channel has none.
const noTier = -1

// validateTiers checks a channel's tiers.
func (c *ChannelConfig) validateTiers(l *problem.List) {
	names := make([]string, 0, len(c.Tiers))
	for i := range c.Tiers {
		t := &c.Tiers[i]
		at := problem.At("tiers", i)
		checkName(l, at+".name", "tier", t.Name, names)
		names = append(names, t.Name)
		l.Under(at, validateFilter(&t.Filter))
	}
	if err := session.Distinct(names...); err != nil {
		l.Add("tiers", "%v", err)
	}
	if c.DefaultTier != "" {
		c.checkTier(l, "default_tier", c.DefaultTier)
	}
}

// checkName tells of a name that cannot be one, or that is taken.
func checkName(l *problem.List, path, what, name string, taken []string) {
	switch {
	case name == "":
		l.AddHint(strings.TrimSuffix(path, ".name"), "write name: basic", "the %s has no name", what)
	case !idForm.MatchString(name):
		l.Add(path, "%q is not the name of a %s: use letters, digits, dot, underscore and hyphen", name, what)
	}
	if name != "" && slices.Contains(taken, name) {
		l.Add(path, "another %s of the channel is called %q", what, name)
	}
}

// checkTier tells of a tier that the channel does not have.
func (c *ChannelConfig) checkTier(l *problem.List, path, name string) {
	var names []string
	for _, t := range c.Tiers {
		if t.Name == name {
			return
		}
		if t.Name != "" && !slices.Contains(names, t.Name) {
			names = append(names, t.Name)
		}
	}
	hint := "its tiers are " + strings.Join(names, ", ")
	if len(names) == 0 {
		hint = "list it under the channel's tiers"
	}
	l.AddHint(path, hint, "the channel has no tier %q", name)
}

func validateFilter(f *manifest.Filter) (l problem.List) {
	for _, b := range []struct {
		name       string
		least, top int
	}{{"height", f.MinLines, f.MaxLines}, {"bitrate", f.MinBitrate, f.MaxBitrate}} {
		if b.least < 0 || b.top < 0 {
			l.Add("max_"+b.name, "a bound must not be negative")
		} else if b.top > 0 && b.least > b.top {
			l.Add("min_"+b.name, "min_%s %d is above max_%s %d: nothing would fit", b.name, b.least, b.name, b.top)
		}
	}
	if f.MaxFrameRate < 0 {
		l.Add("max_frame_rate", "a bound must not be negative")
	}
	if f.StartBitrate < 0 {
		l.Add("start_bitrate", "a bitrate must not be negative")
	}
	for _, list := range []struct {
		name, hint string
		items      []string
	}{
		{"codecs", `write how its codecs begin, as in avc1, hvc1.2 or mp4a.40`, f.Codecs},
		{"languages", `write tags of BCP 47, as in de or pt-BR, or "*"`, f.Languages},
		{"subtitles", `write tags of BCP 47, as in de or pt-BR, or "*"`, f.Subtitles},
	} {
		for i, s := range list.items {
			if s == "" || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-+*") != "" {
				l.AddHint(problem.At(list.name, i), list.hint, "%q cannot stand here", s)
			}
		}
	}
	return l
}

// newTiers makes the tiers of a valid configuration. Where none is named as
// the default the first is: an operator who lists tiers does not give all of
// them away.
func (ch *channel) newTiers(c *ChannelConfig) {
	ch.defaultTier = noTier
	for i, t := range c.Tiers {
		ch.tiers = append(ch.tiers, tier{name: t.Name, id: session.NameOf(t.Name), filter: t.Filter})
		if t.Name == c.DefaultTier || i == 0 {
			ch.defaultTier = i
		}
	}
}

// tierOf finds a tier by what a session address says of it.
func (ch *channel) tierOf(id session.Name) int {
	for i := range ch.tiers {
		if ch.tiers[i].id == id {
			return i
		}
	}
	return noTier
}

// chooseTier finds what is offered to the viewer: the tier that the token
// names, else that of the viewer's cohort, else the channel's default. A name
// that the channel does not have counts as none; that it was there is told,
// for it is a mistake of either side.
func (r *request) chooseTier() {
	claimed := r.viewer.Claims.Tier
	r.tier, r.tierWhy = r.ch.tierOf(claimed), explain.AccessTier
	if len(r.ch.tiers) == 0 || r.tier != noTier {
		return
	}
	r.tier, r.tierWhy = r.ch.defaultTier, explain.AccessTierDefault
	if r.cohort != noCohort && r.ch.cohorts[r.cohort].tier != noTier {
		r.tier, r.tierWhy = r.ch.cohorts[r.cohort].tier, explain.AccessTierCohort
	}
	if claimed != 0 {
		if r.tierWhy == explain.AccessTierDefault {
			r.tierWhy = explain.AccessTierUnknown
		}
		if r.atEntry() {
			r.happened(unknownTier)
		}
	}
}

// filterOf is what a tier and a device leave of what is listed, or nil where
// that is all of it.
func (ch *channel) filterOf(tier int, d *device.Profile) *manifest.Filter {
	f := manifest.Filter{MaxLines: d.MaxHeight, Codecs: d.Codecs, SDROnly: d.SDROnly}
	if tier != noTier {
		f = ch.tiers[tier].filter.And(f)
	}
	if f.Neutral() {
		return nil
	}
	return &f
}

// traceFilter says what the filter left out, and where it could not be carried
// through: something is always left to play (see the formats' packages).
func (r *request) traceFilter(t template, f *manifest.Filter) {
	if f == nil {
		return
	}
	subject := "device " + r.device.Name
	if r.tier != noTier {
		subject = "tier " + r.ch.tiers[r.tier].name + ", " + subject
	}
	pictures, sounds := tally{}, tally{}
	var out []string
	for _, s := range t.Renditions() {
		keeps := f.Keeps(&s)
		switch s.Kind {
		case manifest.Variant, manifest.Video:
			pictures.add(keeps)
		case manifest.Audio:
			sounds.add(keeps)
		}
		if !keeps {
			out = append(out, describeRendition(&s))
		}
	}
	const most = 8
	if len(out) > most {
		out = append(out[:most], "and "+strconv.Itoa(len(out)-most)+" more")
	}
	left := ""
	if len(out) > 0 {
		left = "; out of bounds: " + strings.Join(out, ", ")
	}
	r.trace.Plan(explain.PlanFilter, subject, describeFilter(f)+left)
	if pictures.none() {
		r.trace.Plan(explain.PlanFilterKept, "picture", "the smallest stays")
	}
	if sounds.none() {
		r.trace.Plan(explain.PlanFilterKept, "audio", "all of it stays")
	}
}

// tally counts streams of one kind.
type tally struct{ all, kept int }

func (t *tally) add(keeps bool) {
	t.all++
	if keeps {
		t.kept++
	}
}

// none says that there are streams of the kind, and none is kept.
func (t *tally) none() bool { return t.all > 0 && t.kept == 0 }

func describeRendition(s *manifest.Rendition) string {
	words := []string{s.Kind.String()}
	if n := s.Lines(); n > 0 {
		words = append(words, strconv.Itoa(n)+"p")
	}
	if s.Bitrate > 0 {
		words = append(words, strconv.Itoa(s.Bitrate/1000)+" kbit/s")
	}
	for _, w := range []string{s.Language, s.Range, s.Codecs} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// describeFilter is a filter in words.
func describeFilter(f *manifest.Filter) string {
	var words []string
	bounds := func(what, unit string, least, most int) {
		switch {
		case least > 0 && most > 0:
			words = append(words, what+" "+strconv.Itoa(least)+" to "+strconv.Itoa(most)+unit)
		case least > 0:
			words = append(words, what+" from "+strconv.Itoa(least)+unit)
		case most > 0:
			words = append(words, what+" to "+strconv.Itoa(most)+unit)
		}
	}
	bounds("height", "", f.MinLines, f.MaxLines)
	bounds("bitrate", " bit/s", f.MinBitrate, f.MaxBitrate)
	if f.MaxFrameRate > 0 {
		words = append(words, "frame rate to "+strconv.FormatFloat(f.MaxFrameRate, 'g', -1, 64))
	}
	if f.SDROnly {
		words = append(words, "SDR")
	}
	for _, list := range []struct {
		what  string
		items []string
	}{{"codecs", f.Codecs}, {"languages", f.Languages}, {"subtitles", f.Subtitles}} {
		if len(list.items) > 0 {
			words = append(words, list.what+" "+strings.Join(list.items, " "))
		}
	}
	switch f.Order {
	case manifest.Ascending:
		words = append(words, "in ascending order")
	case manifest.Descending:
		words = append(words, "in descending order")
	}
	if f.StartBitrate > 0 {
		words = append(words, "beginning at "+strconv.Itoa(f.StartBitrate)+" bit/s")
	}
	return strings.Join(words, ", ")
}
