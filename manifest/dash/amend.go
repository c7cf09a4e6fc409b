package dash

import (
	"bytes"
	"strings"
	"time"
)

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

// editLink handles the address of a remote element. Players do not agree
// whether it is resolved against the MPD's address or its base URL: where both
// come to the same, and where it is written from the top of the host, it gets
// the absolute URL on the first pathway; one that leaves the root, that at the
// origin.
func (r *render) editLink(m *mark) {
	if len(r.listed) == 0 || r.bases[0].share == none {
		return
	}
	dir := directory(r.path)
	same := r.bases[0].level && r.bases[0].dir == dir && r.absolute()
	switch to := r.origin.resolve(dir, decode(r.t.text(m.value))); {
	case to.reach == rooted, to.reach == relative && same:
		r.edits = append(r.edits, edit{span: m.value, op: opMedia, text: to.path})
	case to.reach == outside && to.form < formNetwork && to.path != "":
		r.edits = append(r.edits, edit{span: m.value, op: opText, text: to.path})
	}
}

// editClock handles the URLs of a UTCTiming, with white space between. Players
// resolve them against the MPD's base URL, and what is relative they still do.
// One that is written from the top of the host, or leaves the root, becomes that
// at the origin: on a pathway the time may come from a cache.
func (r *render) editClock(m *mark) {
	if len(r.listed) == 0 || r.bases[0].share == none {
		return
	}
	r.each(m, func(at span, to target) {
		if to.reach == rooted {
			to.path = r.origin.authority + r.origin.path + to.path
		}
		if to.reach != relative && to.form < formNetwork && to.path != "" {
			r.edits = append(r.edits, edit{span: at, op: opText, text: to.path})
		}
	})
}

// editManifest handles the URLs of other MPDs: they are asked for at the edge,
// in the session. On a pathway nobody would put tokens into them.
func (r *render) editManifest(m *mark) {
	if len(r.listed) == 0 || r.bases[0].share == none || r.shape.Edge == "" || m.child || bytes.IndexByte(r.t.text(m.value), '<') >= 0 {
		return
	}
	r.each(m, func(at span, to target) {
		switch {
		case to.reach <= rooted:
			r.edits = append(r.edits, edit{span: at, op: opManifest, text: to.path})
		case to.reach == outside && to.form < formNetwork && to.path != "":
			r.edits = append(r.edits, edit{span: at, op: opText, text: to.path})
		}
	})
}

// each resolves the URLs that a mark lists, with white space between, against
// the MPD's base URL.
func (r *render) each(m *mark, f func(at span, to target)) {
	raw := r.t.text(m.value)
	for from := 0; from < len(raw); from++ {
		to := from
		for to < len(raw) && !isSpace(raw[to]) {
			to++
		}
		if to > from {
			f(span{m.value.from + int32(from), m.value.from + int32(to)}, r.origin.resolve(r.bases[0].dir, decode(raw[from:to])))
		}
		from = to
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
