package dash

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"manifold/manifest"
)

// dvbNamespace is that of BaseURL@dvb:priority and @dvb:weight (ETSI TS 103
// 285, 10.8.2.1).
const dvbNamespace = "urn:dvb:dash:dash-extensions:2014-1"

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
	case opManifest:
		r.b.String(r.xml.Edge)
		r.b.Address(r.xml, manifest.NoPathway, escape(e.text))
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
		pathway := manifest.NoPathway
		if r.shape.Stay && len(r.xml.Pathways) > 0 {
			// The same bytes for all would send all to the same CDN: the choice
			// goes along in the address.
			pathway = r.xml.Pathways[0].ID
		}
		at := r.asked
		if r.declared != "" {
			at += "?" + r.declared
		}
		r.b.Address(r.xml, pathway, escape(at))
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
