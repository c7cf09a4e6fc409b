package dash

import "bytes"

// context is what an open element is to us. Elements are known by their
// namespace, their name and the element they stand in, so that an MPD inside
// an Event, or a BaseURL of another vocabulary, is never taken for ours.
type context uint8

const (
	ctxOther context = iota
	ctxMPD
	ctxPeriod
	ctxSet
	ctxRepresentation
	ctxService  // ServiceDescription
	ctxSegments // SegmentBase, SegmentList, SegmentTemplate
	ctxTimeline
	ctxMark   // an element that a plan may change
	ctxEvents // EventStream
	ctxEvent
)

// node is one level at which BaseURLs stand: the MPD, a Period, an
// AdaptationSet, a Representation. Nodes are in document order, parents
// first.
type node struct {
	ctx        context
	parent     int32 // -1 for the MPD
	start      int32 // of its start tag
	tag        int32 // end of its start tag
	end        int32 // of its end tag
	base, last int32 // its first and last BaseURL among the marks, or -1
	info       int32 // its SegmentTemplate, SegmentList or SegmentBase, or -1
	trick      bool  // a property says that it is for trick play, or thumbnails
	transfer   uint8 // the transfer characteristics that a property states, or 0
}

type markKind uint8

const (
	markBase markKind = iota
	markLocation
	markPatch
	markSteering
	markServiceSteering // in a ServiceDescription
	markPreselection
	markPublished // MPD@publishTime
	markURL       // the value of an attribute
	markLink      // xlink:href
	markClock     // the URLs of UTCTiming@value
	markManifest  // the URLs of other MPDs
)

// mark is a place in the source that a plan may change. Marks are in document
// order of their starts.
type mark struct {
	kind  markKind
	child bool  // it has child elements: not what it should be, left alone
	node  int32 // the node it stands in
	next  int32 // the next BaseURL of the same node, or -1
	deed  int32 // of a BaseURL: its number among them
	span        // the element with its tags, or the attribute's value
	value span  // the element's content, or the attribute's value
}

// empty says that there is no end tag that content could stand before.
func (m *mark) empty() bool { return m.value.to == m.to }

// compiler builds a template from what the scanner finds.
type compiler struct {
	scanner
	t      *Template
	line   timeline // the SegmentTimeline being read
	stream span     // the start tag of the EventStream being read
}

// compile walks the document once.
func (c *compiler) compile() *fault {
	for {
		tok, f := c.next()
		if f != nil {
			return f
		}
		switch tok {
		case tokEnd:
			return nil
		case tokOpen:
			if f := c.open(); f != nil {
				return f
			}
			if c.closed {
				c.pop()
				c.close(c.pos)
			}
		case tokClose:
			c.close(c.start)
		}
	}
}

