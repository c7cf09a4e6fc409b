package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"manifold/proxy/listen"
)

const playlist = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-STREAM-INF:BANDWIDTH=800000
v360/index.m3u8
`

const adminToken = "the admin token of this test"

// rig is an edge from a file in a folder, before an origin.
type rig struct {
	t      *testing.T
	dir    string
	origin *httptest.Server
	log    *logBuffer
	tick   chan time.Time
	hangup chan os.Signal
	edge   *Edge
}

// newRig starts an edge by a configuration in which ORIGIN stands for the
// origin's URL.
func newRig(t *testing.T, text string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), log: &logBuffer{}, tick: make(chan time.Time), hangup: make(chan os.Signal)}
	r.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		w.Header().Set("Cache-Control", "max-age=60")
		_, _ = io.WriteString(w, playlist)
	}))
	t.Cleanup(r.origin.Close)
	r.write("admin.key", adminToken)
	r.write("session.key", strings.Repeat("s", 32))
	r.write("manifold.yml", text)
	r.start()
	return r
}

func (r *rig) start() {
	r.t.Helper()
	log := slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	e, err := Start(Options{File: r.file(), Log: log, Tick: r.tick, Hangup: r.hangup})
	if err != nil {
		r.t.Fatal(err)
	}
	r.edge = e
	r.t.Cleanup(e.Close)
}

func (r *rig) file() string { return filepath.Join(r.dir, "manifold.yml") }

// write puts a file into the folder, as a whole and with a time of its own.
func (r *rig) write(name, text string) {
	r.t.Helper()
	text = strings.ReplaceAll(text, "ORIGIN", r.origin.URL)
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		r.t.Fatal(err)
	}
	written := time.Unix(1_700_000_000+fileTime.Add(1), 0)
	if err := os.Chtimes(path, written, written); err != nil {
		r.t.Fatal(err)
	}
}

var fileTime atomic.Int64

const base = `
listen: {plain: "127.0.0.1:0"}
admin: {address: "127.0.0.1:0", token: file:admin.key}
sessions: {keys: file:session.key}
shield: {allow_private: 127.0.0.0/8}
`

func channelFile(cdn string) string {
	return base + fmt.Sprintf("channels: [{name: news, origin: ORIGIN/, pathways: [%q]}]\n", cdn)
}

// get asks the edge for a playlist.
func (r *rig) get(client *http.Client, path string) (int, string) {
	r.t.Helper()
	res, err := client.Get("http://" + r.edge.PlainAddr().String() + path)
	if err != nil {
		r.t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

// call asks the admin side.
func (r *rig) call(method, path, token string) (int, string) {
	r.t.Helper()
	q, err := http.NewRequest(method, "http://"+r.edge.AdminAddr().String()+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

// logBuffer keeps a log and wakes who waits for a word in it.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more != nil {
		close(b.more)
		b.more = nil
	}
	return b.text.Write(p)
}

// wait waits until word is in the log n times.
func (b *logBuffer) wait(t *testing.T, word string, n int) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		b.mu.Lock()
		if strings.Count(b.text.String(), word) >= n {
			b.mu.Unlock()
			return
		}
		if b.more == nil {
			b.more = make(chan struct{})
		}
		more := b.more
		b.mu.Unlock()
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("%q is not in the log %d times:\n%s", word, n, b.String())
		}
	}
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// A hundred reloads under load: no request fails, and none gets an answer that
// mixes two configurations.
func TestReloadsUnderLoad(t *testing.T) {
	two := func(cdn string) string {
		return base + fmt.Sprintf(`
