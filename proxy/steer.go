package proxy

import (
	"encoding/binary"
	"time"

	"manifold/explain"
	"manifold/steering"
)

// sessionNumber is the session as the choice and the jitter see it.
func (r *request) sessionNumber() uint64 { return binary.BigEndian.Uint64(r.viewer.Claims.ID[:]) }

// steer answers the steering server's address. Every answer is 200 and whole:
// see steering.Answer.
func (r *request) steer() {
	r.stop = atPlan
	ex := r.ex
	from := len(r.text)
	r.text = append(r.text, scheme(ex.TLS)...)
	r.text = append(r.text, "://"...)
	r.text = append(r.text, ex.Host...)
	r.text = append(r.text, r.ch.steerBefore...)
	r.text = append(r.text, r.session...)
	answer := steering.Answer{TTL: steering.Jitter(r.ch.ttl, r.sessionNumber()), Reload: r.text[from:]}
	ex.Status = 200
	ex.SetField("Content-Type", steering.ContentType)
	ex.SetField("Cache-Control", "no-store")
	r.crossOrigin()
	ex.Body = answer.Append(ex.Body[:0], r.state, &r.order)
	if r.trace != nil {
		r.trace.Plan(explain.PlanSteering, "", "asked again in "+answer.TTL.Round(time.Second).String())
	}
	r.trace.Render(explain.RenderPlain, ex.Status, len(ex.Body), "")
}
