package origin

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// stored is an entry as a fill makes it.
func stored(key string, class Class, size int, at time.Time, facts *Facts) *entry {
	e := &entry{
		key: key, class: class, status: 200, responded: at, lifetime: time.Hour, swr: unsaid, sie: unsaid,
		version: &version{body: wholeBody(make([]byte, size)), path: key},
	}
	e.version.facts.Store(facts)
	return e
}

func (s *store) find(key string) *entry { return s.get(s.shardOf([]byte(key)), []byte(key)) }

var testLive = &Facts{Live: true, Window: time.Minute, Target: 6 * time.Second}

// TestBurstEvictsNoLiveEntry: 100,000 new keys come by, and every live
// manifest and segment is where it was.
func TestBurstEvictsNoLiveEntry(t *testing.T) {
	r := newRig(t, Config{RecentBytes: 8 << 20, LibraryBytes: 8 << 20})
	st, now := r.store, r.clock.now()
	policy := Policy{}.withDefaults()
	var keys []string
	for c := range 50 {
		m := fmt.Sprintf("channel%d/index.m3u8", c)
		st.put(stored(m, Manifest, 2000, now, testLive), &policy, now)
		keys = append(keys, m)
		for i := range 10 {
			s := fmt.Sprintf("channel%d/s%d.m4s", c, i)
			st.put(stored(s, Segment, 50_000, now, testLive), &policy, now)
			keys = append(keys, s)
		}
	}
	for i := range 100_000 {
		key := fmt.Sprintf("vod/%d.m4s", i)
		st.put(stored(key, Segment, 1000, now, nil), &policy, now)
		if i%1000 == 0 && st.find(key) == nil {
			t.Fatalf("%s is not there right after it was put", key)
		}
	}
	st.library.settle()
	for _, k := range keys {
		if st.find(k) == nil {
			t.Errorf("%s is gone", k)
		}
	}
	c := r.Counters()
	if c.LiveEntries != int64(len(keys)) || c.LiveRefused != 0 {
		t.Errorf("%+v", c)
	}
	if c.RecentBytes > 8<<20 || c.Moved == 0 || c.LibrarySets != c.Moved {
		t.Errorf("%+v", c)
	}
	// What ristretto did not take is known.
	if c.LibraryDropped+c.LibraryRejected+c.LibraryEvicted == 0 {
		t.Errorf("100 MB went into 8 MiB, and nothing was refused: %+v", c)
	}
}

// TestLiveZone: what does not fit is kept like the rest and counted; what is
// over leaves by its time; nothing leaves before.
func TestLiveZone(t *testing.T) {
	r := newRig(t, Config{LiveBytes: 100_000, RecentBytes: 1 << 20, LibraryBytes: -1})
	st := r.store
	policy := Policy{}.withDefaults()
	for i := range 20 {
		st.put(stored(fmt.Sprint("s", i), Segment, 10_000, r.clock.now(), testLive), &policy, r.clock.now())
	}
	c := r.Counters()
	if c.LiveBytes > 100_000 || c.LiveEntries < 8 || c.LiveRefused != 20-c.LiveEntries || c.RecentEntries != 20-c.LiveEntries {
		t.Errorf("%+v", c)
	}
	for i := range 20 {
		if st.find(fmt.Sprint("s", i)) == nil {
			t.Errorf("s%d is gone", i)
		}
	}
	// The window and three targets: 78 s.
	r.add(77 * time.Second)
	for i := range 200 { // reaches every shard
		st.put(&entry{key: fmt.Sprint("n", i), class: Segment, problem: &Error{Reason: ErrStatus, Status: 404}, responded: r.clock.now(), lifetime: time.Second}, &policy, r.clock.now())
	}
	if got := r.Counters().LiveEntries; got != c.LiveEntries {
		t.Errorf("after 77 s %d live entries, want %d", got, c.LiveEntries)
	}
	r.add(2 * time.Second)
	for i := range 1000 {
		st.put(&entry{key: fmt.Sprint("n", i), class: Segment, problem: &Error{Reason: ErrStatus, Status: 404}, responded: r.clock.now(), lifetime: time.Second}, &policy, r.clock.now())
	}
	if got := r.Counters(); got.LiveEntries != 0 || got.LiveBytes != 0 {
		t.Errorf("after the window: %+v", got)
	}
}

