package demo

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"manifold/origin/ingest"
	"manifold/proxy/access/token"
	"manifold/proxy/listen"
	"manifold/transcoder"
)

// Config is how the demo is set up.
type Config struct {
	// State is a folder of the demo's own: keys, certificates, the VOD
	// programme, the edge's manifold.yml. Made where it is not there.
	State string
	// Ports are where everything listens on loopback.
	Ports Ports
	// Log takes what happens, Now is the clock.
	Log *slog.Logger
	Now func() time.Time
}

// Ports of the demo; 0 chooses a free one.
type Ports struct {
	EdgeTLS, EdgePlain, Admin, Origin uint16
	// CDNs are TLS and QUIC ports, CDNPlain those without.
	CDNs, CDNPlain [3]uint16
}

// DefaultPorts are those of `manifold demo`.
var DefaultPorts = Ports{
	EdgeTLS: 8443, EdgePlain: 8080, Admin: 9090, Origin: 9100,
	CDNs: [3]uint16{9101, 9102, 9103}, CDNPlain: [3]uint16{9111, 9112, 9113},
}

// The CDNs: each with the token format of the CDN it stands for, and its
// share of the sessions.
var cdns = [3]struct {
	id, format string
	weight     int
}{{"alpha", "akamai", 50}, {"beta", "bunny", 30}, {"gamma", "mediacdn", 20}}

// steeringTTL is short, so that a drain is seen at once.
const steeringTTL = 3 * time.Second

// Demo is the running stage without the edge.
type Demo struct {
	CDNs []*CDN

	cfg        Config
	origin     *ingest.Server
	listener   *listen.Listener
	originURL  string
	stop       context.CancelFunc
	jobs       sync.WaitGroup
	failed     chan error // an encoder that gave up
	cert       *listen.Identity
	adminToken string
	viewerKey  []byte
	edge       Edge
}

// Edge is the edge that the wiring starts.
type Edge interface {
	PlainAddr() netip.AddrPort
	TLSAddr() netip.AddrPort
	AdminAddr() netip.AddrPort
}

// Start starts the origin, the transcoders' output and the CDNs, and writes
// the edge's configuration (see [Demo.ConfigFile]).
func Start(ctx context.Context, cfg Config) (*Demo, error) {
	d := &Demo{cfg: cfg}
	if err := d.start(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("cannot start demo: %w", err)
	}
	return d, nil
}

func (d *Demo) start(ctx context.Context) (err error) {
	if err := os.MkdirAll(d.cfg.State, 0o700); err != nil {
		return err
	}
	if d.cert, err = listen.LoadIdentity(filepath.Join(d.cfg.State, "certificate"), d.cfg.Now()); err != nil {
		return err
	}
	if err := d.startOrigin(); err != nil {
		return err
	}
	if err := d.startEncoders(ctx); err != nil {
		return err
	}
	keys := map[string][]byte{"viewer": randomBytes(32), "session": randomBytes(32)}
	d.viewerKey, d.adminToken = keys["viewer"], hex.EncodeToString(randomBytes(16))
	keys["admin"] = []byte(d.adminToken)
	for i, c := range cdns {
		key := []byte(hex.EncodeToString(randomBytes(32)))
		keys[c.id] = key
		raw := key
		if c.format == "akamai" {
			raw, _ = hex.DecodeString(string(key))
		}
		cdn, err := startCDN(cdnConfig{
			id: c.id, plain: loopback(d.cfg.Ports.CDNPlain[i]), secure: loopback(d.cfg.Ports.CDNs[i]),
			certificate: d.certificate, token: cdnToken(c.format), key: raw, origin: d.originURL,
			log: d.cfg.Log.With("cdn", c.id), now: d.cfg.Now, random: mathrand.Float64,
		})
		if err != nil {
			return err
		}
		d.CDNs = append(d.CDNs, cdn)
	}
	return d.writeConfig(keys)
}

func (d *Demo) startOrigin() (err error) {
	d.origin, err = ingest.New(ingest.Config{
		Directory: filepath.Join(d.cfg.State, "content"), Memory: []string{"live"}, LoopbackWrites: true,
	}, d.cfg.Now, d.cfg.Log.With("part", "origin"))
	if err != nil {
		return err
	}
	d.listener, err = listen.New(listen.Config{
		Plain: []string{loopback(d.cfg.Ports.Origin)}, MaxRequestBody: -1, Logger: d.cfg.Log, Now: d.cfg.Now, DrainGrace: -1,
	}, d.origin)
	if err != nil {
		return err
	}
	if err := d.listener.Start(); err != nil {
		return err
	}
	d.originURL = fmt.Sprintf("http://%s/", address(d.listener, listen.Plain))
	return nil
}