// open looks at the element just pushed.
func (c *compiler) open() *fault {
	o := &c.stack[c.depth-1]
	if c.depth == 1 {
		return c.root(o)
	}
	p := &c.stack[c.depth-2]
	p.child = true
	o.node = p.node
	if p.ctx == ctxOther {
		return nil
	}
	if p.ctx == ctxMPD {
		c.place(o)
	}
	if !c.dash {
		return nil
	}
	name := c.text(c.local)
	switch p.ctx {
	case ctxMPD:
		switch string(name) {
		case "BaseURL":
			c.mark(o, markBase)
		case "Location":
			c.mark(o, markLocation)
			c.t.hasLocation = true
		case "PatchLocation":
			c.mark(o, markPatch)
		case "ContentSteering":
			c.mark(o, markSteering)
			c.t.steered = true
		case "ServiceDescription":
			o.ctx = ctxService
		case "InitializationSet":
			c.urls("initialization")
			c.link()
		case "UTCTiming":
			c.timing()
		case "EssentialProperty", "SupplementalProperty":
			c.follower()
		case "Period":
			c.node(o, ctxPeriod)
			c.link()
			c.period(o)
		}
	case ctxService:
		if string(name) == "ContentSteering" {
			c.mark(o, markServiceSteering)
			c.t.steered = true
		}
	case ctxPeriod:
		switch string(name) {
		case "AdaptationSet", "EmptyAdaptationSet":
			c.node(o, ctxSet)
			c.link()
		case "ServiceDescription":
			o.ctx = ctxService
		case "Preselection":
			c.mark(o, markPreselection)
		case "ImportedMPD":
			c.mark(o, markManifest)
		case "EventStream":
			o.ctx = ctxEvents
			c.link()
			c.stream = span{o.start, o.tag}
		default:
			c.level(o, name)
		}
	case ctxSet:
		switch string(name) {
		case "Representation":
			c.node(o, ctxRepresentation)
			c.t.index.Variants++
		case "EssentialProperty", "SupplementalProperty":
			c.property(o)
		case "InbandEventStream":
			c.t.inband = append(c.t.inband, inband{p.node, span{o.start, o.tag}})
		default:
			c.level(o, name)
		}
	case ctxRepresentation:
		switch string(name) {
		case "EssentialProperty", "SupplementalProperty":
			c.property(o)
		case "InbandEventStream":
			c.t.inband = append(c.t.inband, inband{p.node, span{o.start, o.tag}})
		default:
			c.level(o, name)
		}
	case ctxSegments:
		switch string(name) {
		case "SegmentTimeline":
			o.ctx = ctxTimeline
			c.line = timeline{}
		case "SegmentURL":
			c.urls("media", "index")
			c.listed()
		case "Initialization", "RepresentationIndex", "BitstreamSwitching":
			c.urls("sourceURL")
		}
	case ctxEvents:
		if string(name) == "Event" {
			o.ctx = ctxEvent
			o.mark = int32(len(c.t.events))
			c.t.events = append(c.t.events, event{span{from: o.start}, span{o.tag, 0}, c.stream, int32(len(c.t.periods) - 1)})
		}
	case ctxTimeline:
		if string(name) == "S" {
			c.span()
		}
	}
	return nil
}

// level handles what may stand at each of Period, AdaptationSet and
// Representation.
func (c *compiler) level(o *open, name []byte) {
	switch string(name) {
	case "BaseURL":
		c.mark(o, markBase)
	case "SegmentTemplate":
		o.ctx = ctxSegments
		c.urls("media", "initialization", "index", "bitstreamSwitching")
		c.segments(o)
	case "SegmentList", "SegmentBase":
		o.ctx = ctxSegments
		c.link()
		c.segments(o)
	}
}

// property takes what a property of an AdaptationSet or Representation says
// that filters ask for.
func (c *compiler) property(o *open) {
	n := &c.t.nodes[o.node]
	var scheme, value []byte
	for _, a := range c.attrs {
		switch string(c.text(a.name)) {
		case "schemeIdUri":
			scheme = c.text(a.value)
		case "value":
			value = c.text(a.value)
		}
	}
	switch string(scheme) {
	case "http://dashif.org/guidelines/trickmode", "http://dashif.org/guidelines/thumbnail_tile", "http://dashif.org/thumbnail_tile":
		n.trick = true
	case "urn:mpeg:mpegB:cicp:TransferCharacteristics":
		v, _ := number(value)
		n.transfer = uint8(min(v, 255))
	}
}

// root checks the root element and takes what the index needs of it.
func (c *compiler) root(o *open) *fault {
	name := string(c.text(c.local))
	switch {
	case name != "MPD":
		return &fault{int(o.start), "the root element is <" + short(name) + ">: this is not an MPD"}
	case !c.dash:
		return &fault{int(o.start), "the root element is not in the namespace " + namespace}
	}
	c.node(o, ctxMPD)
	t := c.t
	t.rootName = o.name
	for _, a := range c.attrs {
		value := c.text(a.value)
		switch string(c.text(a.name)) {
		case "type":
			t.index.Live = string(value) == "dynamic"
		case "maxSegmentDuration":
			t.maxSegment = duration(value)
		case "minimumUpdatePeriod":
			t.update = duration(value)
		case "timeShiftBufferDepth":
			t.depth = duration(value)
		case "mediaPresentationDuration":
			t.length = duration(value)
		case "publishTime":
			t.marks = append(t.marks, mark{kind: markPublished, next: -1, span: a.value, value: a.value})
		case "profiles":
			t.dvb = bytes.Contains(value, []byte("urn:dvb:dash:profile:"))
		default:
			if name, ok := bytes.CutPrefix(c.text(a.name), []byte("xmlns:")); ok && string(value) == dvbNamespace {
				t.dvbPrefix = string(name)
			}
		}
	}
	return nil
}

