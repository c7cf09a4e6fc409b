package origin

import "time"

// liveFolder is what is known of the segments below a path: a manifest in that
// folder was observed live. It is how a segment, which says nothing of itself,
// is known to belong to a live window.
type liveFolder struct {
	facts Facts
	until time.Time
}

const (
	// maxFolders bounds the table of a group.
	maxFolders = 4096
	// folderLife is for how long a folder is live after the last manifest was
	// compiled in it, at least.
	folderLife = time.Minute
	// tidyEvery is how often a full table is searched for dead folders.
	tidyEvery = 10 * time.Second
	// maxClimb bounds how many folders upwards a segment looks.
	maxClimb = 8
)

// observe notes what a manifest at path said. A manifest that is not live, or
// not any more, takes its folder off the table, unless it only lists others
// (Window is 0).
func (g *Group) observe(path string, facts *Facts, now time.Time) {
	key := folder(path)
	g.mu.Lock()
	defer g.mu.Unlock()
	if !facts.Live {
		if old, ok := g.live[key]; ok && facts.Window > 0 && old.until.Before(now) {
			delete(g.live, key)
		}
		return
	}
	if len(g.live) >= maxFolders && now.Sub(g.tidied) >= tidyEvery {
		g.tidied = now
		for k, l := range g.live {
			if l.until.Before(now) {
				delete(g.live, k)
			}
		}
	}
	next := liveFolder{facts: *facts, until: now.Add(max(folderLife, facts.Window, 10*facts.Target))}
	if old, ok := g.live[key]; ok && old.until.After(now) {
		// Siblings share a folder: the longest window holds for all.
		next.facts.Window = max(next.facts.Window, old.facts.Window)
		next.facts.Target = max(next.facts.Target, old.facts.Target)
	} else if len(g.live) >= maxFolders {
		return
	}
	g.live[key] = next
}

// liveFolder finds the nearest live folder above a path.
func (g *Group) liveFolder(path string, now time.Time) (Facts, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.live) == 0 {
		return Facts{}, false
	}
	dir := folder(path)
	for range maxClimb {
		if l, ok := g.live[dir]; ok && l.until.After(now) {
			return l.facts, true
		}
		if dir == "" {
			break
		}
		dir = folder(dir[:len(dir)-1])
	}
	return Facts{}, false
}
