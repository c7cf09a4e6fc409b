package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"manifold/proxy"
	"manifold/session"
)

// Explainer answers for viewers who did not ask.
type Explainer interface {
	Explain(ctx context.Context, im *proxy.Imagined) (*proxy.Explained, error)
}

// explainRequest is the body of POST /api/v1/explain.
type explainRequest struct {
	URL       string    `json:"url"`
	From      string    `json:"from"`
	ASN       uint32    `json:"asn"`
	Address   string    `json:"address"`
	Device    string    `json:"device"`
	UserAgent string    `json:"user_agent"`
	Tier      string    `json:"tier"`
	At        time.Time `json:"at"`
	// Body asks for the answer's content too.
	Body bool `json:"body"`
}

// AddExplain adds POST /api/v1/explain. It needs the token although it changes
// nothing: what it tells of sessions and CDNs is not for everybody.
func (c *Console) AddExplain(e Explainer) {
	c.Write("POST /api/v1/explain", func(w http.ResponseWriter, r *http.Request) {
		var q explainRequest
		if !ReadJSON(w, r, &q) {
			return
		}
		im, err := q.imagined()
		if err != nil {
			Error(w, http.StatusUnprocessableEntity, err)
			return
		}
		out, err := e.Explain(r.Context(), im)
		if err != nil {
			Error(w, http.StatusUnprocessableEntity, err)
			return
		}
		if !q.Body {
			out.Body = ""
		}
		JSON(w, http.StatusOK, out)
	})
}

func (q *explainRequest) imagined() (*proxy.Imagined, error) {
	im := &proxy.Imagined{URL: q.URL, ASN: q.ASN, Device: q.Device, UserAgent: q.UserAgent, Tier: q.Tier, At: q.At}
	if q.URL == "" {
		return nil, errors.New(`"url" is what the viewer asks for: an absolute http or https URL of the edge`)
	}
	if q.From != "" {
		if im.Country = session.CountryOf(q.From); im.Country == (session.Country{}) {
			return nil, fmt.Errorf(`"from": %q is not a country: write two letters of ISO 3166-1, like DE`, q.From)
		}
	}
	if q.Address != "" {
		addr, err := netip.ParseAddr(q.Address)
		if err != nil {
			return nil, fmt.Errorf(`"address": %q is not an address`, q.Address)
		}
		im.Address = addr
	}
	return im, nil
}
