package dash

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"manifold/manifest"
)

// dvbNamespace is that of BaseURL@dvb:priority and @dvb:weight (ETSI TS 103
// 285, 10.8.2.1).
const dvbNamespace = "urn:dvb:dash:dash-extensions:2014-1"

// editBase carries out what was decided for a BaseURL.
func (r *render) editBase(at int32, m *mark, steered bool) {
	if len(r.listed) == 0 {
		return
	}
	d := r.deeds[m.deed]
	mine := d.base.share == all
	switch d.verb {
	case drop:
		r.drop(m)
		return
	case replace, expand:
		r.edits = append(r.edits, edit{span: m.span, op: opPut, put: putBases, text: d.path, mark: at, space: r.t.lineBreak(m.from)})
		return
	case carry:
		r.edits = append(r.edits, edit{span: m.value, op: opMedia, text: d.path})
	case write:
		r.edits = append(r.edits, edit{span: m.value, op: opText, text: d.path, token: mine && r.query >= 0 && namesFile(d.path)})
	case keep:
		if mine && r.query >= 0 && namesFile(decode(r.t.text(m.value))) {
			r.addToken(m.value)
		}
	}
	if steered && d.base.share != none {
		r.unname(m)
	}
}

// unname takes the origin's serviceLocation off a relative BaseURL below the
// MPD. It is none that the steering answer knows, and a player that finds one
// there resolves the reference against the MPD's own address (Shaka 5.2).
func (r *render) unname(m *mark) {
	for _, a := range r.tags.of(m.span) {
		if string(r.t.text(a.name)) == "serviceLocation" {
			from := a.name.from
			for isSpace(r.t.src[from-1]) {
				from--
			}
			r.edits = append(r.edits, edit{span: span{from, a.value.to + 1}})
		}
	}
}

// editSteering keeps the origin's own steering server where it was: a relative
// address of it would be one of the edge.
func (r *render) editSteering(m *mark) {
	if m.child || m.empty() {
		return
	}
	to := r.origin.resolve(directory(r.path), decode(r.t.text(m.value)))
	url := to.path
	if to.reach <= rooted {
		url = r.origin.authority + r.origin.path + to.path
	}
	if to.form < formAbsolute && to.path != "" && r.origin.authority != "" {
		r.edits = append(r.edits, edit{span: m.value, op: opText, text: url})
	}
}

// editPublished raises MPD@publishTime to when the shape came into use.
func (r *render) editPublished(m *mark) {
	since := r.shape.Since
	if since.IsZero() || !r.t.index.Live {
		return
	}
	// Up to a whole second, which all players read.
	since = since.Add(time.Second - 1).Truncate(time.Second).UTC()
	if at, ok := dateTime(decode(r.t.text(m.value))); ok && at.Before(since) {
		r.edits = append(r.edits, edit{span: m.value, op: opText, text: since.Format(time.RFC3339)})
	}
}

