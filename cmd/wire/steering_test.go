package wire

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"manifold/proxy"
)

// place is a geo database that has this machine in a country and a network.
func place(t *testing.T, country string, asn uint32) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "test", RecordSize: 24, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	_, loopback, err := net.ParseCIDR("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Insert(loopback, mmdbtype.Map{"country_code": mmdbtype.String(country), "autonomous_system_number": mmdbtype.Uint32(asn)}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// settle lets the edge look at its files twice: it takes what it found changed
// when that changes no more.
func (r *rig) settle() {
	r.tick <- time.Now()
	r.tick <- time.Now()
}

var pathwayID = regexp.MustCompile(`(?m)^#EXT-X-STREAM-INF:.*PATHWAY-ID="([a-z]+)"`)

// offered lists the pathways of a manifest, in its order.
func (r *rig) offered() string {
	r.t.Helper()
	status, body := r.get(http.DefaultClient, "/news/master.m3u8?device=hlsjs")
	if status != 200 {
		return fmt.Sprint(status)
	}
	var ids []string
	for _, m := range pathwayID.FindAllStringSubmatch(body, -1) {
		ids = append(ids, m[1])
	}
	return strings.Join(ids, " ")
}

// Rules about viewers, as a file writes them; geo databases are exchanged when
// their files are.
func TestRulesOfTheFile(t *testing.T) {
	file := base + `
geo: here.mmdb
regions: {dach: [DE, AT, CH], nordic: [SE, NO, DK, FI]}
pathways:
  m:
    - {id: dach, base: 'https://dach.example', only: [{regions: [dach, nordic]}, {asns: [64511]}], weight: 5}
    - {id: paris, base: 'https://paris.example', prefer: FR, weight: 0.001}
    - {id: lan, base: 'https://lan.example', only: [{addresses: [127.0.0.0/8], asns: [64500]}], weight: 1000000}
    - {id: world, base: 'https://world.example', never: [{countries: [FR]}, {regions: [nordic], asns: [64500]}], weight: 0.001}
channels: [{name: news, origin: ORIGIN/, pathways: m, steering: {dwell: none}}]
`
	r := newRig(t, base) // without the database: it is there before the file names it
	reloads := 0
	for _, c := range []struct {
		country string
		asn     uint32
		want    string
	}{
		{"DE", 1, "dach paris world"},
		{"DE", 64500, "lan dach paris world"},
		{"FR", 64500, "paris lan"},
		{"SE", 64500, "lan dach paris"},
		{"BR", 64511, "dach paris world"},
		{"BR", 1, "paris world"},
	} {
		r.write("here.mmdb", place(t, c.country, c.asn))
		r.write("manifold.yml", file)
		r.settle()
		reloads++
		r.log.wait(t, `"msg":"configuration reloaded"`, reloads)
		got := r.offered()
		if strings.HasSuffix(got, "world paris") { // of equal weight
			got = strings.TrimSuffix(got, "world paris") + "paris world"
		}
		if got != c.want {
			t.Errorf("%s, AS%d: offered %q, want %q", c.country, c.asn, got, c.want)
		}
	}
	// A broken database is refused with everything else of the reload.
	before := r.offered()
	r.write("here.mmdb", "not a database")
	r.settle()
	r.log.wait(t, "configuration refused", 1)
	if after := r.offered(); after != before {
		t.Errorf("a broken database changed %q into %q", before, after)
	}
}

// What a probe finds, and what a file says, is seen in the order, in the
// steering answer, in the explanation, in the metrics and in the API.
func TestHealthIsSeenEverywhere(t *testing.T) {
	const quick, slow, failing = 0, 1, 2
	var state atomic.Int32
	cdn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch state.Load() {
		case slow:
			select {
			case <-time.After(600 * time.Millisecond):
			case <-q.Context().Done():
			}
		case failing:
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer cdn.Close()
	r := newRig(t, base+`
pathways:
  m:
    - {id: watched, base: 'https://w.example', weight: 1000000, probe: {url: '`+cdn.URL+`', every: 100ms, down_in: 2, up_in: 2, slow: 400ms}}
    - {id: weak, base: 'https://k.example', weight: 1000, health: degraded}
    - {id: dead, base: 'https://d.example', weight: 1000, health: down}
    - {id: well, base: 'https://x.example', weight: 0.001}
channels: [{name: news, origin: ORIGIN/, pathways: m, steering: {dwell: none}}]
`)
	check := func(health, order, reason, cause string) {
		t.Helper()
		if got := r.offered(); got != order {
			t.Errorf("%s: offered %q, want %q", health, got, order)
		}
		_, body := r.get(http.DefaultClient, "/news/master.m3u8?device=hlsjs")
		steer := regexp.MustCompile(`SERVER-URI="http://[^/]+([^"]+)"`).FindStringSubmatch(body)
		if _, answer := r.get(http.DefaultClient, steer[1]); !strings.Contains(answer, `"PATHWAY-PRIORITY":["`+strings.ReplaceAll(order, " ", `","`)+`"]`) {
			t.Errorf("%s: the steering server says %s", health, answer)
		}
		if _, metrics := r.call("GET", "/metrics", ""); !strings.Contains(metrics, `manifold_pathway_health{pathway="watched",set="m",state="`+health+`"} 1`) ||
			!strings.Contains(metrics, `manifold_pathway_health{pathway="weak",set="m",state="degraded"} 1`) {
			t.Errorf("%s: %s", health, metrics)
		}
		if _, api := r.call("GET", "/api/v1/pathways", ""); !regexp.MustCompile(`"id":\s*"watched",\s*"weight":\s*1000000,\s*"health":\s*"`+health+`"[^}]*`+cause).MatchString(api) ||
			!regexp.MustCompile(`"health":\s*"down",\s*"cause":\s*"configured"`).MatchString(api) {
			t.Errorf("%s: %s", health, api)
		}
		got, err := r.edge.proxy.Explain(t.Context(), &proxy.Imagined{URL: "http://edge.example/news/master.m3u8", Device: "hlsjs"})
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := got.Trace.Text(&text); err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`watched: `+reason+`.*`+cause).MatchString(text.String()) || !regexp.MustCompile(`dead: it does not work .*configured`).MatchString(text.String()) {
			t.Errorf("%s: %s", health, text.String())
		}
	}
	check("healthy", "watched well weak dead", "the weighted split", "")
	state.Store(slow)
	r.log.wait(t, `"health":"degraded"`, 1)
	check("degraded", "well watched weak dead", "it works, but badly", "answers slowly")
	state.Store(failing)
	r.log.wait(t, `"health":"down"`, 1)
	check("down", "well weak watched dead", "it does not work", "status 502")
	state.Store(quick)
	r.log.wait(t, `"health":"healthy"`, 1)
	check("healthy", "watched well weak dead", "the weighted split", "")
	if _, metrics := r.call("GET", "/metrics", ""); !strings.Contains(metrics, `manifold_pathway_health_changes_total{pathway="watched",set="m"} 3`) {
		t.Error("the changes were not counted")
	}
}