// TestRecentGivesTheUsedASecondChance: a scan does not push out what is asked
// for.
func TestRecentGivesTheUsedASecondChance(t *testing.T) {
	r := newRig(t, Config{RecentBytes: 1 << 20, LibraryBytes: -1})
	st, now := r.store, r.clock.now()
	policy := Policy{}.withDefaults()
	hot := stored("hot", Segment, 1000, now, nil)
	st.put(hot, &policy, now)
	for i := range 10_000 {
		st.put(stored(fmt.Sprint("scan", i), Segment, 1000, now, nil), &policy, now)
		if st.find("hot") == nil {
			t.Fatalf("what was asked for left after %d others", i)
		}
	}
}

// TestReplacedIsDead: a version that a newer one replaced never comes back
// from the library.
func TestReplacedIsDead(t *testing.T) {
	r := newRig(t, Config{RecentBytes: 20_000, LibraryBytes: 64 << 20})
	st, now := r.store, r.clock.now()
	policy := Policy{}.withDefaults()
	push := func() {
		for i := range 100 {
			st.put(stored(fmt.Sprint("other", i), Segment, 1000, now, nil), &policy, now)
		}
		st.library.settle()
	}
	old := stored("x", Segment, 1000, now, nil)
	st.put(old, &policy, now)
	push()
	if st.find("x") != old {
		t.Fatal("the entry did not reach the library")
	}
	st.put(&entry{key: "x", class: Segment, problem: &Error{Reason: ErrStatus, Status: 404}, responded: now, lifetime: time.Second}, &policy, now)
	push()
	if st.find("x") == old { // the error may still be there: which shard is pressed is by chance
		t.Error("the replaced entry came back")
	}
	next := stored("x", Segment, 2000, now, nil)
	st.put(next, &policy, now)
	push()
	if st.find("x") != next {
		t.Error("the new entry is not found")
	}
}

// TestAccounting: bytes and counts are exact, whatever comes and goes.
func TestAccounting(t *testing.T) {
	r := newRig(t, Config{LiveBytes: 300_000, RecentBytes: 300_000, LibraryBytes: 1 << 20})
	st := r.store
	policy := Policy{}.withDefaults()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 1))
			for i := range 3000 {
				key := fmt.Sprint("k", rnd.IntN(300))
				now := r.clock.now()
				var facts *Facts
				if rnd.IntN(3) == 0 {
					facts = testLive
				}
				switch rnd.IntN(4) {
				case 0, 1:
					st.put(stored(key, Class(1+rnd.IntN(2)), rnd.IntN(5000), now, facts), &policy, now)
				case 2:
					if e := st.find(key); e != nil && e.version != nil {
						e.version.mu.Lock()
						e.version.compiled.CompareAndSwap(nil, &outcome{cost: int64(rnd.IntN(3000))})
						e.version.mu.Unlock()
						st.reweigh(e, &policy, now)
					}
				case 3:
					st.put(&entry{key: key, class: Segment, pass: true, responded: now, lifetime: time.Second}, &policy, now)
				}
				if i%100 == 0 {
					r.add(time.Second)
				}
			}
		})
	}
	wg.Wait()
	var live, recent, liveCount, recentCount int64
	for i := range st.shards {
		sh := &st.shards[i]
		n := 0
		for key, sl := range sh.slots {
			if key != sl.entry.key || sl.cost != sl.entry.cost() {
				t.Errorf("slot %s: cost %d, entry %s costs %d", key, sl.cost, sl.entry.key, sl.entry.cost())
			}
			if sl.live {
				live, liveCount = live+sl.cost, liveCount+1
				if sh.due[sl.heap] != sl {
					t.Errorf("%s is not where its heap index says", key)
				}
			} else {
				recent, recentCount, n = recent+sl.cost, recentCount+1, n+1
			}
		}
		if n != sh.queue.len {
			t.Errorf("shard %d: %d recent slots, queue of %d", i, n, sh.queue.len)
		}
	}
	c := r.Counters()
	if c.LiveBytes != live || c.RecentBytes != recent || c.LiveEntries != liveCount || c.RecentEntries != recentCount {
		t.Errorf("counted %+v, there are %d live bytes in %d, %d recent in %d", c, live, liveCount, recent, recentCount)
	}
	if live > 300_000 || recent > 300_000 {
		t.Errorf("%d live and %d recent bytes are over the limits", live, recent)
	}
}

