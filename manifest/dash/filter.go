package dash

import (
	"slices"
	"strings"

	"manifold/manifest"
)

// filter drops the Representations that the shape's filter does not keep, and
// what depends on them. Something is always left to play in each Period: where
// no video passes, the one of the lowest bitrate stays; where no audio does,
// all of it stays. Subtitles and trick play may all go.
func (r *render) filter() {
	f, t := r.shape.Filter, r.t
	if f == nil {
		return
	}
	r.gone = make(map[int32]bool)
	var video, audio choice
	d := describer{t: t, set: -1, tags: &r.tags}
	for i := range t.nodes {
		n := &t.nodes[i]
		switch n.ctx {
		case ctxPeriod:
			r.settle(&video, &audio)
		case ctxRepresentation:
			is := d.describe(int32(i))
			keeps := f.Keeps(&is)
			switch is.Kind {
			case manifest.Video:
				video.add(int32(i), keeps, is.Bitrate)
			case manifest.Audio:
				audio.add(int32(i), keeps, is.Bitrate)
			case 0:
				// Muxed, or not said: nothing to judge it by.
			default:
				if !keeps {
					r.gone[int32(i)] = true
				}
			}
		}
	}
	r.settle(&video, &audio)
	r.dependents()
	r.empty()
}

// choice is what a filter makes of the video or the audio of one Period.
type choice struct {
	fails  []int32
	kept   bool
	lowest int32 // of those that fail
	least  int
}

func (c *choice) add(i int32, keeps bool, bitrate int) {
	if keeps {
		c.kept = true
		return
	}
	if len(c.fails) == 0 || bitrate < c.least {
		c.lowest, c.least = i, bitrate
	}
	c.fails = append(c.fails, i)
}

// settle carries out the choices of a Period and begins the next one.
func (r *render) settle(video, audio *choice) {
	for _, i := range video.fails {
		if video.kept || i != video.lowest {
			r.gone[i] = true
		}
	}
	if audio.kept {
		for _, i := range audio.fails {
			r.gone[i] = true
		}
	}
	*video, *audio = choice{}, choice{}
}

// dependents drops the Representations that need one that is dropped
// (@dependencyId, 5.3.5.2), and those that need these.
func (r *render) dependents() {
	t := r.t
	period := int32(-1)
	dropped := make(map[string]bool) // ids in this Period
	type need struct {
		node int32
		ids  []string
	}
	var needs []need
	finish := func() {
		for again := len(dropped) > 0; again; {
			again = false
			for k := range needs {
				n := &needs[k]
				if !r.gone[n.node] && slices.ContainsFunc(n.ids[1:], func(id string) bool { return dropped[id] }) {
					r.gone[n.node], dropped[n.ids[0]], again = true, true, true
				}
			}
		}
		clear(dropped)
		needs = needs[:0]
	}
	for i := range t.nodes {
		n := &t.nodes[i]
		if n.ctx == ctxPeriod {
			finish()
			period = int32(i)
		}
		if n.ctx != ctxRepresentation || period < 0 {
			continue
		}
		var id string
		var on []string
		for _, a := range r.tags.of(span{n.start, n.tag}) {
			switch string(t.text(a.name)) {
			case "id":
				id = decode(t.text(a.value))
			case "dependencyId":
				on = strings.Fields(decode(t.text(a.value)))
			}
		}
		if r.gone[int32(i)] {
			dropped[id] = true
		} else if len(on) > 0 && len(needs) < maxNeeds {
			needs = append(needs, need{int32(i), append([]string{id}, on...)})
		}
	}
	finish()
}

// maxNeeds bounds the Representations and AdaptationSets of a Period whose
// dependents are looked for: layers and languages number a handful.
const maxNeeds = 64

// orphans gives the ids of the AdaptationSets that are dropped, by Period: a
// Preselection that names one goes with it.
func (r *render) orphans() map[int32][]string {
	t := r.t
	ids := make(map[int32][]string)
	for i := range r.gone {
		n := &t.nodes[i]
		if n.ctx != ctxSet || len(ids[n.parent]) >= maxNeeds {
			continue
		}
		for _, a := range r.tags.of(span{n.start, n.tag}) {
			if string(t.text(a.name)) == "id" {
				ids[n.parent] = append(ids[n.parent], decode(t.text(a.value)))
			}
		}
	}
	return ids
}

// names says that a Preselection names one of the AdaptationSets.
func (r *render) names(m *mark, sets []string) bool {
	t := r.t
	if len(sets) == 0 {
		return false
	}
	for _, a := range r.tags.of(span{m.from, m.value.from}) {
		if string(t.text(a.name)) == "preselectionComponents" {
			return slices.ContainsFunc(strings.Fields(decode(t.text(a.value))), func(id string) bool {
				return slices.Contains(sets, id)
			})
		}
	}
	return false
}
