package wire

import (
	"bytes"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"manifold/proxy"
	"manifold/session"
)

var update = flag.Bool("update", false, "write the answers of testdata/*.txtar anew")

// golden is one file of cases: a configuration, what the origin has, what
// operators said, and viewers with what each of them is answered, and why.
//
//	manifold.yml    the configuration, without what every edge of a test has
//	origin/PATH     what the origin has below its root
//	drain SET ID    an operator's drain
//	viewer NAME     url, country, asn, address, device, user_agent, tier
//	answer NAME     status and body
//	explain NAME    the explanation
type golden struct {
	t       *testing.T
	archive *txtar.Archive
	edge    *Edge
	origin  string
}

const goldenBase = `
changed: 2026-11-20T08:00:00Z
listen: {plain: "127.0.0.1:0"}
admin: {address: "127.0.0.1:0"}
sessions: {keys: file:session.key}
shield: {allow_private: 127.0.0.0/8}
`

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			g := &golden{t: t, archive: archive}
			g.start()
			g.operate()
			g.compare()
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// start starts the origin and the edge before it.
func (g *golden) start() {
	t := g.t
	content := map[string][]byte{}
	var config string
	for _, f := range g.archive.Files {
		if path, ok := strings.CutPrefix(f.Name, "origin"); ok {
			content[path] = f.Data
		}
		if f.Name == "manifold.yml" {
			config = string(f.Data)
		}
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, ok := content[q.URL.Path]
		if !ok {
			http.NotFound(w, q)
			return
		}
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Content-Type", map[string]string{".mpd": "application/dash+xml"}[filepath.Ext(q.URL.Path)])
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	g.origin = srv.URL
	dir := t.TempDir()
	for name, text := range map[string]string{
		"session.key":  strings.Repeat("s", 32),
		"manifold.yml": goldenBase + strings.ReplaceAll(config, "ORIGIN", srv.URL),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, err := Start(Options{File: filepath.Join(dir, "manifold.yml"), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Tick: make(chan time.Time)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	g.edge = e
}

var evening = time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)

// operate carries out what operators said.
func (g *golden) operate() {
	for _, f := range g.archive.Files {
		words := strings.Fields(f.Name)
		if len(words) == 3 && words[0] == "drain" {
			d := &proxy.Drain{Who: "ops", Why: strings.TrimSpace(string(f.Data)), Since: evening.Add(-time.Hour)}
			if err := g.edge.proxy.Conditions().SetDrain(words[1], words[2], d); err != nil {
				g.t.Fatal(err)
			}
		}
	}
}

// compare asks as each viewer does, and compares with the two sections behind.
func (g *golden) compare() {
	var out []txtar.File
	for _, f := range g.archive.Files {
		name, viewer := strings.CutPrefix(f.Name, "viewer ")
		if !viewer {
			if !*update || !strings.HasPrefix(f.Name, "answer ") && !strings.HasPrefix(f.Name, "explain ") {
				out = append(out, f)
			}
			continue
		}
		answer, why := g.ask(f.Data)
		out = append(out, f)
		if *update {
			out = append(out, txtar.File{Name: "answer " + name, Data: answer}, txtar.File{Name: "explain " + name, Data: why})
			continue
		}
		g.same("answer "+name, answer)
		g.same("explain "+name, why)
	}
	g.archive.Files = out
}

func (g *golden) same(name string, got []byte) {
	g.t.Helper()
	for _, f := range g.archive.Files {
		if f.Name == name {
			if !bytes.Equal(f.Data, got) {
				g.t.Errorf("%s: got\n%s\nwant\n%s", name, got, f.Data)
			}
			return
		}
	}
	g.t.Errorf("there is no section %q", name)
}

var (
	sessionText = regexp.MustCompile(`~[A-Za-z0-9_-]{104}`)
	timing      = regexp.MustCompile(`\(age [^)]*\)|\(fresh for [^)]*\)`)
)

// ask answers for a viewer; what differs from run to run is put in braces.
func (g *golden) ask(viewer []byte) (answer, why []byte) {
	im := &proxy.Imagined{At: evening, Address: netip.MustParseAddr("192.0.2.7")}
	for line := range strings.Lines(string(viewer)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "url":
			im.URL = value
		case "country":
			im.Country = session.CountryOf(value)
		case "asn":
			n, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				g.t.Fatal(err)
			}
			im.ASN = uint32(n)
		case "address":
			im.Address = netip.MustParseAddr(value)
		case "device":
			im.Device = value
		case "user_agent":
			im.UserAgent = value
		case "tier":
			im.Tier = value
		default:
			g.t.Fatalf("a viewer has no %q", key)
		}
	}
	got, err := g.edge.proxy.Explain(g.t.Context(), im)
	if err != nil {
		g.t.Fatal(err)
	}
	var text bytes.Buffer
	if err := got.Trace.Text(&text); err != nil {
		g.t.Fatal(err)
	}
	stable := func(s string) []byte {
		s = strings.ReplaceAll(sessionText.ReplaceAllString(s, "~{session}"), g.origin, "{origin}")
		s = timing.ReplaceAllString(s, "{age}")
		if !strings.HasSuffix(s, "\n") {
			s += "\n"
		}
		return []byte(s)
	}
	return stable(strconv.Itoa(got.Status) + "\n" + got.Body), stable(text.String())
}
