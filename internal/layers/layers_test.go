package layers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// table is the order of the house: a package imports only packages of lower
// layers. "x/..." means the packages below x, not x itself.
var table = []struct {
	layer    int
	about    string
	packages []string
}{
	{0, "nouns; no I/O, no clock, no config", []string{
		"manifest", "cmcd", "explain", "events", "exchange", "session", "internal/problem", "internal/file", "assets", "internal/layers", "bench/finding", "manifold"}},
	{1, "bytes in, values out", []string{
		"manifest/hls", "manifest/dash", "ssai/vast", "ssai/scte35", "proxy/access/token", "device", "bench/read", "bench/media", "bench/glance", "bench/result"}},
	{2, "decide: (viewer, state, now) → value; no HTTP, no goroutines", []string{
		"steering", "ssai", "proxy/route", "proxy/access", "manifest/benchmarks", "internal/testkit", "internal/testkit/...", "bench/viewer", "bench/report"}},
	{3, "do: sockets, files, processes", []string{
		"origin", "origin/...", "steering/probe", "ssai/decide", "ssai/beacon", "transcoder", "state", "geo", "keys",
		"events/spool", "events/sink", "internal/dial", "bench/client"}},
	{4, "the order of stages; no HTTP server types", []string{"proxy", "bench/scenario"}},
	{5, "the edges of the program", []string{"proxy/listen", "console", "inspect", "bench/watch", "bench/load"}},
	{6, "composes everybody's Config", []string{"config", "demo", "demo/...", "proxy/benchmarks"}},
	{7, "wiring", []string{"cmd/wire"}},
	{8, "commands, and tests of the whole", []string{"cmd/manifold", "e2e", "e2e/load"}},
}

// siblings are the imports allowed inside layer 3; the list has no cycle
// (TestSiblingsHaveNoCycle). "*" is every package of the layer.
var siblings = map[string][]string{
	"*":             {"internal/dial"},
	"origin/ingest": {"origin/pack", "origin/store"},
	"origin/pack":   {"origin/store"},
	"transcoder":    {"origin/pack"},
	"ssai/decide":   {"state"},
	"ssai/beacon":   {"events/spool"},
	"events/sink":   {"events/spool"},
}

// never names imports that the layers would allow and the design does not:
// config is read by the wiring alone, and the load generator must not share
// the code it measures.
var never = []struct{ from, to, why string }{
	{"", "config", "each package owns its Config; only cmd/ knows all of them"},
	{"bench", "proxy", "the load generator must not share code with what it measures"},
	{"bench", "manifest", "the load generator must not share code with what it measures"},
	{"", "e2e", "tests only"},
	{"", "internal/testkit", "test help stays out of the program"},
}

type pkg struct {
	ImportPath, Dir, Doc string
	Imports              []string
	TestImports          []string
	XTestImports         []string
	GoFiles, CgoFiles    []string
	Module               struct{ Path, Dir string }
}

func TestLayers(t *testing.T) {
	own := list(t)
	for name, p := range own {
		from := layerOf(name)
		if from < 0 {
			t.Errorf("%s is on no layer: put it in the table of internal/layers/layers_test.go", name)
			continue
		}
		for _, imported := range p.Imports {
			to, ok := strings.CutPrefix(imported, p.Module.Path+"/")
			if !ok {
				continue
			}
			if why := verdict(name, to); why != "" {
				t.Errorf("%s (layer %d) must not import %s (layer %d): %s", name, from, to, layerOf(to), why)
			}
		}
	}
}

// verdict is empty when the import is in order.
func verdict(from, to string) string {
	for _, n := range never {
		if within(to, n.to) && (n.from == "" || within(from, n.from)) && !within(from, n.to) && !within(from, "cmd") && from != "e2e" {
			return n.why
		}
	}
	a, b := layerOf(from), layerOf(to)
	switch {
	case within(from, "internal/testkit"):
		if within(to, "internal/testkit") || b <= 1 {
			return ""
		}
		return "internal/testkit imports only layers 0 and 1"
	case b < a:
		return ""
	case a == b && a == 3:
		for _, who := range []string{"*", from} {
			for _, allowed := range siblings[who] {
				if allowed == to {
					return ""
				}
			}
		}
		return "not in the list of siblings"
	}
	return "a layer imports only layers below"
}

func layerOf(name string) int {
	found := -1
	for _, row := range table {
		for _, pattern := range row.packages {
			if pattern == name {
				return row.layer
			}
			if prefix, ok := strings.CutSuffix(pattern, "/..."); ok && strings.HasPrefix(name, prefix+"/") {
				found = row.layer
			}
		}
	}
	return found
}

func within(name, tree string) bool { return name == tree || strings.HasPrefix(name, tree+"/") }

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"proxy", "steering", true},
		{"steering", "proxy", false},
		{"manifest/hls", "manifest", true},
		{"manifest/hls", "manifest/dash", false},
		{"manifest", "exchange", false},
		{"origin/ingest", "origin/store", true},
		{"origin/store", "origin/ingest", false},
		{"steering/probe", "internal/dial", true},
		{"proxy/listen", "proxy", true},
		{"demo", "config", false},
		{"cmd/manifold", "config", true},
		{"bench/watch", "manifest/hls", false},
		{"bench/watch", "exchange", true},
		{"internal/testkit", "manifest/dash", true},
		{"internal/testkit/browser", "origin", false},
		{"proxy", "internal/testkit", false},
	} {
		if why := verdict(c.from, c.to); (why == "") != c.allowed {
			t.Errorf("%s → %s: verdict %q, want allowed %v", c.from, c.to, why, c.allowed)
		}
	}
}

func TestSiblingsHaveNoCycle(t *testing.T) {
	for start := range siblings {
		seen := map[string]bool{}
		var visit func(string)
		visit = func(name string) {
			for _, next := range siblings[name] {
				if next == start {
					t.Errorf("the list of siblings leads from %s back to it", start)
					return
				}
				if !seen[next] {
					seen[next] = true
					visit(next)
				}
			}
		}
		visit(start)
	}
}

// Every package says in its doc.go (or its only file) what it is, and none
// needs a C compiler.
func TestPackages(t *testing.T) {
	for name, p := range list(t) {
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s uses cgo in %v: the product is plain Go", name, p.CgoFiles)
		}
		if within(name, "cmd") {
			continue // a command's doc comment stands in main.go
		}
		hasDoc := len(p.GoFiles) == 1
		for _, f := range p.GoFiles {
			hasDoc = hasDoc || f == "doc.go"
		}
		if !hasDoc || p.Doc == "" {
			t.Errorf("%s has no doc.go with a package comment: what it knows, what it does not, its locks", name)
		}
	}
}

// The race detector does not survive every bubble of testing/synctest: tests
// use internal/testkit/bubble, which says why.
func TestBubbles(t *testing.T) {
	for name, p := range list(t) {
		if name != "internal/testkit/bubble" && slices.Contains(slices.Concat(p.Imports, p.TestImports, p.XTestImports), "testing/synctest") {
			t.Errorf("%s imports testing/synctest: use internal/testkit/bubble", name)
		}
	}
}

// list is the module's own packages by their path inside the module.
func list(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,Imports,TestImports,XTestImports,GoFiles,CgoFiles,Module", "./...")
	cmd.Dir = root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cannot list the packages: %v\n%s", err, stderr.String())
	}
	own := map[string]pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		own[strings.TrimPrefix(p.ImportPath, p.Module.Path+"/")] = p
	}
	if len(own) == 0 {
		t.Fatalf("go list found no package in %s", path.Clean(cmd.Dir))
	}
	return own
}