pathways: {both: ["https://one-%[1]s.example", "https://two-%[1]s.example"]}
channels: [{name: news, origin: ORIGIN/, pathways: both, segments: direct}]
`, cdn)
	}
	r := newRig(t, two("red"))
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var answered atomic.Int64
	for range 4 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				status, body := r.get(client, "/news/master.m3u8?device=hlsjs")
				red := strings.Contains(body, "one-red.example") || strings.Contains(body, "two-red.example")
				blue := strings.Contains(body, "one-blue.example") || strings.Contains(body, "two-blue.example")
				if status != http.StatusOK || !strings.HasPrefix(body, "#EXTM3U") || red && blue {
					t.Errorf("status %d: %s", status, body)
					return
				}
				answered.Add(1)
			}
		})
	}
	for i := range 100 {
		r.write("manifold.yml", two([]string{"blue", "red"}[i%2]))
		report, err := r.edge.Reload("test")
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Changed) == 0 || len(report.Restart) > 0 {
			t.Errorf("reload %d: %+v", i, report)
		}
	}
	close(stop)
	clients.Wait()
	if answered.Load() < 100 {
		t.Errorf("%d requests were answered between the reloads", answered.Load())
	}
}

// A bad file is refused whole, told in the log and by the API, and the old one
// serves on; a good one comes in by each of the ways.
func TestWaysOfReloading(t *testing.T) {
	r := newRig(t, channelFile("https://one.example"))
	serves := func(cdn string) {
		t.Helper()
		cfg := r.edge.Config()
		if got := cfg.Proxy.Sets[0].Pathways[0].Base; got != cdn {
			t.Errorf("the edge has %s, want %s", got, cdn)
		}
		if status, body := r.get(http.DefaultClient, "/news/master.m3u8"); status != http.StatusOK {
			t.Errorf("status %d: %s", status, body)
		}
	}
	serves("https://one.example")

	r.write("manifold.yml", channelFile("https://two.example")+"chanels: []\n")
	status, body := r.call("POST", "/api/v1/reload", adminToken)
	var told struct {
		Error    string
		Problems []struct {
			Line, Column        int
			Path, Problem, Hint string
		}
	}
	if err := json.Unmarshal([]byte(body), &told); err != nil || status != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	if len(told.Problems) != 1 || told.Problems[0].Line != 7 || told.Problems[0].Path != "chanels" || !strings.Contains(told.Problems[0].Hint, "channels") {
		t.Errorf("%+v", told)
	}
	r.log.wait(t, "configuration is wrong", 1)
	serves("https://one.example")

	if status, _ := r.call("POST", "/api/v1/reload", ""); status != http.StatusUnauthorized {
		t.Errorf("without the token: %d", status)
	}
	r.write("manifold.yml", channelFile("https://two.example"))
	status, body = r.call("POST", "/api/v1/reload", adminToken)
	if status != http.StatusOK || !strings.Contains(body, `"channels.news.pathways.list.`) {
		t.Errorf("%d %s", status, body)
	}
	serves("https://two.example")

	r.write("manifold.yml", channelFile("https://three.example"))
	r.hangup <- syscall.SIGHUP
	r.log.wait(t, `"by":"signal"`, 1)
	serves("https://three.example")

	// The file: not before it has rested for a look.
	r.write("manifold.yml", channelFile("https://four.example"))
	r.tick <- time.Time{}
	r.tick <- time.Time{}
	r.log.wait(t, `"by":"file"`, 1)
	serves("https://four.example")

	// A file that goes away changes nothing but the log.
	if err := os.Remove(r.file()); err != nil {
		t.Fatal(err)
	}
	r.tick <- time.Time{}
	r.tick <- time.Time{}
	r.log.wait(t, "configuration refused", 2)
	serves("https://four.example")
	r.write("manifold.yml", channelFile("https://five.example"))
	r.tick <- time.Time{}
	r.tick <- time.Time{}
	r.log.wait(t, `"by":"file"`, 3)
	serves("https://five.example")
}

