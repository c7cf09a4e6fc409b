package load

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Short: 10 reloads at 200 requests a second; the full form is 100 at 1,000.
func TestReloads(t *testing.T) { reloads(t, 10, 200) }

// painted is a configuration in which all that a viewer can tell it by has a
// colour: names and addresses of the pathways, and their tokens.
func painted(origin, colour string) string {
	return fmt.Sprintf(`
shield: {allow_private: 127.0.0.0/8}
pathways:
  both:
    - {id: one-%[2]s, base: "https://one.%[2]s.example", token: {format: akamai, keys: "file:cdn.key#hex", name: %[2]stoken}}
    - {id: two-%[2]s, base: "https://two.%[2]s.example", token: {format: akamai, keys: "file:cdn.key#hex", name: %[2]stoken}}
channels:
  - {name: news, origin: "%[1]s/", pathways: both, segments: direct}
`, origin, colour)
}

// shows tells whether an answer has anything of a colour.
func shows(body, colour string) bool {
	for _, mark := range []string{"one-" + colour, "two-" + colour, colour + ".example", colour + "token"} {
		if strings.Contains(body, mark) {
			return true
		}
	}
	return false
}

// perReload is how many requests begin from one reload to the next.
const perReload = 100

// reloads shows that a configuration that changes under load is taken whole:
// over each protocol, no request fails, every answer is of one configuration
// and of the one in force or the one that came while it was made. Each tenth
// file is wrong, and changes nothing.
func reloads(t *testing.T, n, rate int) {
	o := startSource(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=2")
		live := strings.HasPrefix(r.URL.Path, "/live/")
		switch path.Base(r.URL.Path) {
		case "master.m3u8":
			_, _ = io.WriteString(w, master)
		case "index.m3u8":
			_, _ = io.WriteString(w, playlist(1, 4, live))
		default:
			_, _ = io.WriteString(w, mpd("m", 4, live))
		}
	})
	e := prepareEdge(t)
	e.write("cdn.key", strings.Repeat("0c", 32))
	e.start(painted(o.url, "red"))
	ctx, cancel := context.WithTimeout(t.Context(), 2*within)
	defer cancel()
	clients := map[string]*client{}
	for _, p := range protocols {
		clients[p] = e.client(p)
	}
	urls := e.everything(t, clients)
	var bad complaints
	var answered [2]atomic.Int64
	var running sync.WaitGroup
	// judge asks and checks one answer, which may be of one of the colours.
	judge := func(c *client, url string, colours ...string) {
		a, err := c.get(ctx, url)
		if err != nil || a.status != http.StatusOK {
			bad.add("%s %s: %+v, %v", c.protocol, url, a, err)
			return
		}
		red, blue := shows(a.body, "red"), shows(a.body, "blue")
		switch {
		case red && blue:
			bad.add("%s %s mixes two configurations:\n%s", c.protocol, url, a.body)
		case !red && !blue:
			bad.add("%s %s is of no configuration:\n%s", c.protocol, url, a.body)
		case len(colours) == 1 && !shows(a.body, colours[0]):
			bad.add("%s %s: is not %s:\n%s", c.protocol, url, colours[0], a.body)
		case red:
			answered[0].Add(1)
		default:
			answered[1].Add(1)
		}
	}
	turn := make(chan struct{}, n)
	stop := make(chan struct{})
	var load sync.WaitGroup
	began, sent := time.Now(), 0
	load.Go(func() {
		sent = openLoop(rate, stop, func(i int) {
			c, url := clients[protocols[i%3]], urls[i/3%len(urls)]
			running.Go(func() { judge(c, url) })
			if i > 0 && i%perReload == 0 && i <= n*perReload {
				turn <- struct{}{}
			}
		})
	})
	inForce := "red"
	for i := 1; i <= n; i++ {
		<-turn
		wanted := map[string]string{"red": "blue", "blue": "red"}[inForce]
		if i%10 == 5 {
			e.write("manifold.yml", base+strings.Replace(painted(o.url, wanted), "two-"+wanted, "one-"+wanted, 1))
			if status, body := e.reload(); status < 400 || !strings.Contains(body, "one-"+wanted) {
				bad.add("reload %d, of a wrong file: %d %s", i, status, body)
			}
		} else {
			e.write("manifold.yml", base+painted(o.url, wanted))
			if status, body := e.reload(); status != http.StatusOK {
				bad.add("reload %d: %d %s", i, status, body)
			}
			inForce = wanted
		}
		// From here on nobody gets the one before.
		for _, c := range clients {
			judge(c, urls[i%len(urls)], inForce)
		}
		if bad.n.Load() > 0 {
			break
		}
	}
	close(stop)
	load.Wait()
	took := time.Since(began)
	running.Wait()
	bad.report(t)
	if answered[0].Load() == 0 || answered[1].Load() == 0 {
		t.Errorf("%d answers of one configuration, %d of the other", answered[0].Load(), answered[1].Load())
	}
	t.Logf("measured: %d reloads in %v under %.0f requests a second over h1, h2 and h3 (%d asked for): 0 of %d answers failed or mixed",
		n, took.Round(time.Millisecond), float64(sent)/took.Seconds(), rate, answered[0].Load()+answered[1].Load())
}

// everything gives an address of each kind of answer that a channel has: at
// the entry, in sessions of either pathway, and of the steering server.
func (e *edge) everything(t *testing.T, clients map[string]*client) (urls []string) {
	t.Helper()
	steering := map[string]bool{}
	for _, kind := range []string{"live", "vod"} {
		urls = append(urls, "/news/"+kind+"/master.m3u8?device=hlsjs", "/news/"+kind+"/manifest.mpd?device=dashjs", "/news/"+kind+"/manifest.mpd?device=shaka")
		for i := range 8 {
			media := e.enter("/news/"+kind+"/master.m3u8", fmt.Sprint(kind, i))
			urls = append(urls, media)
			a := fetch(t, http.DefaultTransport, e.plain+"/news/"+kind+"/master.m3u8?device=hlsjs")
			_, rest, _ := strings.Cut(a.body, `SERVER-URI="`)
			server, _, ok := strings.Cut(rest, `"`)
			if !ok {
				t.Fatalf("no steering server is named:\n%s", a.body)
			}
			if !steering[server] {
				steering[server] = true
				urls = append(urls, resolve(t, e.plain+"/news/"+kind+"/master.m3u8", server))
			}
		}
	}
	return urls
}
