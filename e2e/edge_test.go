package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"manifold/cmd/wire"
	"manifold/demo"
	"manifold/internal/testkit/browser"
)

// The acceptance of one viewer's session, end to end: the demo's stage (FFmpeg,
// origin, three CDNs with their own tokens), one edge, real players. All cases
// share one stage, and those over HTTP/3 one browser. The CDNs' logs are the
// witness of who served what.
//
// VOD comes first: meanwhile the live programme grows its window.
func TestEdge(t *testing.T) {
	s := startStage(t)
	b := browser.Start(t, browser.Options{SPKI: []string{s.demo.SPKI()}, ForceQUIC: s.secureHosts()})
	t.Run("VOD", func(t *testing.T) { s.programme(t, b.For(t), vodProgramme) })
	t.Run("AltSvc", s.altSvc)
	t.Run("Devices", func(t *testing.T) { s.devices(t, b.For(t)) })
	t.Run("OldPlayers", func(t *testing.T) { s.oldPlayers(t, b) })
	t.Run("Programs", s.programs)
	t.Run("Page", func(t *testing.T) { s.page(t, b.For(t)) })
	t.Run("Command", s.command)
	t.Run("TwoEdges", s.twoEdges)
	t.Run("Live", func(t *testing.T) { s.programme(t, b.For(t), liveProgramme) })
}

// stage is the demo with its edge.
type stage struct {
	demo  *demo.Demo
	edge  *wire.Edge
	state string
	log   *slog.Logger
	key   []byte // signs viewers' tokens
}

// readyTime bounds the start: the VOD programme may have to be encoded.
const readyTime = 4 * time.Minute

