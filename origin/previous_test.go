package origin

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// numbered compiles "seq N": a live playlist of a 6 s target whose media
// sequence is N; "vod N" is complete, everything else cannot be compiled.
func numbered(d Document) (Compiled, error) {
	_, text, _ := strings.Cut(string(d.Body), "#EXTM3U\n")
	var kind string
	var n uint64
	if _, err := fmt.Sscanf(text, "%s %d", &kind, &n); err != nil || kind != "seq" && kind != "vod" {
		return Compiled{}, fmt.Errorf("cannot compile %q", text)
	}
	return Compiled{Value: text, Cost: 1000, Facts: Facts{Live: kind == "seq", Window: time.Minute, Target: 6 * time.Second, Sequence: n, Sequenced: true}}, nil
}

// shown is what one viewer is answered: the value, or the error, and the fault.
func (r *rig) shown(g *Group) (value, cache string, fault error) {
	r.t.Helper()
	a, err := r.Fetch(r.t.Context(), &Request{Group: g, Class: Manifest, Path: "m.m3u8"})
	if err != nil {
		return "no answer", "", err
	}
	defer a.Release()
	v, err := a.Compiled(numbered)
	if err != nil {
		return "not compiled", "", err
	}
	body, err := a.Bytes()
	if err != nil || string(body) != "#EXTM3U\n"+v.(string) {
		r.t.Errorf("the value %q stands beside %q", v, body)
	}
	fault, _ = a.Fault()
	return v.(string), string(a.AppendCacheStatus(nil)), fault
}

// play is a script of one channel: at each step the origin has a text, time
// has passed, and a viewer is shown something.
type play struct {
	origin string
	after  time.Duration
	shown  string
	fault  string
}

