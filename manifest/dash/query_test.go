package dash

import (
	"os"
	"strings"
	"testing"

	"manifold/manifest"
)

// TestLocationQuery asks for what the Location says of the query that the MPD
// was asked for with: the origin's answer depends on it (5.3.1.2, Location is
// where the next version is fetched).
func TestLocationQuery(t *testing.T) {
	src, err := os.ReadFile("testdata/corpus/live-timeline.mpd")
	if err != nil {
		t.Fatal(err)
	}
	const address = "<Location>https://edge.example:8443/news/~" + session + "/-/ch/live.mpd"
	for query, want := range map[string]string{
		"":                   "",
		"dvr=60":             "?dvr=60",
		"dvr=60&a=b%2Fc":     "?dvr=60&amp;a=b%2Fc",
		"a=?/:@!$'()*+,;":    "?a=?/:@!$&apos;()*+,;",
		"a=\"<b>\xff\t{$c}#": "?a=%22%3Cb%3E%FF%09%7B$c%7D%23",
	} {
		plan := &manifest.Plan{Shape: shapes["steered"], Path: "ch/live.mpd", Query: query, Values: values}
		got := string(compile(t, src).Append(nil, plan))
		if !strings.Contains(got, address+want+"</Location>") {
			t.Errorf("query %q: no %s%s in\n%s", query, address, want, got)
		}
		compile(t, []byte(got))
	}
}