// A key file that was missing and comes, or changes, is taken without a touch
// of the configuration.
func TestKeyFilesAreFollowed(t *testing.T) {
	r := newRig(t, channelFile("https://one.example"))
	r.write("manifold.yml", strings.Replace(channelFile("https://one.example"), "file:admin.key", "file:other.key", 1))
	if _, err := r.edge.Reload("test"); err == nil {
		t.Fatal("a key that is not there was read")
	}
	r.write("other.key", "another admin token")
	r.tick <- time.Time{}
	r.tick <- time.Time{}
	r.log.wait(t, `"by":"file"`, 1)
	if status, body := r.call("POST", "/api/v1/reload", "another admin token"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := r.call("POST", "/api/v1/reload", adminToken); status != http.StatusUnauthorized {
		t.Errorf("the old token: %d", status)
	}
}

// What needs a restart is said to need one, and does not change.
func TestRestartIsReported(t *testing.T) {
	r := newRig(t, channelFile("https://one.example"))
	addr := r.edge.PlainAddr()
	r.write("manifold.yml", strings.Replace(channelFile("https://one.example"), "allow_private: 127.0.0.0/8", "live: 1GiB, allow_private: 127.0.0.0/8", 1)+
		"log: {level: error}\n")
	report, err := r.edge.Reload("test")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(report.Changed, report.Restart); got != "[log.level shield.live] [shield.live]" {
		t.Error(got)
	}
	if r.edge.PlainAddr() != addr {
		t.Error("the listener moved")
	}
	if before := len(r.log.String()); before > 0 {
		if _, err := r.edge.Reload("test"); err != nil || len(r.log.String()) != before {
			t.Errorf("at level error this was told: %s", r.log.String()[before:])
		}
	}
}

// The session key of an edge that has none outlives reloads.
func TestOwnSessionsOutliveReloads(t *testing.T) {
	r := newRig(t, strings.Replace(channelFile("https://one.example"), "sessions: {keys: file:session.key}", "", 1))
	_, before := r.get(http.DefaultClient, "/news/master.m3u8")
	if _, err := r.edge.Reload("test"); err != nil {
		t.Fatal(err)
	}
	if _, after := r.get(http.DefaultClient, "/news/master.m3u8"); before != after || before == "" {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

// A reload takes new certificates in; those that cannot be read change
// nothing.
func TestCertificatesAreReloaded(t *testing.T) {
	first, second := identity(t, "first.example"), identity(t, "second.example")
	r := &rig{t: t, dir: t.TempDir(), log: &logBuffer{}, origin: httptest.NewServer(http.NotFoundHandler()), tick: make(chan time.Time)}
	t.Cleanup(r.origin.Close)
	r.write("tls.pem", first)
	r.write("admin.key", adminToken)
	r.write("session.key", strings.Repeat("s", 32))
	r.write("manifold.yml", strings.Replace(channelFile("https://one.example"), `plain: "127.0.0.1:0"`, `tls: "127.0.0.1:0", plain: [], certificates: [{cert: tls.pem}]`, 1))
	r.start()
	names := func() string {
		conn, err := tls.Dial("tcp", r.edge.TLSAddr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return fmt.Sprint(conn.ConnectionState().PeerCertificates[0].DNSNames)
	}
	if got := names(); got != "[first.example]" {
		t.Error(got)
	}
	r.write("tls.pem", "nonsense")
	if _, err := r.edge.Reload("test"); err == nil || !strings.Contains(err.Error(), "tls.pem") {
		t.Errorf("nonsense was taken: %v", err)
	}
	if got := names(); got != "[first.example]" {
		t.Error(got)
	}
	r.write("tls.pem", second)
	r.tick <- time.Time{}
	r.tick <- time.Time{}
	r.log.wait(t, `"by":"file"`, 1)
	if got := names(); got != "[second.example]" {
		t.Error(got)
	}
}

// identity is a certificate for a name with its key, in PEM.
func identity(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := listen.LoadIdentity(dir, time.Now(), name); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "leaf.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// An edge without a certificate makes one, and is reached over TLS by who
// trusts its authority.
func TestSelfMadeCertificate(t *testing.T) {
	r := newRig(t, strings.Replace(channelFile("https://one.example"), `plain: "127.0.0.1:0"`, `tls: "127.0.0.1:0", plain: [], self_made: certs`, 1))
	ca, err := os.ReadFile(filepath.Join(r.dir, "certs", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	res, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/news/master.m3u8", r.edge.TLSAddr().Port()))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.ProtoMajor != 2 || !strings.Contains(res.Header.Get("Alt-Svc"), "h3=") {
		t.Errorf("%s over %s, Alt-Svc %q", res.Status, res.Proto, res.Header.Get("Alt-Svc"))
	}
}

// Probes follow the configuration: a dead CDN is found, one that is watched no
// more is believed healthy again, others are not disturbed.
func TestProbesAreReloaded(t *testing.T) {
	var asked atomic.Int64
	dead := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer dead.Close()
	file := func(probe string) string {
		return base + "pathways: {m: [{base: 'https://a.example', id: a" + probe + "}, {base: 'https://b.example', id: b}]}\n" +
			"channels: [{name: news, origin: ORIGIN/, pathways: m}]\n"
	}
	r := newRig(t, file(", probe: {url: '"+dead.URL+"', every: 100ms}"))
	r.log.wait(t, `"health":"down"`, 1)
	health := func() string {
		for _, s := range r.edge.proxy.Conditions().Status() {
			if s.ID == "a" {
				return s.Health
			}
		}
		return "gone"
	}
	if h := health(); h != "down" {
		t.Error(h)
	}
	r.write("manifold.yml", file(", probe: {url: '"+dead.URL+"', every: 100ms}")+"log: {level: debug}\n")
	if _, err := r.edge.Reload("test"); err != nil || health() != "down" {
		t.Errorf("%v, a probe that stays forgot that the CDN is %s", err, health())
	}
	r.write("manifold.yml", file(""))
	if _, err := r.edge.Reload("test"); err != nil || health() != "healthy" {
		t.Errorf("%v, without a probe the CDN is %s", err, health())
	}
	n := asked.Load()
	r.write("manifold.yml", file(", probe: {url: '"+dead.URL+"/x', every: 100ms}"))
	if _, err := r.edge.Reload("test"); err != nil {
		t.Fatal(err)
	}
	r.log.wait(t, `"health":"down"`, 2)
	if asked.Load() == n {
		t.Error("the new probe did not ask")
	}
}

// The errors of a start say what kind they are, and nothing is left behind.
func TestStartErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		text string
		bind bool
	}{
		{"listen: {plain: " + taken.Addr().String() + "}\n", true},
		{"listen: {plain: '127.0.0.1:0'}\nadmin: {address: " + taken.Addr().String() + "}\n", true},
		{"listen: {plain: []}\n", false},
		{"listen: {plain: nonsense}\n", false},
		{"nonsense", false},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "manifold.yml")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := StartEdge(file, slog.New(slog.DiscardHandler), nil)
		var bind BindError
		var bad ConfigError
		if errors.As(err, &bind) != c.bind || errors.As(err, &bad) == c.bind {
			t.Errorf("%q: %T %v", c.text, err, err)
		}
	}
	if _, err := StartEdge(filepath.Join(t.TempDir(), "none.yml"), slog.New(slog.DiscardHandler), nil); err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// From the beginning of its end an edge is not ready; what is in flight is
// answered.
func TestStop(t *testing.T) {
	r := newRig(t, strings.Replace(channelFile("https://one.example"), `plain: "127.0.0.1:0"`, `plain: "127.0.0.1:0", deadlines: {drain: none}`, 1))
	var extended bool
	r.edge.console.Read("GET /test", func(w http.ResponseWriter, _ *http.Request) { extended = true })
	r.call("GET", "/test", "")
	if status, body := r.call("GET", "/readyz", ""); status != http.StatusOK || !extended {
		t.Errorf("%d %s", status, body)
	}
	r.edge.stopping.Store(true)
	if status, body := r.call("GET", "/readyz", ""); status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", status, body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.edge.Stop(ctx); err != nil {
		t.Error(err)
	}
	if _, err := http.Get("http://" + r.edge.PlainAddr().String() + "/"); err == nil {
		t.Error("a stopped edge answers")
	}
}

// The service manager hears of the start, of reloads and of the end.
func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	next := func(want string) {
		t.Helper()
		var buf [256]byte
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := conn.Read(buf[:])
		if got := string(buf[:n]); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	r := newRig(t, channelFile("https://one.example"))
	next("READY=1")
	if _, err := r.edge.Reload("test"); err != nil {
		t.Fatal(err)
	}
	next("RELOADING=1\nMONOTONIC_USEC=")
	next("READY=1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = r.edge.Stop(ctx) // at once
	next("STOPPING=1")
	t.Setenv("NOTIFY_SOCKET", path+".gone")
	if err := Notify("READY=1"); err == nil {
		t.Error("nobody was told, and that is well")
	}
}
