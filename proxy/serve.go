package proxy

import "manifold/exchange"

// Serve answers one viewer request.
func (p *Proxy) Serve(ex *exchange.Exchange) {
	r := p.begin(ex)
	r.serve()
	if r.trace != nil {
		r.showTrace()
	}
	r.count()
	p.end(r)
}

// serve is the way of a request, a paragraph a stage. A stage that cannot go
// on has written the answer and says false.
func (r *request) serve() {
	// listen filled the exchange; what is not GET or HEAD ends here.
	if !r.method() {
		return
	}

	// route: host and path prefix lead to a channel; below the prefix stands
	// an entry, a session address, or one of the edge's own resources.
	if !r.route() {
		return
	}

	// access: who is this, and may they? At the entry the viewer's token says
	// so, in a session the signed address does.
	if !r.access() {
		return
	}

	// choose: in which order is this viewer to use the pathways? The manifest
	// and the steering answer ask the same function with the same key.
	if !r.choose() {
		return
	}
	if r.asked == steeringAnswer {
		r.steer()
		return
	}

	// Segments are not the edge's work unless the channel says so.
	if r.asked == segment {
		r.segment()
		return
	}

	// fetch: the origin's manifest, through the shield.
	answer := r.fetch()
	if answer == nil {
		return
	}
	defer answer.Release()

	// compile: once per version; the template lives beside the cached body.
	template := r.compile(answer)
	if template == nil {
		return
	}

	// plan: a shape that many share, and this viewer's slot values.
	if r.redirected(template) {
		return
	}
	plan := r.planFor(template)
	if plan == nil {
		return
	}

	// render: copy spans, fill slots.
	r.render(template, plan)
}