// vodLength is how long the VOD programme is: long enough to watch a CDN
// fail, short enough to be encoded while one waits.
const vodLength = 2 * time.Minute

// liveWindow is what a live viewer may go back.
const liveWindow = 90 * time.Second

// startEncoders starts FFmpeg for VOD, where it was not made before, and live.
func (d *Demo) startEncoders(ctx context.Context) error {
	running, stop := context.WithCancel(context.Background())
	d.stop, d.failed = stop, make(chan error, 2)
	for _, c := range []transcoder.Config{
		{Prefix: "vod", Duration: vodLength},
		{Prefix: "live", Live: true, Window: liveWindow, Delay: 20 * time.Second},
	} {
		if !c.Live && d.made(c.Prefix) {
			continue
		}
		t, err := transcoder.New(ctx, c, d.origin, d.cfg.Now, d.cfg.Log.With("programme", c.Prefix))
		if err != nil {
			return err
		}
		d.jobs.Go(func() {
			if err := t.Run(running); err != nil && running.Err() == nil {
				d.failed <- fmt.Errorf("cannot encode %s: %w", c.Prefix, err)
			}
		})
	}
	return nil
}

// made tells whether a programme is in the state folder already.
func (d *Demo) made(prefix string) bool {
	for _, name := range []string{"master.m3u8", "manifest.mpd"} {
		if _, err := os.Stat(filepath.Join(d.cfg.State, "content", prefix, name)); err != nil {
			return false
		}
	}
	return true
}

// Failed gives the error of an encoder that gave up.
func (d *Demo) Failed() <-chan error { return d.failed }

// WaitReady waits until both programmes can be watched.
func (d *Demo) WaitReady(ctx context.Context) error {
	client := http.Client{Timeout: 5 * time.Second}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	missing := []string{"live", "vod"}
	for {
		for len(missing) > 0 {
			req, err := http.NewRequestWithContext(ctx, http.MethodHead, d.originURL+missing[0]+"/master.m3u8", nil)
			if err != nil {
				return err
			}
			res, err := client.Do(req)
			if err != nil || res.StatusCode != http.StatusOK {
				break
			}
			_ = res.Body.Close()
			missing = missing[1:]
		}
		if len(missing) == 0 {
			return nil
		}
		select {
		case err := <-d.failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("the programme %s was not ready in time", missing[0])
		case <-tick.C:
		}
	}
}

func (d *Demo) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return &d.cert.Leaf, nil
}

// CDN finds a CDN by its id, or nil.
func (d *Demo) CDN(id string) *CDN {
	for _, c := range d.CDNs {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// SPKI is the SHA-256 of the certificate's public key in base64, by which
// Chromium is told to trust it.
func (d *Demo) SPKI() string { return d.cert.SPKI }

// ConfigFile is the edge's configuration.
func (d *Demo) ConfigFile() string { return filepath.Join(d.cfg.State, "manifold.yml") }

// OriginURL is the origin's root, ending in "/".
func (d *Demo) OriginURL() string { return d.originURL }

// SetEdge tells the demo of the edge that was started.
func (d *Demo) SetEdge(e Edge) { d.edge = e }

func (d *Demo) edgeURL(tls bool) string {
	if tls {
		return fmt.Sprintf("https://localhost:%d", d.edge.TLSAddr().Port())
	}
	return fmt.Sprintf("http://localhost:%d", d.edge.PlainAddr().Port())
}

// PageURL is where a person looks.
func (d *Demo) PageURL() string {
	return fmt.Sprintf("http://localhost:%d/demo/", d.edge.AdminAddr().Port())
}

// ChromiumCommand starts Chromium so that it trusts the demo's certificate,
// also for HTTP/3, which private certificates are not allowed without. The
// rule for localhost keeps QUIC from going to ::1, where nobody listens.
func (d *Demo) ChromiumCommand() string {
	quic := []string{fmt.Sprintf("localhost:%d", d.edge.TLSAddr().Port())}
	for _, c := range d.CDNs {
		_, secure := c.Ports()
		quic = append(quic, fmt.Sprintf("localhost:%d", secure))
	}
	return fmt.Sprintf("chromium --user-data-dir=%s --ignore-certificate-errors-spki-list=%s --origin-to-force-quic-on=%s '--host-resolver-rules=MAP localhost 127.0.0.1' %s",
		filepath.Join(d.cfg.State, "chromium"), d.SPKI(), strings.Join(quic, ","), d.PageURL())
}

// viewerToken is a token as an operator's login service would give it.
func (d *Demo) viewerToken(now time.Time, subject string) string {
	t, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "manifold-demo", "sub": subject, "jti": hex.EncodeToString(randomBytes(8)),
		"iat": now.Unix(), "exp": now.Add(12 * time.Hour).Unix(),
	}).SignedString(d.viewerKey)
	if err != nil {
		panic(err) // an HMAC over marshallable claims cannot fail
	}
	return t
}