// TestCompiled: once per version under concurrency, its error too, and its cost
// is the entry's.
func TestCompiled(t *testing.T) {
	o := newScript(t, says(playlist, "Cache-Control: max-age=60"))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	for name, compile := range map[string]Compile{
		"good":  func(Document) (Compiled, error) { return Compiled{Value: 7, Cost: 100_000}, nil },
		"error": func(d Document) (Compiled, error) { return Compiled{}, fmt.Errorf("cannot compile %s:1", d.Path) },
		"panic": func(Document) (Compiled, error) { panic("index out of range") },
	} {
		var mu sync.Mutex
		calls := 0
		counted := func(d Document) (Compiled, error) {
			mu.Lock()
			calls++
			mu.Unlock()
			if d.Path != name+".m3u8" || string(d.Body) != playlist {
				t.Errorf("document %+v", d)
			}
			return compile(d)
		}
		r.must(g, Manifest, name+".m3u8")
		before := r.Counters().RecentBytes
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				a, err := r.Fetch(t.Context(), &Request{Group: g, Class: Manifest, Path: name + ".m3u8"})
				if err != nil {
					t.Error(err)
					return
				}
				defer a.Release()
				v, err := a.Compiled(counted)
				if (err != nil) != (name != "good") || name == "good" && v != 7 {
					t.Errorf("%s: %v %v", name, v, err)
				}
				if err != nil && !strings.Contains(err.Error(), name+".m3u8") {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		wg.Wait()
		if calls != 1 {
			t.Errorf("%s: compiled %d times", name, calls)
		}
		if grown := r.Counters().RecentBytes - before; name == "good" && grown != 100_000 {
			t.Errorf("the entry grew by %d bytes, want 100000", grown)
		}
	}
	if c := g.Counters(); c.Compiles != 3 || c.CompileErrors != 2 {
		t.Errorf("%+v", c)
	}
}

// TestFolders: segments below the folder of a live manifest are of the live
// window, others are not.
func TestFolders(t *testing.T) {
	o := newScript(t, says(playlist, "Cache-Control: max-age=3600"))
	r := newRig(t, Config{})
	g := r.group(nil, o.URL)
	r.observe(g, "news/v720/index.m3u8", live)
	r.observe(g, "films/1/index.m3u8", complete)
	if c := r.Counters(); c.LiveEntries != 1 || c.RecentEntries != 1 {
		t.Errorf("%+v", c)
	}
	for path, want := range map[string]bool{
		"news/v720/s1.m4s": true, "news/v720/a/b/s1.m4s": true, "news/s1.m4s": false, "news/v7200/s1.m4s": false, "films/1/s1.m4s": false,
	} {
		before := r.Counters().LiveEntries
		r.must(g, Segment, path)
		r.settled()
		if got := r.Counters().LiveEntries-before == 1; got != want {
			t.Errorf("%s is live: %v, want %v", path, got, want)
		}
	}
	// A live segment leaves with its window, though it were fresh for an hour.
	r.add(79 * time.Second)
	if res := r.must(g, Segment, "news/v720/s2.m4s"); res.state != Miss {
		t.Errorf("%+v", res)
	}
	r.observe(g, "news/v720/index.m3u8", live)
	// The table is bounded.
	for i := range 2 * maxFolders {
		g.observe(fmt.Sprintf("c%d/x.m3u8", i), &Facts{Live: true, Target: time.Second}, r.clock.now())
	}
	if n := len(g.live); n > maxFolders {
		t.Errorf("%d folders", n)
	}
	r.add(time.Hour)
	g.observe("new/x.m3u8", &Facts{Live: true, Target: time.Second}, r.clock.now())
	if _, ok := g.liveFolder("new/s1", r.clock.now()); !ok {
		t.Error("a full table of dead folders took no new one")
	}
}
