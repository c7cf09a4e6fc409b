package proxy

import (
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"manifold/exchange"
	"manifold/origin"
	"manifold/proxy/access"
	"manifold/proxy/access/token"
	"manifold/session"
	"manifold/steering"
)

const multivariant = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="English",LANGUAGE="en",URI="audio/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,AUDIO="aud"
v360/index.m3u8
#EXT-X-UNKNOWN:kept
`

const mediaPlaylist = `#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="init.mp4"
#EXTINF:2.000,
seg7.m4s
#EXTINF:2.000,
seg8.m4s
`

const mpd = `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" minimumUpdatePeriod="PT2S" availabilityStartTime="2026-01-01T00:00:00Z" profiles="urn:mpeg:dash:profile:isoff-live:2011">
  <Period id="1" start="PT0S">
    <AdaptationSet contentType="video">
      <SegmentTemplate timescale="1" duration="2" media="$RepresentationID$/$Number$.m4s" initialization="$RepresentationID$/init.mp4"/>
      <Representation id="v360" bandwidth="800000"/>
    </AdaptationSet>
  </Period>
</MPD>
`

// stage is a proxy before a real origin, with a fixed clock.
type stage struct {
	t     testing.TB
	proxy *Proxy
	cfg   *Config
	now   time.Time

	mu    sync.Mutex
	seen  []string // what reached the origin
	files map[string]file
	leads map[string]string // redirects
	url   string
}

// file is what the origin has at a path.
type file struct{ contentType, body, cacheControl string }

// publish changes what the origin has at a path; it may be cached for a
// second.
func (s *stage) publish(path, body string) {
	contentType := typeHLS
	if strings.HasSuffix(path, ".mpd") {
		contentType = typeDASH
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[path] = file{contentType, body, "max-age=1"}
}

type fixedKeys map[string]string

func (k fixedKeys) Secret(ref string) ([]byte, error) {
	if v, ok := k[ref]; ok {
		return []byte(v), nil
	}
	return nil, errors.New("no such key")
}
func (k fixedKeys) PublicKey(string) (*ecdsa.PublicKey, error) { return nil, errors.New("no such key") }

const secret = "0123456789abcdef0123456789abcdef"

func newStage(t testing.TB, change func(*Config)) *stage {
	t.Helper()
	s := &stage{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	s.files = map[string]file{
		"/live/master.m3u8":     {typeHLS, multivariant, "max-age=60"},
		"/live/v360/index.m3u8": {typeHLS, mediaPlaylist, "max-age=60"},
		"/live/manifest.mpd":    {typeDASH, mpd, "max-age=60"},
		"/live/broken.m3u8":     {typeHLS, "<html>no</html>", "max-age=60"},
		"/live/junk.mpd":        {typeDASH, "<MPD", "max-age=60"},
		"/live/v360/seg7.m4s":   {"video/mp4", "media bytes", "max-age=60"},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, fmt.Sprint(r.URL, r.Header))
		f, ok := s.files[r.URL.Path]
		to := s.leads[r.URL.Path]
		s.mu.Unlock()
		if to != "" {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
			return
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", f.contentType)
		w.Header().Set("Cache-Control", f.cacheControl)
		_, _ = io.WriteString(w, f.body)
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	shield, err := origin.New(origin.Config{}, func() time.Time { return s.now }, func() float64 { return 0.5 })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shield.Close)
	s.proxy = New(shield, slog.New(slog.DiscardHandler), func() time.Time { return s.now })
	keys, err := session.NewKeys(session.Secrets{Sign: [][]byte{[]byte(secret)}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := &Config{
		Sessions: keys,
		Keys:     fixedKeys{"viewers": secret, "a": secret, "b": secret, "g": secret},
		Sets: []SetConfig{{Name: "public", Pathways: []PathwayConfig{
			{ID: "alpha", Base: "https://a.example", PlainBase: "http://a.example", Weight: 50, Token: &token.Config{Format: "akamai", Keys: []string{"a"}}},
			{ID: "beta", Base: "https://b.example", Weight: 30, Token: &token.Config{Format: "bunny", Keys: []string{"b"}}},
			{ID: "gamma", Base: "https://g.example", Weight: 20, Token: &token.Config{Format: "mediacdn", Keys: []string{"g"}}},
		}}},
		Channels: []ChannelConfig{
			{
				Name: "news", Prefix: "/news", Set: "public", Steering: true, TTL: 20 * time.Second,
				Origin: origin.GroupConfig{Name: "news", Origins: []origin.OriginConfig{{URL: srv.URL + "/live/"}}, AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
				Access: access.Config{Token: "jwt", Issuers: []access.Issuer{{Name: "login", Keys: []access.Key{{Algorithm: "HS256", Key: "viewers"}}}}},
			},
			{
				Name: "open", Prefix: "/open", Set: "public", Steering: true,
				Origin: origin.GroupConfig{Name: "open", Origins: []origin.OriginConfig{{URL: srv.URL + "/live/"}}, AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
			},
		},
	}
	if change != nil {
		change(cfg)
	}
	s.cfg = cfg
	if err := s.proxy.Load(cfg); err != nil {
		t.Fatal(err)
	}
	return s
}

// viewerToken is a token as a login service gives it.
func (s *stage) viewerToken(claims jwt.MapClaims) string {
	s.t.Helper()
	all := jwt.MapClaims{"iss": "login", "sub": "account-1", "jti": "token-1", "iat": s.now.Unix(), "exp": s.now.Add(time.Hour).Unix()}
	for k, v := range claims {
		all[k] = v
	}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, all).SignedString([]byte(secret))
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

type fields map[string]string

func (f fields) Get(name string) string { return f[name] }
func (f fields) Each(g func(name, value string) bool) {
	for k, v := range f {
		if !g(k, v) {
			return
		}
	}
}

type response struct {
	status int
	body   string
	header map[string]string
}

// ask sends one request of a viewer over TLS from one address.
func (s *stage) ask(method, target string, header fields) response {
	s.t.Helper()
	ex := exchange.Acquire(context.Background(), nil)
	defer exchange.Release(ex)
	ex.Protocol, ex.TLS, ex.Method, ex.Host, ex.Header = exchange.HTTP2, true, method, "edge.example", header
	ex.Remote = viewerAddress
	if err := ex.SetTarget(target); err != nil {
		s.t.Fatal(err)
	}
	s.proxy.Serve(ex)
	body := ex.Content()
	if ex.Stream != nil {
		var err error
		if body, err = io.ReadAll(ex.Stream); err != nil {
			s.t.Fatal(err)
		}
	}
	res := response{status: ex.Status, body: string(body), header: map[string]string{}}
	for _, f := range ex.Fields() {
		res.header[f.Name] = strings.Clone(f.Value)
	}
	return res
}

// serveOnly is one request as a listener hands it over.
func (s *stage) serveOnly(target string, header exchange.Headers) {
	ex := exchange.Acquire(context.Background(), nil)
	ex.Protocol, ex.TLS, ex.Method, ex.Host, ex.Header = exchange.HTTP2, true, "GET", "edge.example", header
	ex.Remote = viewerAddress
	if err := ex.SetTarget(target); err != nil {
		s.t.Fatal(err)
	}
	s.proxy.Serve(ex)
	if ex.Status != 200 {
		s.t.Fatalf("%s: %d", target, ex.Status)
	}
	exchange.Release(ex)
}

var viewerAddress = netip.MustParseAddrPort("192.0.2.7:5000")

func (s *stage) get(target string) response {
	s.t.Helper()
	return s.ask("GET", target, fields{"User-Agent": "test"})
}

// ok fails the test when the answer is not 200.
func (r response) ok(t testing.TB) response {
	t.Helper()
	if r.status != 200 {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	return r
}

var sessionURI = regexp.MustCompile(`(?m)/news/~[A-Za-z0-9_-]{104}/[a-z-]+/[^"\s<]+`)

func TestMultivariantOffersEveryPathway(t *testing.T) {
	s := newStage(t, nil)
	res := s.get("/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(nil)).ok(t)
	uris := sessionURI.FindAllString(res.body, -1)
	if len(uris) != 6 { // three pathways, each with audio and one variant
		t.Fatalf("%d addresses in\n%s", len(uris), res.body)
	}
	for _, want := range []string{`#EXT-X-CONTENT-STEERING:SERVER-URI="https://edge.example/.manifold/steer/news/~`, `PATHWAY-ID="alpha"`, `PATHWAY-ID="beta"`, `PATHWAY-ID="gamma"`, "#EXT-X-UNKNOWN:kept\n"} {
		if !strings.Contains(res.body, want) {
			t.Errorf("%s is not in\n%s", want, res.body)
		}
	}
	if res.header["Cache-Control"] != "private, max-age=30" || res.header["Content-Type"] != typeHLS {
		t.Errorf("header %v", res.header)
	}
}

func TestMediaPlaylistCarriesTheTokenOfItsCDN(t *testing.T) {
	s := newStage(t, nil)
	master := s.get("/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(nil)).ok(t)
	bases := map[string]string{"alpha": "https://a.example/", "beta": "https://b.example/", "gamma": "https://g.example/"}
	formats := map[string]string{"alpha": "akamai", "beta": "bunny", "gamma": "mediacdn"}
	for _, uri := range sessionURI.FindAllString(master.body, -1) {
		if !strings.Contains(uri, "v360") {
			continue
		}
		pathway := strings.Split(uri, "/")[3]
		media := s.get(uri).ok(t)
		if media.header["Cache-Control"] != "private, no-store" {
			t.Errorf("a live playlist says %q", media.header["Cache-Control"])
		}
		v, err := token.NewVerifier(token.Config{Format: formats[pathway], Keys: []string{"x"}}, []string{bases[pathway]}, token.Secrets{Keys: [][]byte{[]byte(secret)}})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, line := range regexp.MustCompile(`(?m)https://[^"\s]+`).FindAllString(media.body, -1) {
			u, err := url.Parse(line)
			if err != nil || !strings.HasPrefix(line, bases[pathway]) {
				t.Fatalf("%s: %s", pathway, line)
			}
			path, _, err := v.Verify(u.EscapedPath(), u.RawQuery, netip.MustParseAddr("192.0.2.7"), s.now)
			if err != nil || !strings.HasPrefix(path, "/live/v360/") {
				t.Errorf("%s: %s leads to %s: %v", pathway, line, path, err)
			}
			n++
		}
		if n != 3 {
			t.Errorf("%s: %d references in\n%s", pathway, n, media.body)
		}
	}
}

func TestMediaPlaylistAtTheEntryMovesIntoTheSession(t *testing.T) {
	s := newStage(t, nil)
	target := "/news/v360/index.m3u8?token=" + s.viewerToken(nil)
	res := s.get(target + "&device=hlsjs")
	if res.status != 302 || !sessionURI.MatchString(res.header["Location"]) {
		t.Fatalf("hlsjs: %d %v", res.status, res.header)
	}
	s.get(res.header["Location"]).ok(t)
	// The conservative profile does not follow redirects: it is served.
	if res := s.get(target).ok(t); !strings.Contains(res.body, ".example/") {
		t.Errorf("conservative: %s", res.body)
	}
}

func TestLiveMPDStaysInTheSession(t *testing.T) {
	s := newStage(t, nil)
	target := "/news/manifest.mpd?device=dashjs&token=" + s.viewerToken(nil)
	first := s.get(target).ok(t)
	location := regexp.MustCompile(`<Location>https://edge\.example(/news/~[^<]+)</Location>`).FindStringSubmatch(first.body)
	if location == nil {
		t.Fatalf("no Location in\n%s", first.body)
	}
	again := s.get(location[1]).ok(t)
	if again.body != first.body {
		t.Errorf("the session address gives other bytes:\n%s\n%s", first.body, again.body)
	}
	// A player that keeps asking the entry gets the same bytes too.
	s.now = s.now.Add(10 * time.Second)
	if reload := s.get(target).ok(t); reload.body != first.body {
		t.Errorf("the entry gives other bytes:\n%s\n%s", first.body, reload.body)
	}
	if n := strings.Count(first.body, "serviceLocation="); n != 3 {
		t.Errorf("%d pathways in\n%s", n, first.body)
	}
	if first.header["Cache-Control"] != "private, no-store" || first.header["Content-Type"] != typeDASH {
		t.Errorf("header %v", first.header)
	}
}

type steeringAnswerBody struct {
	Version  int      `json:"VERSION"`
	TTL      int      `json:"TTL"`
	Reload   string   `json:"RELOAD-URI"`
	Priority []string `json:"PATHWAY-PRIORITY"`
}

func (s *stage) steer(target string) steeringAnswerBody {
	s.t.Helper()
	res := s.get(target).ok(s.t)
	var a steeringAnswerBody
	if err := json.Unmarshal([]byte(res.body), &a); err != nil {
		s.t.Fatal(err)
	}
	if res.header["Cache-Control"] != "no-store" || res.header["Access-Control-Allow-Origin"] != "*" || res.header["Content-Type"] != steering.ContentType {
		s.t.Errorf("header %v", res.header)
	}
	return a
}

func TestSteeringAgreesWithTheManifest(t *testing.T) {
	s := newStage(t, nil)
	seen := map[string]bool{}
	for i := range 40 {
		res := s.get("/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(jwt.MapClaims{"jti": fmt.Sprint(i)})).ok(t)
		m := regexp.MustCompile(`SERVER-URI="https://edge\.example([^"]+)",PATHWAY-ID="([a-z]+)"`).FindStringSubmatch(res.body)
		if m == nil {
			t.Fatal(res.body)
		}
		for _, query := range []string{"", "?_HLS_pathway=%22beta%22&_HLS_throughput=5000000", "?_DASH_pathway=beta,&_DASH_throughput=,193404500"} {
			a := s.steer(m[1] + query)
			if a.Version != 1 || a.TTL < 17 || a.TTL > 23 || len(a.Priority) != 3 || a.Priority[0] != m[2] {
				t.Fatalf("the manifest says %s, the answer %+v", m[2], a)
			}
			if a.Reload != "https://edge.example"+m[1] {
				t.Fatalf("RELOAD-URI %s", a.Reload)
			}
		}
		seen[m[2]] = true
	}
	if len(seen) != 3 {
		t.Errorf("40 sessions were all sent to %v", seen)
	}
}

func TestSteeringOutlivesTheSession(t *testing.T) {
	s := newStage(t, nil)
	res := s.get("/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(nil)).ok(t)
	m := regexp.MustCompile(`SERVER-URI="https://edge\.example([^"]+)"`).FindStringSubmatch(res.body)
	s.now = s.now.Add(48 * time.Hour)
	if a := s.steer(m[1]); len(a.Priority) != 3 {
		t.Errorf("%+v", a)
	}
	uri := sessionURI.FindString(res.body)
	if res := s.get(uri); res.status != 401 || res.header["WWW-Authenticate"] == "" {
		t.Errorf("an ended session is answered %d %v", res.status, res.header)
	}
}

func TestDrainMovesEveryKindOfPlayer(t *testing.T) {
	s := newStage(t, nil)
	var master response
	var id string
	for i := 0; id != "alpha"; i++ { // a session whose first choice is alpha
		master = s.get("/news/master.m3u8?device=conservative&token=" + s.viewerToken(jwt.MapClaims{"jti": fmt.Sprint(i)})).ok(t)
		id = strings.Split(sessionURI.FindString(master.body), "/")[3]
	}
	media := regexp.MustCompile(`(?m)^/news/~\S+/alpha/v360\S+`).FindString(master.body)
	if res := s.get(media).ok(t); !strings.Contains(res.body, "https://a.example/") {
		t.Fatal(res.body)
	}
	if err := s.proxy.Conditions().SetDrain("public", "alpha", &Drain{Who: "test", Why: "test"}); err != nil {
		t.Fatal(err)
	}
	// A player without steering stays with its address: its media moves.
	if res := s.get(media).ok(t); strings.Contains(res.body, "a.example") {
		t.Errorf("still on alpha:\n%s", res.body)
	}
	// A player that steers is told by the steering answer, and may finish.
	if res := s.get(media + "?device=hlsjs").ok(t); !strings.Contains(res.body, "https://a.example/") {
		t.Errorf("a steering player was moved behind its back:\n%s", res.body)
	}
	sess := strings.Split(media, "/")[2]
	if a := s.steer("/.manifold/steer/news/" + sess); a.Priority[2] != "alpha" {
		t.Errorf("priority %v", a.Priority)
	}
	// A new configuration does not undo the drain.
	if st := s.proxy.Conditions().Status(); st[0].ID != "alpha" || st[0].Drain == nil {
		t.Errorf("status %+v", st)
	}
	if err := s.proxy.Conditions().SetDrain("public", "nowhere", nil); err == nil {
		t.Error("a pathway that is not there was drained")
	}
}

func TestRefusals(t *testing.T) {
	s := newStage(t, nil)
	good := s.viewerToken(nil)
	master := s.get("/news/master.m3u8?device=hlsjs&token=" + good).ok(t)
	address := sessionURI.FindString(master.body)
	forged := strings.Replace(address, "~A", "~B", 1)
	if forged == address {
		t.Fatal("the session does not begin with A")
	}
	for _, c := range []struct {
		what, method, target string
		status               int
	}{
		{"no token", "GET", "/news/master.m3u8", 401},
		{"a broken token", "GET", "/news/master.m3u8?token=x.y.z", 401},
		{"an expired token", "GET", "/news/master.m3u8?token=" + s.viewerToken(jwt.MapClaims{"exp": s.now.Add(-time.Hour).Unix()}), 401},
		{"another issuer", "GET", "/news/master.m3u8?token=" + s.viewerToken(jwt.MapClaims{"iss": "other"}), 401},
		{"unknown channel", "GET", "/nothing/master.m3u8", 404},
		{"method", "POST", "/news/master.m3u8?token=" + good, 405},
		{"not at the origin", "GET", "/news/absent.m3u8?token=" + good, 404},
		{"not a playlist", "GET", "/news/broken.m3u8?token=" + good, 502},
		{"not an MPD", "GET", "/news/junk.mpd?token=" + good, 502},
		{"forged session", "GET", forged, 401},
		{"session of another channel", "GET", strings.Replace(address, "/news/", "/open/", 1), 401},
		{"half a session address", "GET", "/news/~abc", 404},
		{"steering without a session", "GET", "/.manifold/steer/news", 404},
		{"steering of no channel", "GET", "/.manifold/steer/x/~abc", 404},
		{"steering with a forged session", "GET", "/.manifold/steer/news/~abc", 401},
		{"nothing of ours", "GET", "/.manifold/else", 404},
		{"the root", "GET", "/", 404},
		{"the prefix", "GET", "/news/", 404},
	} {
		res := s.ask(c.method, c.target, fields{})
		if res.status != c.status {
			t.Errorf("%s: %d, want %d: %s", c.what, res.status, c.status, res.body)
		}
		if res.header["Access-Control-Allow-Origin"] != "*" || res.header["Cache-Control"] != "no-store" {
			t.Errorf("%s: header %v", c.what, res.header)
		}
		if strings.Contains(res.body, good) || strings.Contains(res.body, "127.0.0.1") {
			t.Errorf("%s: the answer shows what it must not: %s", c.what, res.body)
		}
	}
}

// A pathway may leave the configuration while players hold addresses with it:
// they go on with another one.
func TestPathwayThatIsGone(t *testing.T) {
	s := newStage(t, nil)
	master := s.get("/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(nil)).ok(t)
	address := regexp.MustCompile(`/news/~\S+/v360/index\.m3u8`).FindString(master.body)
	gone := regexp.MustCompile(`/(alpha|beta|gamma)/`).ReplaceAllString(address, "/delta/")
	if gone == address {
		t.Fatalf("no pathway in %s", address)
	}
	if res := s.ask("GET", gone, fields{}).ok(t); !strings.Contains(res.body, "https://") || strings.Contains(res.body, "delta") {
		t.Errorf("%s", res.body)
	}
	explained, err := s.proxy.Explain(t.Context(), &Imagined{URL: "https://edge.example" + gone})
	if err != nil || explained.Status != 200 {
		t.Fatal(err, explained)
	}
	if text := fmt.Sprint(explained.Trace); !strings.Contains(text, "instead of delta") {
		t.Errorf("the trace does not tell of it: %s", text)
	}
}

func TestViewersTokenGoesNoFurther(t *testing.T) {
	s := newStage(t, func(c *Config) { c.Channels[0].Origin.Query = []string{"lang"} })
	good := s.viewerToken(nil)
	res := s.ask("GET", "/news/master.m3u8?lang=de&CMCD=sid%3D%22x%22&device=hlsjs&token="+good, fields{"Authorization": "Bearer " + good, "Cookie": "token=" + good})
	res.ok(t)
	s.ask("GET", regexp.MustCompile(`(?m)^/news/~\S+$`).FindString(res.body), fields{"Authorization": "Bearer " + good}).ok(t)
	signature := good[strings.LastIndexByte(good, '.')+1:]
	if strings.Contains(res.body, signature) {
		t.Error("the token is in the manifest")
	}
	for _, seen := range s.seen {
		if strings.Contains(seen, signature) || strings.Contains(seen, "CMCD") || strings.Contains(seen, "device") {
			t.Errorf("the origin was shown %s", seen)
		}
	}
	if !strings.Contains(strings.Join(s.seen, " "), "lang=de") {
		t.Errorf("the declared parameter did not reach the origin: %v", s.seen)
	}
}

func TestSegmentsThatComeToTheEdge(t *testing.T) {
	s := newStage(t, nil)
	tok := s.viewerToken(nil)
	res := s.get("/news/v360/seg7.m4s?device=hlsjs&token=" + tok)
	if res.status != 302 || !strings.Contains(res.header["Location"], ".example/") || !strings.Contains(res.header["Location"], "v360/seg7.m4s") || strings.Contains(res.header["Location"], tok) {
		t.Errorf("direct: %d %v", res.status, res.header)
	}
	// What is asked for may stand in the query; what is ours goes no further.
	at := s.get("/news/v360/seg7.m4s?v=2&device=hlsjs&token=" + tok + "&CMCD=sid%3D%22x%22").header["Location"]
	if !strings.Contains(at, "/v360/seg7.m4s?v=2&CMCD=sid%3D%22x%22") || strings.Contains(at, "device=") || strings.Contains(at, tok) {
		t.Errorf("the query leads to %s", at)
	}
	s = newStage(t, func(c *Config) { c.Channels[0].Segments = 1 })
	res = s.get("/news/v360/seg7.m4s?device=hlsjs&token=" + tok).ok(t)
	if res.body != "media bytes" || res.header["Content-Type"] != "video/mp4" {
		t.Errorf("proxy: %+v", res)
	}
	res = s.ask("GET", "/news/v360/seg7.m4s?device=hlsjs&token="+tok, fields{"Range": "bytes=6-10"})
	if !strings.Contains(res.header["Access-Control-Expose-Headers"], "Content-Range") {
		t.Errorf("a page on another host cannot read where the range lies: %v", res.header)
	}
	if res.status != 206 || res.body != "bytes" || res.header["Content-Range"] != "bytes 6-10/11" {
		t.Errorf("range: %+v", res)
	}
	if res := s.ask("HEAD", "/news/v360/seg7.m4s?device=hlsjs&token="+tok, fields{"Range": "bytes=6-10"}); res.status != 200 || res.header["Content-Range"] != "" {
		t.Errorf("HEAD takes no range: %d %v", res.status, res.header)
	}
}

func TestGzipIsTheSameManifest(t *testing.T) {
	s := newStage(t, nil)
	target := "/news/manifest.mpd?device=dashjs&token=" + s.viewerToken(nil)
	plain := s.get(target).ok(t)
	for _, accept := range []string{"gzip", "br, gzip;q=0.5", "*"} {
		res := s.ask("GET", target, fields{"User-Agent": "test", "Accept-Encoding": accept}).ok(t)
		if res.header["Content-Encoding"] != "gzip" || res.header["Vary"] != "Accept-Encoding" {
			t.Fatalf("%s: header %v", accept, res.header)
		}
		z, err := gzip.NewReader(strings.NewReader(res.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil || string(text) != plain.body {
			t.Errorf("%s: %v\n%s", accept, err, text)
		}
	}
	for _, refuse := range []string{"", "identity", "gzip;q=0", "br"} {
		if res := s.ask("GET", target, fields{"User-Agent": "test", "Accept-Encoding": refuse}); res.header["Content-Encoding"] != "" {
			t.Errorf("%q was answered with gzip", refuse)
		}
	}
}

func TestPreflight(t *testing.T) {
	s := newStage(t, nil)
	res := s.ask("OPTIONS", "/news/master.m3u8", fields{"Origin": "https://player.example", "Access-Control-Request-Headers": "cmcd-session"})
	if res.status != 204 || res.header["Access-Control-Allow-Headers"] == "" || res.header["Access-Control-Allow-Origin"] != "*" {
		t.Errorf("%+v", res)
	}
}

func TestPlainViewersGetPlainBases(t *testing.T) {
	s := newStage(t, func(c *Config) { c.Sets[0].Pathways = c.Sets[0].Pathways[:1] })
	ex := exchange.Acquire(context.Background(), nil)
	defer exchange.Release(ex)
	ex.Protocol, ex.Method, ex.Host, ex.Header = exchange.HTTP1, "GET", "edge.example:8080", fields{}
	ex.Remote = viewerAddress
	if err := ex.SetTarget("/news/manifest.mpd?device=dashjs&token=" + s.viewerToken(nil)); err != nil {
		t.Fatal(err)
	}
	s.proxy.Serve(ex)
	body := string(ex.Content())
	if !strings.Contains(body, "http://a.example/") || strings.Contains(body, "https://") || !strings.Contains(body, "<Location>http://edge.example:8080/news/~") {
		t.Error(body)
	}
}

func TestBadConfigurationChangesNothing(t *testing.T) {
	s := newStage(t, nil)
	if err := s.proxy.Load(&Config{}); err == nil {
		t.Fatal("an empty configuration was taken")
	}
	s.get("/news/master.m3u8?token=" + s.viewerToken(nil)).ok(t)
}

func TestNotReady(t *testing.T) {
	p := New(nil, slog.New(slog.DiscardHandler), time.Now)
	if p.Ready() == nil {
		t.Error("ready without a configuration")
	}
	s := &stage{t: t, proxy: p}
	if res := s.get("/news/master.m3u8"); res.status != 503 || res.header["Retry-After"] == "" {
		t.Errorf("%+v", res)
	}
}