func startStage(t *testing.T) *stage {
	t.Helper()
	log, err := os.Create(evidence(t, "stage.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	s := &stage{state: t.TempDir(), log: slog.New(slog.NewJSONHandler(log, nil))}
	cache := vodCache(t)
	if _, err := os.Stat(cache); err == nil {
		if err := os.CopyFS(filepath.Join(s.state, "content", "vod"), os.DirFS(cache)); err != nil {
			t.Fatalf("cannot take the encoded programme from %s: remove that folder and try again (%v)", cache, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), readyTime)
	defer cancel()
	if s.demo, err = demo.Start(ctx, demo.Config{State: s.state, Log: s.log, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.demo.Close)
	s.edge = s.startEdge(t, s.demo)
	s.demo.SetEdge(s.edge)
	if err := s.demo.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	keepVOD(t, filepath.Join(s.state, "content", "vod"), cache)
	key, err := os.ReadFile(filepath.Join(s.state, "viewer.key"))
	if err != nil {
		t.Fatal(err)
	}
	if s.key, err = base64.RawURLEncoding.DecodeString(string(key)); err != nil {
		t.Fatal(err)
	}
	return s
}

// startEdge starts an edge of the stage: all have the same configuration, and
// so the same keys, each on ports of its own.
func (s *stage) startEdge(t *testing.T, d *demo.Demo) *wire.Edge {
	t.Helper()
	e, err := wire.StartEdge(d.ConfigFile(), s.log, d.AddTo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// evidence is the path of a file that stays when the test is over.
func evidence(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join("..", "build", "e2e")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// vodCache is the folder that keeps the encoded programme from run to run,
// named by what made it: FFmpeg and the code that drives it.
func vodCache(t *testing.T) string {
	t.Helper()
	sum := sha256.New()
	version, err := exec.Command("ffmpeg", "-version").Output()
	if err != nil {
		t.Fatalf("cannot run ffmpeg (`make e2e` installs it): %v", err)
	}
	sum.Write(version)
	for _, dir := range []string{"demo", "transcoder", "origin/pack"} {
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(dir), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("cannot find the code in %s: %v", dir, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(sum, "%s %d\n%s", f, len(text), text)
		}
	}
	return evidence(t, "vod-"+hex.EncodeToString(sum.Sum(nil)[:8]))
}

// keepVOD puts the encoded programme into the cache, whole or not at all, and
// drops those that other code made.
func keepVOD(t *testing.T, from, cache string) {
	t.Helper()
	if _, err := os.Stat(cache); err == nil {
		return
	}
	old, err := filepath.Glob(evidence(t, "vod-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range old {
		if err := os.RemoveAll(dir); err != nil {
			t.Logf("cannot drop an old programme: %v", err)
		}
	}
	dir, err := os.MkdirTemp(filepath.Dir(cache), "making-")
	if err == nil {
		err = os.CopyFS(dir, os.DirFS(from))
	}
	if err == nil {
		err = os.Rename(dir, cache)
	}
	if err != nil {
		t.Logf("cannot keep the encoded programme, the next run encodes it again: %v", err)
		_ = os.RemoveAll(dir)
	}
}

// base is the edge's URL over TLS or plain.
func (s *stage) base(secure bool) string {
	if secure {
		return fmt.Sprintf("https://localhost:%d", s.edge.TLSAddr().Port())
	}
	return fmt.Sprintf("http://localhost:%d", s.edge.PlainAddr().Port())
}

// secureHosts are the edge and the CDNs, as host:port.
func (s *stage) secureHosts() []string {
	list := []string{fmt.Sprintf("localhost:%d", s.edge.TLSAddr().Port())}
	for _, c := range s.demo.CDNs {
		_, secure := c.Ports()
		list = append(list, fmt.Sprintf("localhost:%d", secure))
	}
	return list
}

// token is what an operator's login service gives a viewer; session names the
// playback it is for, empty leaves that to the edge.
func (s *stage) token(t *testing.T, session string) string {
	t.Helper()
	now := time.Now()
	claims := jwt.MapClaims{"iss": "manifold-demo", "sub": "e2e", "jti": random(), "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	if session != "" {
		claims["sid"] = session
	}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func random() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// entry is a URL as a viewer is given it.
func entry(base, path, device, token string) string {
	return base + path + "?device=" + device + "&token=" + token
}

var client = &http.Client{
	Timeout:       10 * time.Second,
	Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get fetches a text that must be there.
func get(t *testing.T, url string) string {
	t.Helper()
	return getAs(t, url, "")
}

// getAs is get by a player with a CMCD session id (CTA-5004), unless empty.
func getAs(t *testing.T, url, session string) string {
	t.Helper()
	// Go's resolver does not know localhost everywhere.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(url, "//localhost:", "//127.0.0.1:", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if session != "" {
		req.Header.Set("CMCD-Session", `sid="`+session+`"`)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%.80s answered %d: %s", url, res.StatusCode, text)
	}
	return string(text)
}

// sessionOn gives the token of a session that is steered to a CDN first:
// sessions are asked for until one is. What orders them is the edge's secret.
// The player sends the session's name as its CMCD session id; unnamed leaves it
// out of the token.
func (s *stage) sessionOn(t *testing.T, channel, session, cdn string, unnamed bool) string {
	t.Helper()
	named := session
	if unnamed {
		named = ""
	}
	for range 200 {
		token := s.token(t, named)
		if order := s.order(t, channel, token, session); order[0] == cdn {
			return token
		}
	}
	t.Fatalf("of 200 sessions of %s none was sent to %s first", channel, cdn)
	return ""
}

// order is the order of the CDNs for a token's session, as the edge steers it
// now: the answer of the steering server that its manifest names.
func (s *stage) order(t *testing.T, channel, token, session string) []string {
	t.Helper()
	master := getAs(t, entry(s.base(false), "/"+channel+"/master.m3u8", "hlsjs", token), session)
	_, rest, _ := strings.Cut(master, `SERVER-URI="`)
	server, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("the multivariant playlist names no steering server:\n%s", master)
	}
	var answer struct {
		Priority []string `json:"PATHWAY-PRIORITY"`
	}
	text := get(t, server)
	if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Priority) != len(s.demo.CDNs) {
		t.Fatalf("the steering answer is not usable: %s", text)
	}
	return answer.Priority
}

// drain drains a CDN by the admin API, or undoes it.
func (s *stage) drain(t *testing.T, cdn string, on bool) {
	t.Helper()
	method, body := http.MethodDelete, ""
	if on {
		method, body = http.MethodPut, `{"who": "the test", "why": "to see its viewers move"}`
	}
	url := fmt.Sprintf("http://%s/api/v1/pathways/demo/%s/drain", s.edge.AdminAddr(), cdn)
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join(s.state, "admin.key"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+string(token))
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(res.Body)
		t.Fatalf("the admin API answered %d: %s", res.StatusCode, text)
	}
}

// recover ends a CDN's fault and waits until the edge knows.
func (s *stage) recover(t *testing.T, cdn string) {
	t.Helper()
	if err := s.demo.CDN(cdn).SetFault(demo.Fault{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		// A probe arrives at least twice a second: each is a moment to look.
		if _, err := s.demo.CDN(cdn).Await(ctx, func(demo.Entry) bool { return true }); err != nil {
			t.Fatalf("%s is up again and the edge does not see it: %v", cdn, err)
		}
		var list []struct{ ID, Health string }
		if err := json.Unmarshal([]byte(get(t, fmt.Sprintf("http://%s/api/v1/pathways", s.edge.AdminAddr()))), &list); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(list, func(p struct{ ID, Health string }) bool { return p.ID == cdn && p.Health == "healthy" }) {
			return
		}
	}
}

// awaitWindow waits until the live programme can be gone back that far.
func (s *stage) awaitWindow(t *testing.T, d time.Duration) {
	t.Helper()
	token := s.token(t, random())
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); <-tick.C {
		list := segments(get(t, entry(s.base(false), "/live/v144/index.m3u8", "conservative", token)))
		if time.Duration(len(list.names))*segment >= d {
			return
		}
	}
	t.Fatalf("the live programme does not grow to %v", d)
}
