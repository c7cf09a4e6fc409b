package proxy

import "manifold/manifest"

// Shadow is told what was rendered for viewers, and may read it again beside
// the path. Many goroutines call Offer; it must not wait. The source stays as it
// is; output (plain or gzip, as it is sent) and plan may be read until Offer
// returns.
type Shadow interface {
	Offer(kind manifest.Kind, source, output []byte, plan *manifest.Plan)
}

// SetShadow makes s the one that is told; nil tells nobody. A request that is
// being answered may tell the one before still.
func (p *Proxy) SetShadow(s Shadow) {
	if s == nil {
		p.shadow.Store(nil)
		return
	}
	p.shadow.Store(&s)
}

// offer tells the shadow what a viewer is sent. What was rendered for an
// imaginary viewer nobody is.
func (r *request) offer(t template, plan *manifest.Plan) {
	if s := r.p.shadow.Load(); s != nil && r.imagined == nil {
		(*s).Offer(t.Kind(), t.Source(), r.ex.Content(), plan)
	}
}