// dateTime reads an xs:dateTime; one without a zone is UTC.
func dateTime(s string) (time.Time, bool) {
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// editURL handles an attribute that is a URL.
func (r *render) editURL(m *mark) {
	raw := bytes.TrimSpace(r.t.text(m.value))
	if len(r.listed) == 0 || len(raw) == 0 || r.query < 0 && plain(raw) {
		return
	}
	at := r.leaf[m.node]
	to := r.origin.resolve(at.dir, decode(raw))
	token := r.query >= 0
	switch {
	case at.share == none && to.form < formNetwork:
		// It is resolved against a host that is not the origin.
	case to.reach == relative:
		if at.share == all && token {
			r.addToken(m.value)
		}
	case to.reach == rooted && at.share == all && at.level && at.depth() <= maxLevels:
		r.edits = append(r.edits, edit{span: m.value, op: opText, text: fromRoot(at.depth(), to.path), token: token})
	case to.reach == rooted && (at.share == all || r.absolute()):
		// No reference leads there from every base URL that may apply.
		r.edits = append(r.edits, edit{span: m.value, op: opMedia, text: to.path, token: token})
	case to.reach == rooted || to.form == formPath && at.share == some:
	case to.path != "" && to.form < formAbsolute:
		r.edits = append(r.edits, edit{span: m.value, op: opText, text: to.path})
	}
}

// plain says that a reference is relative and climbs nowhere, so that it
// stays as it is.
func plain(raw []byte) bool {
	return raw[0] != '/' && raw[len(raw)-1] != '.' && bytes.IndexByte(raw, ':') < 0 &&
		!bytes.Contains(raw, []byte("./")) && !bytes.Contains(raw, []byte("%2"))
}

// namesFile says that a base URL is itself the address of media (as with
// SegmentBase), and not only the directory of others.
func namesFile(ref string) bool {
	path, _ := cutQuery(ref)
	last := path[strings.LastIndexByte(path, '/')+1:]
	return last != "" && dots(last) == 0
}

// addToken puts a token after a reference that otherwise stays as it is.
func (r *render) addToken(value span) {
	raw := r.t.text(value)
	if bytes.IndexByte(raw, '<') >= 0 {
		r.edits = append(r.edits, edit{span: value, op: opText, text: decode(raw), token: true})
		return
	}
	end := value.from + int32(len(bytes.TrimRight(raw, " \t\r\n")))
	if i := bytes.IndexByte(raw, '#'); i >= 0 && (i == 0 || raw[i-1] != '&') {
		end = value.from + int32(i)
	}
	r.edits = append(r.edits, edit{span: span{end, end}, op: opToken, text: queryMark(string(raw))})
}

func queryMark(url string) string {
	if strings.IndexByte(url, '?') >= 0 {
		return "&amp;"
	}
	return "?"
}

// write copies the source with the edits made.
func (r *render) write() {
	src, done := r.t.src, int32(0)
	for i := range r.edits {
		e := &r.edits[i]
		if e.from < done {
			continue
		}
		r.b.Bytes(src[done:e.from])
		r.perform(e)
		done = e.to
	}
	r.b.Bytes(src[done:])
}

func (r *render) perform(e *edit) {
	switch e.op {
	case opText:
		r.b.String(escape(e.text))
		if e.token {
			r.b.String(queryMark(e.text))
			r.b.Slot(manifest.SlotToken(r.query))
		}
	case opToken:
		r.b.String(e.text)
		r.b.Slot(manifest.SlotToken(r.query))
	case opMedia:
		r.media(r.listed[0], e.text)
	case opPut:
		r.put(e)
	}
}

// media adds the absolute URL of a target below the root on a pathway. Where
// segments go through the edge, that is a session address: absolute where
// Shape.Edge is known, since dash.js looks no further than the first BaseURL
// that is not.
func (r *render) media(i int, path string) {
	if r.shape.Segments != manifest.SegmentsDirect {
		r.b.String(r.xml.Edge)
		r.b.Address(r.xml, r.xml.Pathways[i].ID, escape(path))
		return
	}
	r.b.MediaBase(r.xml, i)
	r.b.String(escape(path))
	if r.query == i && namesFile(path) {
		r.b.String(queryMark(path))
		r.b.Slot(manifest.SlotToken(i))
	}
}

// put adds elements.
func (r *render) put(e *edit) {
	first := !e.before
	space := func() {
		if !first {
			r.b.String(e.space)
		}
		first = false
	}
	if e.put&putBases != 0 {
		name, attrs := r.name("BaseURL"), ""
		if e.mark >= 0 {
			m := &r.t.marks[e.mark]
			name, attrs = r.t.nameOf(m.span), r.attributes(m)
		}
		for k, i := range r.listed {
			space()
			r.baseURL(name, attrs, k, i, e.text)
		}
	}
	if e.put&putLocation != 0 {
		space()
		name := r.name("Location")
		r.b.String("<" + name + ">" + r.xml.Edge)
		r.b.Address(r.xml, manifest.NoPathway, escape(r.path))
		r.b.String("</" + name + ">")
	}
	if e.put&putSteering != 0 {
		space()
		r.steering()
	}
	if e.after {
		r.b.String(e.space)
	}
}

// baseURL adds the BaseURL of pathway i, the k-th of those listed.
func (r *render) baseURL(name, attrs string, k, i int, path string) {
	b := r.b
	b.String("<" + name + ` serviceLocation="` + r.xml.Pathways[i].ID + `"`)
	if r.ranked() {
		// A DVB player draws lots among equal priorities: these keep the order.
		prefix := r.t.dvbPrefix
		if prefix == "" {
			prefix = "dvb"
			b.String(` xmlns:dvb="` + dvbNamespace + `"`)
		}
		b.String(" " + prefix + `:priority="` + strconv.Itoa(k+1) + `"`)
	}
	b.String(attrs)
	b.Byte('>')
	r.media(i, path)
	b.String("</" + name + ">")
}

// steering adds the ContentSteering element (ISO/IEC 23009-1:2022, K.3.6; ETSI
// TS 103 998). The default is the whole order: dash.js takes the first that it
// may use; Shaka, which would split at commas, finds no such pathway and takes
// the BaseURLs in their order, which is the same one, and so has somewhere to
// go when the first fails before there is an answer.
func (r *render) steering() {
	b := r.b
	name := r.name("ContentSteering")
	b.String("<" + name + ` defaultServiceLocation="`)
	for k, i := range r.listed {
		if k > 0 {
			b.Byte(' ')
		}
		b.String(r.xml.Pathways[i].ID)
	}
	b.String(`" queryBeforeStart="` + strconv.FormatBool(r.shape.Steering.QueryBeforeStart) + `">`)
	b.SteeringURL(r.xml)
	b.String("</" + name + ">")
}

// name gives an element name the MPD's own prefix.
func (r *render) name(local string) string {
	root := r.t.text(r.t.rootName)
	return string(root[:bytes.IndexByte(root, ':')+1]) + local
}

func (t *Template) nameOf(e span) string {
	i := e.from + 1
	for class[t.src[i]]&className != 0 {
		i++
	}
	return string(t.src[e.from+1 : i])
}

// ranked says that BaseURLs get priorities of DVB.
func (r *render) ranked() bool { return r.t.dvb && len(r.listed) > 1 }

// attributes gives the attributes of a BaseURL of the origin that its
// successors keep (availabilityTimeOffset, byteRange, …), each after a space.
func (r *render) attributes(m *mark) string {
	attrs := r.tags.of(m.span)
	ranks := []string{r.t.dvbPrefix} // the prefixes of attributes of DVB
	if r.t.dvbPrefix == "" {
		ranks = append(ranks, "dvb") // it is declared anew, whatever it stood for
	}
	for _, a := range attrs {
		prefix, ok := strings.CutPrefix(string(r.t.text(a.name)), "xmlns:")
		if ok && string(r.t.text(a.value)) == dvbNamespace {
			ranks = append(ranks, prefix)
		}
	}
	var b strings.Builder
	for _, a := range attrs {
		name := string(r.t.text(a.name))
		prefix, local, _ := strings.Cut(name, ":")
		rank := prefix != "" && slices.Contains(ranks, prefix) || prefix == "xmlns" && slices.Contains(ranks[1:], local)
		if name == "serviceLocation" || r.ranked() && rank {
			continue
		}
		b.WriteByte(' ')
		b.Write(r.t.src[a.name.from : a.value.to+1])
	}
	return b.String()
}
