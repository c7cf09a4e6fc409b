package proxy

import (
	"fmt"
	"sync"
	"time"

	"manifold/steering"
)

// Drain is an operator's word that sessions are to leave a pathway.
type Drain struct {
	// Who and Why are as the operator gave them; Since is when.
	Who   string    `json:"who"`
	Why   string    `json:"why"`
	Since time.Time `json:"since"`
}

// PathwayStatus is one pathway of a set as the admin API shows it.
type PathwayStatus struct {
	Set    string  `json:"set"`
	ID     string  `json:"id"`
	Weight float64 `json:"weight"`
	Health string  `json:"health"`
	Drain  *Drain  `json:"drain,omitempty"`
}

// Conditions holds what changes about pathways while the program runs, by
// (set, pathway). It outlives snapshots: a reload does not undo a drain.
type Conditions struct {
	mu     sync.Mutex
	drains map[pathwayKey]Drain
	health map[pathwayKey]steering.Health
	sets   []*pathwaySet // of the current snapshot
}

type pathwayKey struct{ set, id string }

// NewConditions gives conditions where all is healthy and nothing drained.
func NewConditions() *Conditions {
	return &Conditions{drains: map[pathwayKey]Drain{}, health: map[pathwayKey]steering.Health{}}
}

// attach makes the conditions known to the sets of a new snapshot, before it
// serves, and follows them from now on.
func (c *Conditions) attach(sets []*pathwaySet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sets = sets
	for _, s := range sets {
		c.publish(s)
	}
}

// publish makes the set's steering state anew. Called with mu held.
func (c *Conditions) publish(s *pathwaySet) {
	state := &steering.State{Pathways: s.pathways, Conditions: make([]steering.Condition, len(s.pathways))}
	for i, p := range s.pathways {
		key := pathwayKey{s.name, p.ID}
		_, drained := c.drains[key]
		state.Conditions[i] = steering.Condition{Health: c.health[key], Drained: drained}
	}
	s.state.Store(state)
}

func (c *Conditions) find(set, id string) (*pathwaySet, error) {
	for _, s := range c.sets {
		if s.name != set {
			continue
		}
		for _, p := range s.pathways {
			if p.ID == id {
				return s, nil
			}
		}
		return nil, fmt.Errorf("pathway set %q has no pathway %q", set, id)
	}
	return nil, fmt.Errorf("there is no pathway set %q", set)
}

// SetDrain drains a pathway, or with a nil drain undoes it.
func (c *Conditions) SetDrain(set, id string, d *Drain) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(set, id)
	if err != nil {
		return fmt.Errorf("cannot drain pathway: %w", err)
	}
	key := pathwayKey{set, id}
	if d == nil {
		delete(c.drains, key)
	} else {
		c.drains[key] = *d
	}
	c.publish(s)
	return nil
}

// SetHealth tells what a probe found.
func (c *Conditions) SetHealth(set, id string, h steering.Health) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(set, id)
	if err != nil {
		return fmt.Errorf("cannot set health: %w", err)
	}
	c.health[pathwayKey{set, id}] = h
	c.publish(s)
	return nil
}

// Status lists all pathways of the current snapshot.
func (c *Conditions) Status() []PathwayStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []PathwayStatus
	for _, s := range c.sets {
		for _, p := range s.pathways {
			key := pathwayKey{s.name, p.ID}
			st := PathwayStatus{Set: s.name, ID: p.ID, Weight: p.Weight, Health: c.health[key].String()}
			if d, ok := c.drains[key]; ok {
				st.Drain = &d
			}
			out = append(out, st)
		}
	}
	return out
}
