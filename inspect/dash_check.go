package inspect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"manifold/manifest/dash"
)

// mpdReader reads an MPD's tree for what its template does not tell, and
// checks it.
type mpdReader struct {
	findings
	doc  *document
	t    *dash.Template
	m    *MPD
	live bool
	now  *time.Time
	// listed counts the segments that were listed, checked holds the segment information that was checked.
	listed  int
	checked map[*element]bool
}

// maxListed bounds the segments that are listed, which S@r makes cheap to
// claim: over it, the AdaptationSets that follow stay unlisted.
const maxListed = 1 << 20

// lookUp is what finding a Representation counts for beside its segments.
const lookUp = 256

// readMPD reads an MPD that compiled.
func readMPD(t *dash.Template, now *time.Time) (*MPD, []Problem) {
	r := &mpdReader{t: t, m: &MPD{}, live: t.Index().Live, now: now, checked: map[*element]bool{}}
	doc, err := readTree(t.Source())
	if err != nil {
		r.add(at{}, rule{grade: Error, clause: "XML 1.0"}, "", err.Error())
		return r.m, r.sorted()
	}
	r.doc = doc
	if doc.bare {
		r.wrong(Error, doc.root, "/@xmlns", "5.2.2", "write xmlns=\""+mpdNamespace+"\"", "", "the MPD is in no namespace: validators refuse it")
	}
	r.schema(doc.root)
	r.describe()
	r.checkMPD()
	r.checkPeriods()
	r.checkEdge()
	return r.m, r.sorted()
}

// wrong adds a problem at an element.
func (r *mpdReader) wrong(g Grade, e *element, what, clause, cure, key, text string) {
	if key != "" {
		key += " " + e.name
	} else {
		key = text
	}
	if r.again(key) {
		return
	}
	r.add(r.doc.at(e, what), dashRule(g, clause, cure), key, text)
}

// schema checks an element and those below it by the table. What is of another
// namespace is nobody's business here, and neither is what stands in it.
func (r *mpdReader) schema(e *element) {
	row := mpdSchema[e.name]
	if row == nil {
		return
	}
	for _, name := range row.required {
		if v, ok := e.get(name); (!ok || v == "") && !(name == "d" && e.name == "S" && e.str("p") != "") {
			r.wrong(Error, e, "/@"+name, row.clause, "add it", "no @"+name, e.name+" has no @"+name)
		}
	}
	for i := range e.attrs {
		a := &e.attrs[i]
		if a.Name.Space != "" || a.Name.Local == "xmlns" {
			continue
		}
		t, known := row.attrs[a.Name.Local]
		v := strings.TrimSpace(a.Value)
		switch {
		case !known:
			if near := nearest(a.Name.Local, row.attrs); near != "" {
				r.wrong(Warning, e, "/@"+a.Name.Local, row.clause, "did you mean @"+near+"?", "odd @"+a.Name.Local, e.name+" has no attribute @"+short(a.Name.Local))
			}
		case t.form == "word" && !t.fits(v):
			r.wrong(Error, e, "/@"+a.Name.Local, row.clause, "write one of "+strings.Join(t.words, ", "), "type @"+a.Name.Local, fmt.Sprintf("@%s of %s is %q", a.Name.Local, e.name, short(v)))
		case !t.fits(v) && v != "":
			r.wrong(Error, e, "/@"+a.Name.Local, row.clause, "", "type @"+a.Name.Local, fmt.Sprintf("@%s of %s is not %s: %s", a.Name.Local, e.name, typeNames[t.form], short(v)))
		}
	}
	r.children(e, row)
	for _, k := range e.kids {
		if k.space == "" {
			r.schema(k)
		}
	}
}

// children checks the names and the order of an element's children.
func (r *mpdReader) children(e *element, row *elementRule) {
	if len(row.children) == 1 && row.children[0] == "-" {
		return
	}
	highest, name := -1, ""
	for _, k := range e.kids {
		if k.space != "" || k.name == "ContentSteering" {
			continue
		}
		i := slices.Index(row.children, k.name)
		switch {
		case i < 0:
			if near := nearest(k.name, row.children); near != "" {
				r.wrong(Warning, k, "", row.clause, "did you mean "+near+"?", "odd", e.name+" has no child "+short(k.name))
			} else if len(row.children) > 0 && mpdSchema[k.name] != nil {
				r.wrong(Error, k, "", row.clause, "", "misplaced", k.name+" does not belong into "+e.name)
			}
		case i < highest:
			r.wrong(Warning, k, "", "annex B", "move it up: validators, and players built on schemas, refuse another order", "order "+e.name, k.name+" stands behind "+name)
		default:
			highest, name = i, k.name
		}
	}
}

// nearest gives the known name that differs from an unknown one by a slip of
// the hand, or "".
func nearest[T map[string]attrType | []string](name string, known T) (best string) {
	if len(name) < 4 {
		return ""
	}
	look := func(k string) {
		if d := distance(strings.ToLower(name), strings.ToLower(k), 2); len(k) > 3 && d <= 2 && (best == "" || k < best) {
			best = k
		}
	}
	switch known := any(known).(type) {
	case map[string]attrType:
		for k := range known {
			look(k)
		}
	case []string:
		for _, k := range known {
			look(k)
		}
	}
	return best
}