// Close stops everything that Start started.
func (d *Demo) Close() {
	if d.stop != nil {
		d.stop()
		d.jobs.Wait()
	}
	for _, c := range d.CDNs {
		c.Close()
	}
	if d.listener != nil {
		d.listener.Close()
	}
	if d.origin != nil {
		_ = d.origin.Close()
	}
}

// writeConfig writes the keys, each to a file of its own, and manifold.yml.
func (d *Demo) writeConfig(keys map[string][]byte) error {
	for name, key := range keys {
		text := key
		if name == "viewer" || name == "session" {
			text = []byte(base64.RawURLEncoding.EncodeToString(key))
		}
		if err := os.WriteFile(filepath.Join(d.cfg.State, name+".key"), text, 0o600); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(d.ConfigFile(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	d.printConfig(f)
	return f.Close()
}

func (d *Demo) printConfig(w io.Writer) {
	key := func(name string) string { return "file:" + filepath.Join(d.cfg.State, name+".key") }
	p := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	p("# Written anew at each start of the demo.")
	p("listen:\n  plain: [%q]\n  tls: [%q]\n  http3: true", loopback(d.cfg.Ports.EdgePlain), loopback(d.cfg.Ports.EdgeTLS))
	leaf := filepath.Join(d.cfg.State, "certificate", "leaf.pem")
	p("  certificates:\n    - cert: %s\n      key: %s", leaf, leaf)
	p("admin:\n  address: %s\n  token: %s", loopback(d.cfg.Ports.Admin), key("admin"))
	p("sessions:\n  keys: [%s#base64url]", key("session"))
	p("shield:\n  allow_private: [127.0.0.0/8, \"::1/128\"]")
	p("pathways:\n  demo:")
	for i, c := range cdns {
		ref := key(c.id)
		if c.format == "akamai" {
			ref += "#hex"
		}
		p("    - id: %s\n      base: %s\n      plain_base: %s\n      weight: %d", c.id,
			strings.TrimSuffix(d.CDNs[i].Base(true), "/"), strings.TrimSuffix(d.CDNs[i].Base(false), "/"), c.weight)
		p("      token: {format: %s, keys: [%q], lifetime: 1h}", c.format, ref)
		p("      probe: {url: %q, every: 500ms, timeout: 1s, down_in: 2, up_in: 2}", d.CDNs[i].Base(false))
	}
	p("channels:")
	for _, name := range []string{"live", "vod"} {
		p("  - name: %s\n    match: {prefix: /%s}", name, name)
		p("    origin: {urls: [%q]}", d.originURL+name+"/")
		p("    pathways: demo\n    steering: {ttl: %s}", steeringTTL)
		p("    access:\n      token: jwt\n      issuers:\n        - name: manifold-demo\n          keys:")
		p("            - {algorithm: HS256, key: %q}", key("viewer")+"#base64url")
	}
}

// cdnToken is the configuration of a CDN's verifier; the edge's minters are
// configured the same way in manifold.yml.
func cdnToken(format string) token.Config {
	return token.Config{Format: format, Keys: []string{"demo"}, Lifetime: time.Hour}
}

func loopback(port uint16) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// Banner prints where everything is.
func (d *Demo) Banner(w io.Writer) {
	p := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	p("\nManifold demo: one edge, one origin, three CDNs that each want their own token.\n")
	p("  watch         %s", d.PageURL())
	p("  edge          %s (HTTP/1.1, plain)   %s (HTTP/1.1, HTTP/2, HTTP/3)", d.edgeURL(false), d.edgeURL(true))
	p("  admin         http://%s", d.edge.AdminAddr())
	p("  origin        %s", d.originURL)
	for _, c := range d.CDNs {
		p("  CDN %-9s %s   %s   token: %s", c.ID, c.Base(false), c.Base(true), c.format)
	}
	p("  configuration %s", d.ConfigFile())
	p("  log           %s", filepath.Join(d.cfg.State, "demo.log"))
	p("\nFor HTTP/3 in Chromium with the demo's certificate:\n  %s\n", d.ChromiumCommand())
}
