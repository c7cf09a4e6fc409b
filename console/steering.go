package console

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"

	"manifold/proxy"
)

// Steering is what an operator may say of pathways beside draining them.
type Steering interface {
	AddOverride(set string, o proxy.Override) error
	RemoveOverride(set, id string) error
	SetLoad(set, id string, load float64) error
	Status() []proxy.PathwayStatus
}

// AddSteering adds overrides and loads to the API.
func (c *Console) AddSteering(s Steering) {
	c.Write("POST /api/v1/overrides/{set}", func(w http.ResponseWriter, r *http.Request) { c.override(w, r, s) })
	c.Write("DELETE /api/v1/overrides/{set}/{id}", func(w http.ResponseWriter, r *http.Request) {
		if err := s.RemoveOverride(r.PathValue("set"), r.PathValue("id")); err != nil {
			Error(w, http.StatusNotFound, err)
			return
		}
		c.log.Info("override removed", "set", r.PathValue("set"), "id", r.PathValue("id"))
		JSON(w, http.StatusOK, s.Status())
	})
	c.Write("PUT /api/v1/pathways/{set}/{id}/load", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Load float64 `json:"load"`
		}
		if !ReadJSON(w, r, &body) {
			return
		}
		if err := s.SetLoad(r.PathValue("set"), r.PathValue("id"), body.Load); err != nil {
			Error(w, http.StatusUnprocessableEntity, err)
			return
		}
		JSON(w, http.StatusOK, s.Status())
	})
}

// override puts a pathway first for some viewers, until a time.
func (c *Console) override(w http.ResponseWriter, r *http.Request, s Steering) {
	var o proxy.Override
	if !ReadJSON(w, r, &o) {
		return
	}
	if o.Who == "" || o.Why == "" || o.Until.IsZero() {
		Error(w, http.StatusUnprocessableEntity, errors.New(`an override names "who", "why" and "until"`))
		return
	}
	if o.ID == "" {
		var id [6]byte
		_, _ = rand.Read(id[:]) // never fails (crypto/rand)
		o.ID = hex.EncodeToString(id[:])
	}
	o.Since = c.now().UTC()
	if err := s.AddOverride(r.PathValue("set"), o); err != nil {
		Error(w, http.StatusUnprocessableEntity, err)
		return
	}
	c.log.Info("override added", "set", r.PathValue("set"), "id", o.ID, "pathway", o.Pathway, "who", o.Who, "why", o.Why, "until", o.Until)
	JSON(w, http.StatusCreated, o)
}
