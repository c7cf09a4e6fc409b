package proxy

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"manifold/steering"
)

// Drain is an operator's word that sessions are to leave a pathway.
type Drain struct {
	// Who and Why are as the operator gave them; Since is when. Until is when
	// it ends by itself; the zero time: not before it is undone.
	Who   string    `json:"who"`
	Why   string    `json:"why"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"`
}

// Override is an operator's word that some viewers use a pathway first,
// whatever its health.
type Override struct {
	// ID names it for its undoing.
	ID      string `json:"id"`
	Pathway string `json:"pathway"`
	// Match selects the viewers; the zero value selects all.
	Match MatchConfig `json:"match"`
	Who   string      `json:"who"`
	Why   string      `json:"why"`
	Since time.Time   `json:"since"`
	// Until is when it ends. Required: an override that is forgotten hides
	// every failure of its CDN.
	Until time.Time `json:"until"`
}

// PathwayStatus is one pathway of a set as the admin API shows it.
type PathwayStatus struct {
	Set    string  `json:"set"`
	ID     string  `json:"id"`
	Weight float64 `json:"weight"`
	Health string  `json:"health"`
	// HealthSince is when its health changed last, Cause why it is not
	// healthy, HealthChanges how often it changed.
	HealthSince   time.Time `json:"health_since,omitzero"`
	Cause         string    `json:"cause,omitempty"`
	HealthChanges uint64    `json:"health_changes"`
	Load          float64   `json:"load,omitempty"`
	Drain         *Drain    `json:"drain,omitempty"`
	// Overrides are those that put it first.
	Overrides []Override `json:"overrides,omitempty"`
}

// Conditions holds what changes about pathways while the program runs, by
// (set, pathway). It outlives snapshots: a reload does not undo a drain.
type Conditions struct {
	now func() time.Time

	mu        sync.Mutex
	drains    map[pathwayKey]Drain
	absences  map[pathwayKey]*absences
	health    map[pathwayKey]found
	loads     map[pathwayKey]float64
	overrides map[string][]Override // by set
	changed   map[string]int64      // by set: when they changed last, Unix seconds
	sets      []*pathwaySet         // of the current snapshot
}

type pathwayKey struct{ set, id string }

// found is what was found of a pathway's health.
type found struct {
	health  steering.Health
	cause   string
	since   time.Time
	changes uint64
}

// healthOf is a pathway's health: as configured, else as found. Called with mu
// held.
func (c *Conditions) healthOf(s *pathwaySet, i int) found {
	key := pathwayKey{s.name, s.pathways[i].ID}
	f := c.health[key]
	if fixed := s.fixed[i]; fixed != nil {
		return found{health: *fixed, cause: "configured", changes: f.changes}
	}
	return f
}