// checkMPD checks the attributes of the MPD against each other: 5.3.1.2.
func (r *mpdReader) checkMPD() {
	root := r.doc.root
	has := func(name string) bool { v, _ := root.get(name); return v != "" }
	wrong := func(g Grade, name, cure, text string) { r.wrong(g, root, "/@"+name, "5.3.1.2", cure, "", text) }
	periods := root.all("Period")
	if len(periods) == 0 {
		r.wrong(Error, root, "", "5.3.1.2", "add one", "", "the MPD has no Period")
	}
	if r.live {
		if !has("availabilityStartTime") {
			wrong(Error, "availabilityStartTime", "add it", "a dynamic MPD without @availabilityStartTime: nothing says when segments are there")
		}
		if !has("publishTime") {
			wrong(Error, "publishTime", "add it", "a dynamic MPD without @publishTime: players cannot tell its versions")
		}
		r.timing(root)
	} else {
		for _, name := range [...]string{"minimumUpdatePeriod", "timeShiftBufferDepth", "suggestedPresentationDelay"} {
			if has(name) {
				g := Warning
				if name == "minimumUpdatePeriod" {
					g = Error
				}
				wrong(g, name, "remove it, or write type=\"dynamic\"", "a static MPD with @"+name)
			}
		}
	}
	if len(periods) > 0 && !has("mediaPresentationDuration") && !has("minimumUpdatePeriod") && periods[len(periods)-1].str("duration") == "" {
		wrong(Error, "mediaPresentationDuration", "add it", "nothing says how long the presentation is")
	}
	if from, to := root.dateOf("availabilityStartTime"), root.dateOf("availabilityEndTime"); from != nil && to != nil && !from.Before(*to) {
		wrong(Error, "availabilityEndTime", "swap them", "@availabilityEndTime is not behind @availabilityStartTime")
	}
	if len(root.all("PatchLocation")) > 0 && (!has("id") || !has("publishTime") || !r.live) {
		r.wrong(Error, root, "", "5.15.2", "add @id and @publishTime, or remove it", "", "PatchLocation in an MPD without @id and @publishTime")
	}
	if len(root.all("LeapSecondInformation")) > 1 {
		r.wrong(Error, root, "", "5.3.1.2", "keep one", "", "LeapSecondInformation stands twice")
	}
	r.steering(root)
}

// timing asks for a clock: live players must agree with the server on the
// time.
func (r *mpdReader) timing(root *element) {
	all := root.all("UTCTiming")
	if len(all) == 0 {
		r.wrong(Warning, root, "", "5.8.4.11", "add UTCTiming, as of urn:mpeg:dash:utc:http-xsdate:2014", "", "a dynamic MPD without UTCTiming: viewers with a wrong clock ask for segments too early or too late")
	}
	for _, u := range all {
		if scheme := u.str("schemeIdUri"); strings.HasPrefix(scheme, "urn:mpeg:dash:utc:") && u.str("value") == "" {
			r.wrong(Error, u, "/@value", "5.8.5.7", "write the server's address", "", "UTCTiming has no @value")
		}
	}
}

// steering checks ContentSteering: ETSI TS 103 998, clause 10.
func (r *mpdReader) steering(root *element) {
	all := root.all("ContentSteering")
	for _, s := range root.all("ServiceDescription") {
		all = append(all, s.all("ContentSteering")...)
	}
	const clause = "ETSI TS 103 998 clause 10"
	for i, s := range all {
		if i > 0 {
			r.wrong(Error, s, "", clause, "keep one", "", "a second ContentSteering")
		}
		if s.content() == "" {
			r.wrong(Error, s, "", clause, "write the steering server's URL into it", "", "ContentSteering is empty")
		}
		for name := range strings.FieldsSeq(s.str("defaultServiceLocation")) {
			if !slices.ContainsFunc(r.m.BaseURLs, func(b BaseURL) bool { return b.ServiceLocation == name }) {
				r.wrong(Warning, s, "/@defaultServiceLocation", clause, "name the serviceLocation of a BaseURL", "", "no BaseURL has the serviceLocation "+short(name))
			}
		}
	}
}

// checkEdge compares a live MPD that was just fetched with the clock.
func (r *mpdReader) checkEdge() {
	if !r.live || r.now == nil {
		return
	}
	m := r.m
	if p := m.Published; p != nil && p.Sub(*r.now) > overlap {
		r.wrong(Warning, r.doc.root, "/@publishTime", "5.3.1.2", "see whether the clocks agree", "", "the MPD was published "+span(p.Sub(*r.now))+" in the future")
	}
	if m.Edge == nil {
		return
	}
	age := Seconds(r.now.Sub(*m.Edge))
	m.Age = &age
	// Behind by what an update and a few segments explain, a player plays on.
	if limit := 3*m.LongestSegment + m.UpdatePeriod; age > limit && limit > 0 {
		r.wrong(Warning, r.doc.root, "", "5.4", "see whether the packager runs, and whether a cache holds the MPD too long", "", "the last segment ended "+spanOf(age)+" ago")
	}
}