func TestVersionBeforeStandsIn(t *testing.T) {
	const short = time.Second
	for name, c := range map[string]struct {
		change func(*GroupConfig)
		header string
		steps  []play
	}{
		"unreadable, then well": {steps: []play{
			{"seq 10", 0, "seq 10", ""},
			{"junk", 7 * short, "seq 10", "cannot compile"},
			{"more junk", 7 * short, "seq 10", "cannot compile"},
			{"seq 14", 7 * short, "seq 14", ""},
			{"junk", 7 * short, "seq 14", "cannot compile"},
		}},
		"as long as stale-if-error allows": {change: func(c *GroupConfig) { c.Policy.StaleIfError = 20 * time.Second }, steps: []play{
			{"seq 10", 0, "seq 10", ""},
			{"junk", 7 * short, "seq 10", "cannot compile"},
			{"other junk", 7 * short, "seq 10", "cannot compile"},
			{"junk again", 20 * short, "not compiled", "cannot compile"},
			{"seq 3", 7 * short, "seq 3", ""},
		}},
		"never, where stale answers are forbidden": {header: "Cache-Control: max-age=3, must-revalidate", steps: []play{
			{"seq 10", 0, "seq 10", ""},
			{"junk", 7 * short, "not compiled", "cannot compile"},
			{"seq 9", 7 * short, "seq 9", ""},
		}},
		"nothing before": {steps: []play{{"junk", 0, "not compiled", "cannot compile"}, {"seq 1", 7 * short, "seq 1", ""}}},
		"an origin that is behind": {steps: []play{
			{"seq 10", 0, "seq 10", ""},
			{"seq 8", 7 * short, "seq 10", "went back from 10 to 8"},
			{"seq 9", 6 * short, "seq 10", "went back from 10 to 9"},
			{"seq 10", 3 * short, "seq 10", ""},
			{"seq 11", 7 * short, "seq 11", ""},
		}},
		"an origin that began anew": {steps: []play{
			{"seq 1000", 0, "seq 1000", ""},
			{"seq 0", 7 * short, "seq 1000", "went back from 1000 to 0"},
			{"seq 1", 7 * short, "seq 1000", "went back from 1000 to 1"},
			{"seq 2", 7 * short, "seq 1000", "went back from 1000 to 2"},
			{"seq 3", 7 * short, "seq 3", ""}, // 21 s after the first: three target durations are over
			{"seq 4", 7 * short, "seq 4", ""},
			{"seq 2", 7 * short, "seq 4", "went back from 4 to 2"},
		}},
		"the same version until it is believed": {steps: []play{
			{"seq 1000", 0, "seq 1000", ""},
			{"seq 0", 7 * short, "seq 1000", "went back"},
			{"seq 0", 18 * short, "seq 0", ""},
		}},
		"behind and unreadable": {steps: []play{
			{"seq 10", 0, "seq 10", ""},
			{"seq 8", 7 * short, "seq 10", "went back"},
			{"junk", 7 * short, "seq 10", "cannot compile"},
			{"seq 9", 3 * short, "seq 10", "went back"},
			{"seq 9", 9 * short, "seq 9", ""},
		}},
		"a guard of its own length": {change: func(c *GroupConfig) { c.Policy.SequenceGuard = time.Minute }, steps: []play{
			{"seq 10", 0, "seq 10", ""},
			{"seq 8", 7 * short, "seq 10", "went back"},
			{"seq 8", 50 * short, "seq 10", "went back"},
			{"seq 8", 10 * short, "seq 8", ""},
		}},
		"no guard":        {change: func(c *GroupConfig) { c.Policy.SequenceGuard = -1 }, steps: []play{{"seq 10", 0, "seq 10", ""}, {"seq 8", 7 * short, "seq 8", ""}}},
		"a stream's end":  {steps: []play{{"seq 10", 0, "seq 10", ""}, {"vod 0", 7 * short, "vod 0", ""}}},
		"a library's own": {steps: []play{{"vod 10", 0, "vod 10", ""}, {"vod 0", 90 * short, "vod 0", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			o := newScript(t, nil)
			r := newRig(t, Config{})
			g := r.group(c.change, o.URL)
			for i, s := range c.steps {
				header := c.header
				if header == "" {
					header = "Cache-Control: max-age=3"
				}
				o.set(says("#EXTM3U\n"+s.origin, header))
				r.add(s.after)
				shown, cache, fault := r.shown(g)
				if shown != s.shown || (fault == nil) != (s.fault == "") || fault != nil && !strings.Contains(fault.Error(), s.fault) {
					t.Fatalf("step %d: shown %q because of %v", i, shown, fault)
				}
				if told := strings.HasSuffix(cache, "detail=previous-version"); told != (fault != nil && shown != "not compiled") {
					t.Errorf("step %d: Cache-Status %s", i, cache)
				}
			}
		})
	}
}

// TestOtherOriginIsAsked: an origin that sends what cannot be served is left
// alone while there is another, and asked again later.
func TestOtherOriginIsAsked(t *testing.T) {
	for _, bad := range []string{"seq 3", "junk"} {
		first, second := newScript(t, nil), newScript(t, nil)
		set := func(o *script, text string) { o.set(says("#EXTM3U\n"+text, "Cache-Control: max-age=3")) }
		r := newRig(t, Config{})
		g := r.group(nil, first.URL, second.URL)
		for i, s := range []struct {
			first, second string
			after         time.Duration
			shown         string
		}{
			{"seq 20", "seq 19", 0, "seq 20"},
			{bad, "seq 20", 7 * time.Second, "seq 20"},
			{bad, "seq 21", 7 * time.Second, "seq 21"},
			{bad, "seq 22", 7 * time.Second, "seq 22"},
			{"seq 25", "seq 24", 30 * time.Second, "seq 25"},
		} {
			set(first, s.first)
			set(second, s.second)
			r.add(s.after)
			if shown, _, fault := r.shown(g); shown != s.shown {
				t.Errorf("%s, step %d: shown %q because of %v, want %q", bad, i, shown, fault, s.shown)
			}
		}
	}
}

// TestUnreadableIsAskedForAnew: however long the origin calls it fresh, and
// whatever the class of the one before.
func TestUnreadableIsAskedForAnew(t *testing.T) {
	for _, good := range []string{"seq 1", "vod 1"} {
		o := newScript(t, says("#EXTM3U\n"+good, "Cache-Control: max-age=3"))
		r := newRig(t, Config{})
		g := r.group(nil, o.URL)
		show := func(want string) {
			t.Helper()
			if shown, _, fault := r.shown(g); shown != want {
				t.Errorf("%s: shown %q because of %v, want %q", good, shown, fault, want)
			}
			r.settled()
		}
		show(good)
		o.set(says("#EXTM3U\njunk", "Cache-Control: max-age=3600, stale-while-revalidate=3600"))
		r.add(70 * time.Second)
		show(good)
		o.set(fails(500))
		r.add(2 * time.Second)
		show(good)
		o.set(says("#EXTM3U\nseq 2", "Cache-Control: max-age=3"))
		r.add(4 * time.Second)
		show("seq 2")
	}
	o := newScript(t, says("#EXTM3U\njunk", "Cache-Control: max-age=3600"))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	for i := range 3 {
		if shown, _, _ := r.shown(g); shown != "not compiled" {
			t.Error(shown)
		}
		r.add(600 * time.Millisecond)
		if n := o.requests.Load(); n != int64(1+i/2) {
			t.Errorf("after %d answers %d requests", i+1, n)
		}
	}
}

// TestFaultIsToldOnce: of many viewers of a bad version one is told to tell,
// all get the same, and the origin is asked once.
func TestFaultIsToldOnce(t *testing.T) {
	o := newScript(t, says("#EXTM3U\nseq 10", "Cache-Control: max-age=3"))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	r.shown(g)
	r.add(7 * time.Second)
	o.set(says("#EXTM3U\nseq 4", "Cache-Control: max-age=3"))
	var wg sync.WaitGroup
	var mu sync.Mutex
	firsts := 0
	for range 50 {
		wg.Go(func() {
			a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Manifest, Path: "m.m3u8"})
			if err != nil {
				t.Error(err)
				return
			}
			defer a.Release()
			v, err := a.Compiled(numbered)
			fault, first := a.Fault()
			if err != nil || v != "seq 10" || !errors.Is(fault, ErrWentBack) || a.State() != StaleError {
				t.Errorf("%v %v %v %v", v, err, fault, a.State())
			}
			mu.Lock()
			defer mu.Unlock()
			if first {
				firsts++
			}
		})
	}
	wg.Wait()
	if c := g.Counters(); firsts != 1 || o.requests.Load() != 2 || c.Previous != 50 || c.Compiles != 2 {
		t.Errorf("told %d times, %d requests, %+v", firsts, o.requests.Load(), c)
	}
}

// TestPreviousIsLetGo: the version before is held, and weighed, only while it
// is needed.
func TestPreviousIsLetGo(t *testing.T) {
	pad := strings.Repeat("#", 10_000)
	o := newScript(t, nil)
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	held := func(text string) int64 {
		o.set(says("#EXTM3U\n"+text+"\n"+pad, "Cache-Control: max-age=3"))
		r.add(7 * time.Second)
		a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Manifest, Path: "m.m3u8"})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Release()
		if _, err := a.Compiled(numbered); err != nil {
			t.Fatal(err)
		}
		return r.Counters().LiveBytes
	}
	one := held("seq 10")
	if two := held("seq 9"); two < one+10_000 {
		t.Errorf("two versions weigh %d bytes, one %d", two, one)
	}
	for _, text := range []string{"seq 8", "seq 7"} {
		if more := held(text); more > 2*one+1000 {
			t.Errorf("%d bytes are held where two versions are %d", more, 2*one)
		}
	}
	if again := held("seq 11"); again > one+100 {
		t.Errorf("%d bytes are held of one version of %d", again, one)
	}
}