// place notes where among the children of the MPD elements can be put. The
// schema's order is ProgramInformation, BaseURL, Location, …, Period, …,
// ContentSteering, elements of other namespaces.
func (c *compiler) place(o *open) {
	if c.t.head == 0 && !(c.dash && string(c.text(c.local)) == "ProgramInformation") {
		c.t.head = o.start
	}
}

func (c *compiler) node(o *open, ctx context) {
	o.ctx = ctx
	parent := int32(-1)
	if ctx != ctxMPD {
		parent = o.node
	}
	o.node = int32(len(c.t.nodes))
	c.t.nodes = append(c.t.nodes, node{ctx: ctx, parent: parent, start: o.start, tag: o.tag, base: -1, last: -1, info: -1})
}

// mark notes an element whose content is a URL; its end follows in close.
func (c *compiler) mark(o *open, kind markKind) {
	o.ctx = ctxMark
	o.mark = int32(len(c.t.marks))
	c.t.marks = append(c.t.marks, mark{kind: kind, node: o.node, next: -1, span: span{from: o.start}})
	if kind != markBase {
		return
	}
	c.t.marks[o.mark].deed = c.t.bases
	c.t.bases++
	n := &c.t.nodes[o.node]
	if n.last >= 0 {
		c.t.marks[n.last].next = o.mark
	} else {
		n.base = o.mark
	}
	n.last = o.mark
}

// urls marks the values of attributes that are URLs or templates of URLs.
func (c *compiler) urls(names ...string) {
	at := c.stack[c.depth-1].node
	for _, a := range c.attrs {
		for _, name := range names {
			if string(c.text(a.name)) == name {
				c.t.marks = append(c.t.marks, mark{kind: markURL, node: at, next: -1, span: a.value, value: a.value})
			}
		}
	}
}

// link marks the xlink:href of a remote element (5.5).
func (c *compiler) link() {
	for _, a := range c.attrs {
		if prefix, ok := bytes.CutSuffix(c.text(a.name), []byte(":href")); ok && c.inXLink(prefix) {
			c.t.marks = append(c.t.marks, mark{kind: markLink, next: -1, span: a.value, value: a.value})
		}
	}
}

// timing marks the URLs of a UTCTiming by HTTP (5.8.4.11).
func (c *compiler) timing() {
	http := false
	for _, a := range c.attrs {
		http = http || string(c.text(a.name)) == "schemeIdUri" && bytes.HasPrefix(c.text(a.value), []byte("urn:mpeg:dash:utc:http-"))
	}
	for _, a := range c.attrs {
		if http && string(c.text(a.name)) == "value" {
			c.t.marks = append(c.t.marks, mark{kind: markClock, next: -1, span: a.value, value: a.value})
		}
	}
}

// follower marks the URLs of the MPDs that follow this one, or stand in for it:
// MPD chaining and MPD fallback (5.11).
func (c *compiler) follower() {
	other := false
	for _, a := range c.attrs {
		scheme := string(c.text(a.value))
		other = other || string(c.text(a.name)) == "schemeIdUri" && (scheme == "urn:mpeg:dash:chaining:2016" || scheme == "urn:mpeg:dash:fallback:2016")
	}
	for _, a := range c.attrs {
		if other && string(c.text(a.name)) == "value" {
			c.t.marks = append(c.t.marks, mark{kind: markManifest, next: -1, span: a.value, value: a.value})
		}
	}
}

// close looks at the element just popped; at is where its content ends.
func (c *compiler) close(at int) {
	o := &c.stack[c.depth]
	t := c.t
	switch o.ctx {
	case ctxMark:
		m := &t.marks[o.mark]
		m.to, m.child = int32(c.pos), o.child
		m.value = span{o.tag, int32(at)}
	case ctxMPD:
		if at < c.pos {
			t.close = int32(at)
		}
		fallthrough
	case ctxPeriod, ctxSet, ctxRepresentation:
		t.nodes[o.node].end = int32(c.pos)
	case ctxTimeline:
		c.lined(o)
	case ctxEvent:
		e := &t.events[o.mark]
		e.to, e.content.to = int32(c.pos), int32(at)
	}
	if c.depth == 1 && o.dash && o.mark < 0 {
		// It stays whatever the plan is.
		t.tail = span{o.start, int32(c.pos)}
	}
}
