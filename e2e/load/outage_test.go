package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Short: 10 seconds; the full form is 60.
func TestOriginDead(t *testing.T) { originDead(t, 10*time.Second) }

// patience is what the channels are given, and their viewers with them;
// allowance is what a busy machine adds.
const (
	patience  = time.Second
	allowance = time.Second
)

// pace is how often each viewer asks.
const pace = 100 * time.Millisecond

// deaths are the ways in which an origin dies.
var deaths = []string{"refusing", "resetting", "hanging", "failing"}

// kinds are the manifests that viewers want meanwhile.
var kinds = []string{"live/master.m3u8", "live/index.m3u8", "live/manifest.mpd", "vod/master.m3u8", "vod/index.m3u8", "vod/manifest.mpd"}

// originDead shows that nobody notices an origin that is dead for a while:
// every manifest is answered, with the last good version, none later than the
// channel's patience, and the next version is there when the origin is.
func originDead(t *testing.T, d time.Duration) {
	config := "shield: {allow_private: 127.0.0.0/8}\nchannels:\n"
	origins := map[string]*mortal{}
	for _, how := range deaths {
		o := startMortal(t, how)
		origins[how] = o
		config += fmt.Sprintf("  - {name: %s, segments: direct, pathways: [\"https://cdn.example\"], origin: {urls: {url: \"http://%s/\"}, deadlines: {patience: %v}}}\n", how, o.address, patience)
	}
	e := startEdge(t, config)
	var bad complaints
	var answered, slowest atomic.Int64
	var viewers []*viewer
	clients := map[string]*client{}
	for _, p := range protocols {
		clients[p] = e.client(p)
	}
	for _, how := range deaths {
		for _, kind := range kinds {
			url := "/" + how + "/" + kind + "?device=hlsjs"
			if path.Base(kind) == "index.m3u8" {
				url = e.enter("/"+how+"/"+path.Dir(kind)+"/master.m3u8", how)
			}
			for _, p := range protocols {
				viewers = append(viewers, &viewer{clients[p], how + " origin, " + kind + ", " + p, url})
			}
		}
	}
	each(viewers, func(v *viewer) {
		if a, err := v.get(t.Context(), v.url); err != nil || !a.is(1) {
			bad.add("%s, before: %+v, %v", v.name, a, err)
		}
	})
	if bad.report(t); t.Failed() {
		return
	}

	for _, o := range origins {
		o.die()
	}
	over, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	each(viewers, func(v *viewer) {
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for over.Err() == nil {
			began := time.Now()
			a, err := v.get(t.Context(), v.url)
			took := time.Since(began)
			if err != nil || !a.is(1) {
				bad.add("%s: %+v, %v", v.name, a, err)
				return
			}
			if took > patience+allowance {
				bad.add("%s: waited %v, patience is %v", v.name, took, patience)
			}
			answered.Add(1)
			for old := slowest.Load(); int64(took) > old && !slowest.CompareAndSwap(old, int64(took)); old = slowest.Load() {
			}
			<-tick.C
		}
	})
	bad.report(t)
	if least := int64(len(viewers)) * int64(d/(patience+pace)) / 2; answered.Load() < least {
		t.Errorf("%d requests were answered, want %d", answered.Load(), least)
	}
	for how, o := range origins {
		// A refill that failed is tried once more, and the next begins half a
		// second later.
		if asked, most := o.worst(), 4*int(d/time.Second)+4; asked > most {
			t.Errorf("%s: a manifest was asked for %d times in %v, at most %d may be", how, asked, d, most)
		}
	}

	for _, o := range origins {
		o.recover()
	}
	began := time.Now()
	each(viewers, func(v *viewer) {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for {
			a, err := v.get(ctx, v.url)
			if err != nil || !a.is(1) && !a.is(2) {
				bad.add("%s, after: %+v, %v", v.name, a, err)
				return
			}
			if a.is(2) {
				return
			}
			<-tick.C
		}
	})
	bad.report(t)
	t.Logf("measured: origins dead for %v in 4 ways: %d manifests, 0 failed, the slowest after %v; all current %v after recovery",
		d, answered.Load(), time.Duration(slowest.Load()).Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}

// viewer asks for one manifest again and again.
type viewer struct {
	*client
	name, url string
}

// is reports whether an answer is a good one of an edition.
func (a *answer) is(edition int) bool {
	return a.status == http.StatusOK && (strings.Contains(a.body, fmt.Sprintf("#EXT-X-MEDIA-SEQUENCE:%d\n", edition)) ||
		strings.Contains(a.body, fmt.Sprintf(`VALUE="edition %d"`, edition)) || strings.Contains(a.body, fmt.Sprintf(`id="edition-%d"`, edition)))
}

// each has all viewers do something at the same time.
func each(viewers []*viewer, do func(*viewer)) {
	var all sync.WaitGroup
	for _, v := range viewers {
		all.Go(func() { do(v) })
	}
	all.Wait()
}

// mortal is an origin that can die. Its content has two editions: one before
// its death and one after.
type mortal struct {
	t       *testing.T
	how     string
	address string
	server  *httptest.Server

	mu    sync.Mutex
	dead  chan struct{} // closed when it lives again; nil while it lives
	again bool
	asked map[string]int // while it was dead
}

func startMortal(t *testing.T, how string) *mortal {
	t.Helper()
	// Of an address of its own no port is given to anybody else meanwhile.
	l, err := net.Listen("tcp", "127.0.0.9:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &mortal{t: t, how: how, address: l.Addr().String(), asked: map[string]int{}}
	o.serve(l)
	t.Cleanup(func() {
		o.mu.Lock()
		if o.dead != nil {
			close(o.dead)
			o.dead = nil
		}
		o.mu.Unlock()
		o.server.Close()
	})
	return o
}

func (o *mortal) serve(l net.Listener) {
	o.server = httptest.NewUnstartedServer(o)
	_ = o.server.Listener.Close()
	o.server.Listener = l
	o.server.Start()
}

func (o *mortal) die() {
	o.mu.Lock()
	o.dead = make(chan struct{})
	o.mu.Unlock()
	if o.how == "refusing" {
		o.server.CloseClientConnections()
		o.server.Close()
	}
}

func (o *mortal) recover() {
	if o.how == "refusing" {
		l, err := net.Listen("tcp", o.address)
		if err != nil {
			o.t.Fatal(err)
		}
		o.serve(l)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.again = true
	close(o.dead)
	o.dead = nil
}

// worst is how often the manifest asked for most was asked for.
func (o *mortal) worst() (most int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, n := range o.asked {
		most = max(most, n)
	}
	return most
}

func (o *mortal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	dead := o.dead
	if dead != nil {
		o.asked[r.URL.Path]++
	}
	o.mu.Unlock()
	switch {
	case dead == nil:
	case o.how == "resetting":
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			err = errors.Join(conn.(*net.TCPConn).SetLinger(0), conn.Close())
		}
		if err != nil {
			o.t.Errorf("cannot reset a connection: %v", err)
		}
		return
	case o.how == "hanging":
		select {
		case <-dead:
		case <-r.Context().Done():
			return
		}
	case o.how == "failing":
		http.Error(w, "out of order", http.StatusInternalServerError)
		return
	}
	o.mu.Lock()
	edition := 1
	if o.again {
		edition = 2
	}
	o.mu.Unlock()
	live := strings.HasPrefix(r.URL.Path, "/live/")
	w.Header().Set("Content-Type", contentTypes[path.Ext(r.URL.Path)])
	w.Header().Set("Cache-Control", "max-age=1")
	switch path.Base(r.URL.Path) {
	case "master.m3u8":
		_, _ = io.WriteString(w, master+fmt.Sprintf("#EXT-X-SESSION-DATA:DATA-ID=\"example\",VALUE=\"edition %d\"\n", edition))
	case "index.m3u8":
		_, _ = io.WriteString(w, playlist(edition, 2, live))
	default:
		_, _ = io.WriteString(w, mpd(fmt.Sprintf("edition-%d", edition), 2, live))
	}
}
