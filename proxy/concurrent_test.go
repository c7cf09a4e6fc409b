package proxy

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"html"
	"io"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/golang-jwt/jwt/v5"

	"manifold/exchange"
	"manifold/manifest"
	"manifold/proxy/access/token"
	"manifold/session"
)

// crowd is many viewers of one proxy whose configuration changes under them.
type crowd struct {
	*stage
	viewers   []person
	verifiers map[string]*token.Verifier // by base
}

// person is a viewer with a session of their own. Those who are bound have CDN
// tokens for their address alone.
type person struct {
	remote  netip.AddrPort
	bound   bool
	token   string
	session string
}

var (
	formats  = map[string]string{"alpha": "akamai", "beta": "bunny", "gamma": "mediacdn"}
	mediaURL = regexp.MustCompile(`https://([a-z]+)\.(one|two)\.example/[^"\s<]+`)
)

// configured is one of the two configurations, which differ in the CDNs' hosts.
func configured(cfg *Config, name string) *Config {
	c := *cfg
	c.Sets = []SetConfig{{Name: "public"}}
	for i, id := range []string{"alpha", "beta", "gamma"} {
		c.Sets[0].Pathways = append(c.Sets[0].Pathways, PathwayConfig{
			ID: id, Base: "https://" + id + "." + name + ".example", Weight: float64(10 * (i + 1)),
			Token: &token.Config{Format: formats[id], Keys: []string{"a"}},
		})
	}
	return &c
}

func newCrowd(t *testing.T) (c *crowd, one, two *Config) {
	var cfg *Config
	c = &crowd{verifiers: map[string]*token.Verifier{}}
	c.stage = newStage(t, func(have *Config) {
		relay := have.Channels[0]
		relay.Name, relay.Prefix, relay.Segments = "relay", "/relay", manifest.SegmentsProxy
		have.Channels = append(have.Channels, relay)
		*have = *configured(have, "one")
		cfg = have
	})
	one, two = configured(cfg, "one"), configured(cfg, "two")
	for id, format := range formats {
		for _, name := range []string{"one", "two"} {
			base := "https://" + id + "." + name + ".example/"
			v, err := token.NewVerifier(token.Config{Format: format, Keys: []string{"a"}}, []string{base}, token.Secrets{Keys: [][]byte{[]byte(secret)}})
			if err != nil {
				t.Fatal(err)
			}
			c.verifiers[base] = v
		}
	}
	for i := range 12 {
		p := person{remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}), 5000), bound: i%3 == 0}
		claims := jwt.MapClaims{"jti": fmt.Sprint("viewer-", i)}
		if p.bound {
			claims["ip"] = p.remote.Addr().String()
		}
		p.token = c.viewerToken(claims)
		res, err := c.ask(&p, "/news/master.m3u8?device=hlsjs&token="+p.token, false)
		if err != nil || res.status != 200 {
			t.Fatal(res, err)
		}
		p.session = strings.Split(sessionURI.FindString(res.body), "/")[2][1:]
		c.viewers = append(c.viewers, p)
	}
	return c, one, two
}

// ask is one request as HTTP/1.1 hands it over: its strings lie in memory that
// is written over as soon as the exchange is over.
func (c *crowd) ask(p *person, target string, packed bool) (response, error) {
	buf := []byte(target + "test-agent" + "gzip" + "edge.example")
	text := func(n int) string {
		s := unsafe.String(unsafe.SliceData(buf), n)
		buf = buf[n:]
		return s
	}
	whole := buf
	ex := exchange.Acquire(context.Background(), nil)
	ex.Protocol, ex.TLS, ex.Method, ex.Remote = exchange.HTTP1, true, "GET", p.remote
	err := ex.SetTarget(text(len(target)))
	header := fields{"User-Agent": text(len("test-agent"))}
	if accept := text(len("gzip")); packed {
		header["Accept-Encoding"] = accept
	}
	ex.Header, ex.Host = header, text(len("edge.example"))
	if err != nil {
		return response{}, err
	}
	c.proxy.Serve(ex)
	body := bytes.Clone(ex.Content())
	if ex.Stream != nil {
		if body, err = io.ReadAll(ex.Stream); err != nil {
			return response{}, err
		}
	}
	res := response{status: ex.Status, header: map[string]string{}}
	for _, f := range ex.Fields() {
		res.header[f.Name] = strings.Clone(f.Value)
	}
	exchange.Release(ex)
	clear(whole)
	if res.header["Content-Encoding"] == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return res, err
		}
		if body, err = io.ReadAll(z); err != nil {
			return res, err
		}
	}
	res.body = string(body)
	return res, nil
}

