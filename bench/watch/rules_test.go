package watch

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"manifold/bench/finding"
)

// Every rule that a source names is in the list, and every rule of the list
// has a fault that shows it.
func TestEveryRuleHasAFault(t *testing.T) {
	shown := map[finding.ID]bool{
		"too-much": true, // TestHostile
	}
	for _, r := range rows {
		shown[r.rule] = true
	}
	for _, r := range finding.Rules() {
		if !shown[r.ID] {
			t.Errorf("no fault shows %s", r.ID)
		}
		for _, c := range r.Causes {
			if !finding.Exists(c) {
				t.Errorf("%s may follow from %s, which is no rule", r.ID, c)
			}
		}
		if r.Title == "" || r.Clause == "" || r.Cure == "" {
			t.Errorf("%s lacks a title, clause or cure", r.ID)
		}
	}
	name := regexp.MustCompile(`"((?:hls|dash|ll|steering|segment|map|key|media|manifest|token|pathway|personal|views|content|redirect|not|all|dead|too)-[a-z-]+)"`)
	for _, pattern := range []string{"*.go", "../read/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal("no sources", err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range name.FindAllSubmatch(raw, -1) {
				if id := finding.ID(m[1]); !finding.Exists(id) && id != "content-type" && id != "token-path" {
					t.Errorf("%s names %q, which is no rule", file, id)
				}
			}
		}
	}
}
