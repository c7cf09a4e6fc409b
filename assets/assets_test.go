package assets

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestNames(t *testing.T) {
	if got := names("web"); !slices.Contains(got, "hls.js/hls.min.js") || !slices.Contains(got, "dashjs/dash.all.min.js") {
		t.Errorf("names(web) = %q, want the two players of the demo page among them", got)
	}
	for _, name := range names("web") {
		if slices.Contains(names("test"), name) {
			t.Errorf("%s is in both groups", name)
		}
	}
}

func TestReadyNamesWhatIsMissing(t *testing.T) {
	all := fstest.MapFS{}
	for _, name := range names("web") {
		all[name] = &fstest.MapFile{}
	}
	if err := ready(all); err != nil {
		t.Errorf("all files there: %v", err)
	}
	delete(all, "dashjs/dash.all.min.js")
	err := ready(all)
	if err == nil || !strings.Contains(err.Error(), "dashjs/dash.all.min.js") || !strings.Contains(err.Error(), "make build") {
		t.Errorf("one file missing: error %v, want its name and the remedy", err)
	}
}

// The lock file decides what is fetched: exact versions, a checksum each, and
// no address of the registry it happened to be made with.
func TestLockFile(t *testing.T) {
	raw, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct {
			Version, Resolved, Integrity string
			Dependencies                 map[string]string
		}
	}
	if err := json.Unmarshal(raw, &lock); err != nil {
		t.Fatal(err)
	}
	for where, p := range lock.Packages {
		if where == "" {
			for name, version := range p.Dependencies {
				if strings.ContainsAny(version, "^~*<> ") {
					t.Errorf("%s: %q is a range, want an exact version", name, version)
				}
			}
			continue
		}
		if !strings.HasPrefix(p.Integrity, "sha512-") || p.Version == "" {
			t.Errorf("%s: no version or no sha512 checksum", where)
		}
		if p.Resolved != "" {
			t.Errorf("%s: names the registry %s", where, p.Resolved)
		}
	}
	for _, group := range []string{"web", "test"} {
		for _, name := range names(group) {
			pkg, _, _ := strings.Cut(name, "/")
			if _, ok := lock.Packages["node_modules/"+pkg]; !ok {
				t.Errorf("files.txt takes %s, but the lock file has no package %s", name, pkg)
			}
		}
	}
}