// media checks the CDN URLs in a text: all of one configuration, each with a
// token that opens it for this viewer, and for nobody else if they are bound.
func (c *crowd) media(p *person, text string, want int) error {
	found := mediaURL.FindAllStringSubmatch(html.UnescapeString(text), -1) // an MPD is XML
	if len(found) != want {
		return fmt.Errorf("%d CDN URLs, want %d", len(found), want)
	}
	for _, m := range found {
		if m[2] != found[0][2] {
			return fmt.Errorf("two configurations in one answer")
		}
		u, err := url.Parse(m[0])
		if err != nil {
			return err
		}
		v := c.verifiers["https://"+m[1]+"."+m[2]+".example/"]
		path := u.EscapedPath()
		if !strings.HasSuffix(path, ".m4s") && !strings.HasSuffix(path, ".mp4") {
			path += "v360/seg7.m4s" // a base URL
		}
		if _, _, err := v.Verify(path, u.RawQuery, p.remote.Addr(), c.now); err != nil {
			return fmt.Errorf("%s: %w", m[0], err)
		}
		if _, _, err := v.Verify(path, u.RawQuery, netip.MustParseAddr("198.51.100.1"), c.now); (err == nil) == p.bound {
			return fmt.Errorf("%s: a bound viewer's token holds for everybody, or another's for nobody: %v", m[0], err)
		}
	}
	return nil
}

// sessions checks that a text names the viewer's session, and no other.
func (p *person) sessions(text string, atLeast int) error {
	found := regexp.MustCompile(`~([A-Za-z0-9_-]{104})`).FindAllStringSubmatch(text, -1)
	if len(found) < atLeast {
		return fmt.Errorf("%d sessions named, want %d or more", len(found), atLeast)
	}
	own, _ := session.Peek(p.session)
	for _, m := range found {
		if c, ok := session.Peek(m[1]); !ok || c.ID != own.ID {
			return fmt.Errorf("another one's session %s", m[1])
		}
	}
	return nil
}

// step is one kind of request, and what its answer must be.
type step struct {
	what   string
	target func(p *person) string
	status int
	check  func(c *crowd, p *person, res *response) error
}

func pathwayOf(i int) string { return []string{"alpha", "beta", "gamma"}[i%3] }