// NewConditions gives conditions where all is healthy and nothing drained.
func NewConditions(now func() time.Time) *Conditions {
	return &Conditions{
		now: now, drains: map[pathwayKey]Drain{}, absences: map[pathwayKey]*absences{}, health: map[pathwayKey]found{},
		loads: map[pathwayKey]float64{}, overrides: map[string][]Override{}, changed: map[string]int64{},
	}
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
	state := &situation{changed: c.changed[s.name], ends: c.ends(s), absences: make([]*absences, len(s.pathways))}
	state.State = steering.State{Pathways: s.pathways, Conditions: make([]steering.Condition, len(s.pathways))}
	for i, p := range s.pathways {
		key := pathwayKey{s.name, p.ID}
		d, drained := c.drains[key]
		state.Conditions[i] = steering.Condition{Health: c.healthOf(s, i).health, Drained: drained, Until: d.Until, Load: c.loads[key]}
		state.absences[i] = c.absences[key]
	}
	for _, o := range c.overrides[s.name] {
		m, err := o.Match.match()
		i := slices.IndexFunc(s.pathways, func(p steering.Pathway) bool { return p.ID == o.Pathway })
		if err == nil && i >= 0 {
			state.Overrides = append(state.Overrides, steering.Override{Pathway: i, Match: m, Until: o.Until})
		}
	}
	state.undrained = state.State
	state.undrained.Conditions = slices.Clone(state.Conditions)
	for i := range state.undrained.Conditions {
		state.undrained.Conditions[i].Drained = false
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

// change finds a pathway, changes its conditions by f, and publishes them; f
// tells whether viewers may be sent elsewhere from now on. given is when the
// word for it was given, the zero time now.
func (c *Conditions) change(set, id string, given time.Time, f func(pathwayKey) bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(set, id)
	if err != nil {
		return err
	}
	if f(pathwayKey{set, id}) {
		c.touch(s, given)
	}
	c.publish(s)
	return nil
}

// SetDrain drains a pathway, or with a nil drain undoes it.
func (c *Conditions) SetDrain(set, id string, d *Drain) error {
	var given time.Time
	if d != nil {
		given = d.Since
	}
	err := c.change(set, id, given, func(k pathwayKey) bool {
		old, drained := c.drains[k]
		if d == nil {
			if drained {
				c.absences[k] = c.absences[k].endedBy(c.now())
			}
			delete(c.drains, k)
			return drained
		}
		c.drains[k] = *d
		c.absences[k] = c.absences[k].with(d)
		return !drained || old != *d
	})
	if err != nil {
		return fmt.Errorf("cannot drain pathway: %w", err)
	}
	return nil
}

// SetHealth tells what a probe found, and why it is not well.
func (c *Conditions) SetHealth(set, id string, h steering.Health, cause string) error {
	err := c.change(set, id, time.Time{}, func(k pathwayKey) bool {
		old := c.health[k]
		next := found{h, cause, old.since, old.changes}
		if old.health != h {
			next.since, next.changes = c.now(), old.changes+1
		}
		c.health[k] = next
		return old.health != h
	})
	if err != nil {
		return fmt.Errorf("cannot set health: %w", err)
	}
	return nil
}

// SetLoad tells what traffic a pathway carries now, in the unit of its
// capacity and commitment; 0: not known.
func (c *Conditions) SetLoad(set, id string, load float64) error {
	if load < 0 || load != load {
		return fmt.Errorf("cannot set load: %v is not an amount", load)
	}
	err := c.change(set, id, time.Time{}, func(k pathwayKey) bool {
		old := c.loads[k]
		c.loads[k] = load
		return c.crossed(k, old, load)
	})
	if err != nil {
		return fmt.Errorf("cannot set load: %w", err)
	}
	return nil
}

// crossed tells whether a load went over one of its pathway's bounds.
func (c *Conditions) crossed(k pathwayKey, from, to float64) bool {
	s, err := c.find(k.set, k.id)
	if err != nil {
		return false
	}
	i := slices.IndexFunc(s.pathways, func(p steering.Pathway) bool { return p.ID == k.id })
	short, over := loaded(&s.pathways[i], from)
	nowShort, nowOver := loaded(&s.pathways[i], to)
	return short != nowShort || over != nowOver
}

// maxOverrides bounds those of one set: each is looked at for every viewer.
const maxOverrides = 32

// AddOverride puts a pathway first for some viewers. One of the same ID is
// replaced; those that have ended are forgotten.
func (c *Conditions) AddOverride(set string, o Override) error {
	now := c.now()
	if !o.Until.After(now) {
		return fmt.Errorf("cannot override: it must say until when, in the future")
	}
	if _, err := o.Match.match(); err != nil {
		return fmt.Errorf("cannot override: %w", err)
	}
	full := false
	err := c.change(set, o.Pathway, o.Since, func(pathwayKey) bool {
		list := slices.DeleteFunc(c.overrides[set], func(have Override) bool { return have.ID == o.ID || !have.Until.After(now) })
		if full = len(list) >= maxOverrides; !full {
			list = append(list, o)
		}
		c.overrides[set] = list
		return !full
	})
	switch {
	case err != nil:
		return fmt.Errorf("cannot override: %w", err)
	case full:
		return fmt.Errorf("cannot override: the set has %d overrides already", maxOverrides)
	}
	return nil
}

// RemoveOverride takes an override back.
func (c *Conditions) RemoveOverride(set, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := len(c.overrides[set])
	c.overrides[set] = slices.DeleteFunc(c.overrides[set], func(o Override) bool { return o.ID == id })
	if len(c.overrides[set]) == before {
		return fmt.Errorf("cannot remove override: pathway set %q has none called %q", set, id)
	}
	for _, s := range c.sets {
		if s.name == set {
			c.touch(s, time.Time{})
			c.publish(s)
		}
	}
	return nil
}

// Status lists all pathways of the current snapshot.
func (c *Conditions) Status() []PathwayStatus {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []PathwayStatus
	for _, s := range c.sets {
		for i, p := range s.pathways {
			key := pathwayKey{s.name, p.ID}
			health := c.healthOf(s, i)
			st := PathwayStatus{
				Set: s.name, ID: p.ID, Weight: p.Weight, Load: c.loads[key],
				Health: health.health.String(), HealthSince: health.since, HealthChanges: health.changes,
			}
			if health.health != steering.Healthy {
				st.Cause = health.cause
			}
			if d, ok := c.drains[key]; ok && (d.Until.IsZero() || d.Until.After(now)) {
				st.Drain = &d
			}
			for _, o := range c.overrides[s.name] {
				if o.Pathway == p.ID && o.Until.After(now) {
					st.Overrides = append(st.Overrides, o)
				}
			}
			out = append(out, st)
		}
	}
	return out
}
