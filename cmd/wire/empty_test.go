package wire

import (
	"net/http"
	"strings"
	"testing"
)

// A file that a full disk or an editor has emptied does not end all service;
// an edge may begin with one.
func TestEmptiedFileIsRefused(t *testing.T) {
	good := channelFile("https://one.example")
	r := newRig(t, good)
	for _, text := range []string{"", "# nothing\n", "log: {level: debug}\n", "channels: []\n"} {
		r.write("manifold.yml", text)
		if status, body := r.call("POST", "/api/v1/reload", adminToken); status != http.StatusUnprocessableEntity || !strings.Contains(body, "no channels") {
			t.Errorf("%q: status %d: %s", text, status, body)
		}
		if status, body := r.get(http.DefaultClient, "/news/master.m3u8"); status != http.StatusOK {
			t.Fatalf("%q: status %d: %s", text, status, body)
		}
	}
	r.write("manifold.yml", channelFile("https://two.example"))
	if _, err := r.edge.Reload("test"); err != nil {
		t.Fatal(err)
	}
	if got := r.edge.Config().Proxy.Sets[0].Pathways[0].Base; got != "https://two.example" {
		t.Errorf("the edge has %s", got)
	}
}