var steps = []step{
	{"entry", func(p *person) string { return "/news/master.m3u8?device=hlsjs&token=" + p.token }, 200, multivariantOf},
	{"multivariant", func(p *person) string { return "/news/~" + p.session + "/-/master.m3u8" }, 200, multivariantOf},
	{"alpha", func(p *person) string { return "/news/~" + p.session + "/alpha/v360/index.m3u8" }, 200, mediaOf("alpha")},
	{"beta", func(p *person) string { return "/news/~" + p.session + "/beta/v360/index.m3u8?CMCD=sid%3D%22x%22" }, 200, mediaOf("beta")},
	{"gamma", func(p *person) string { return "/news/~" + p.session + "/gamma/v360/index.m3u8" }, 200, mediaOf("gamma")},
	{"media at the entry", func(p *person) string { return "/news/v360/index.m3u8?device=hlsjs&token=" + p.token }, 302,
		func(_ *crowd, p *person, res *response) error { return p.sessions(res.header["Location"], 1) }},
	{"MPD", func(p *person) string { return "/news/~" + p.session + "/-/manifest.mpd?device=dashjs" }, 200,
		func(c *crowd, p *person, res *response) error {
			if err := c.media(p, res.body, 3); err != nil {
				return err
			}
			return p.sessions(res.body, 2) // Location and ContentSteering
		}},
	{"steering", func(p *person) string { return "/.manifold/steer/news/~" + p.session }, 200,
		func(_ *crowd, p *person, res *response) error {
			for i := range 3 {
				if strings.Count(res.body, `"`+pathwayOf(i)+`"`) != 1 {
					return fmt.Errorf("%s is not listed once", pathwayOf(i))
				}
			}
			return p.sessions(res.body, 1)
		}},
	{"segment", func(p *person) string { return "/relay/v360/seg7.m4s?token=" + p.token }, 200,
		func(_ *crowd, _ *person, res *response) error {
			if res.body != "media bytes" {
				return fmt.Errorf("other bytes")
			}
			return nil
		}},
	{"segment elsewhere", func(p *person) string { return "/news/~" + p.session + "/beta/v360/seg7.m4s" }, 302,
		func(c *crowd, p *person, res *response) error { return c.media(p, res.header["Location"], 1) }},
	{"forged session", func(p *person) string { return "/news/~B" + p.session[1:] + "/-/master.m3u8" }, 401, nothingOf},
	{"no such thing", func(p *person) string { return "/news/~" + p.session + "/-/absent.m3u8" }, 404, nothingOf},
}

func multivariantOf(_ *crowd, p *person, res *response) error {
	if strings.Count(res.body, "\n#EXT-X-STREAM-INF") != 3 {
		return fmt.Errorf("not three pathways")
	}
	return p.sessions(res.body, 7)
}

func mediaOf(pathway string) func(*crowd, *person, *response) error {
	return func(c *crowd, p *person, res *response) error {
		if n := strings.Count(res.body, "https://"+pathway+"."); n != 3 {
			return fmt.Errorf("%d URLs at %s, want 3", n, pathway)
		}
		return c.media(p, res.body, 3)
	}
}

func nothingOf(_ *crowd, p *person, res *response) error {
	if strings.Contains(res.body, p.session) || strings.Contains(res.body, ".example") {
		return fmt.Errorf("an error shows what it must not")
	}
	return nil
}

// Whatever many viewers ask at the same time, and whatever is reloaded and
// drained meanwhile, every answer is one viewer's own, of one configuration.
func TestNobodyGetsAnothersAnswer(t *testing.T) {
	c, one, two := newCrowd(t)
	var operators, viewers sync.WaitGroup
	reload, drain := make(chan struct{}), make(chan struct{}) // as viewers are answered
	operators.Go(func() {
		for i := 0; ; i++ {
			if _, more := <-reload; !more {
				return
			}
			if err := c.proxy.Load([]*Config{two, one}[i%2]); err != nil {
				t.Error(err)
			}
		}
	})
	operators.Go(func() {
		for i := 0; ; i++ {
			_ = c.proxy.Conditions().SetDrain("public", pathwayOf(i), &Drain{Who: "test", Why: "test"})
			if _, more := <-drain; !more {
				return
			}
			_ = c.proxy.Conditions().SetDrain("public", pathwayOf(i), nil)
		}
	})
	const each = 10
	for g := range 12 {
		viewers.Go(func() {
			order := slices.Clone(steps)
			for i := range each {
				for k := range order {
					s := &order[(k*(g+1)+i)%len(order)]
					p := &c.viewers[(g+k)%len(c.viewers)]
					res, err := c.ask(p, s.target(p), (g+i+k)%2 == 0)
					if err == nil && res.status != s.status {
						err = fmt.Errorf("status %d, want %d", res.status, s.status)
					}
					if err == nil {
						err = s.check(c, p, &res)
					}
					if err != nil {
						t.Errorf("%s of %s: %v\n%.2000s\n%v", s.what, p.remote, err, res.body, res.header)
						return
					}
					select {
					case drain <- struct{}{}:
					default:
					}
				}
				reload <- struct{}{}
			}
		})
	}
	viewers.Wait()
	close(reload)
	close(drain)
	operators.Wait()
}
