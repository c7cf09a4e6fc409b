package proxy

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"manifold/steering"
)

var declaredFirst = regexp.MustCompile(`SERVER-URI="https://edge\.example([^"]+)",PATHWAY-ID="([a-z]+)"`)

// firsts gives each session's first pathway, by the session's number; the
// manifest and the steering answer agree on it.
func (s *stage) firsts(sessions int) []string {
	s.t.Helper()
	out := make([]string, sessions)
	for i := range out {
		res := s.get("/news/master.m3u8?device=hlsjs&token=" + s.viewerToken(jwt.MapClaims{"jti": fmt.Sprint("policy-", i)})).ok(s.t)
		m := declaredFirst.FindStringSubmatch(res.body)
		out[i] = m[2]
		if i%50 == 0 {
			if a := s.steer(m[1]); a.Priority[0] != m[2] {
				s.t.Errorf("the manifest says %s, the steering answer %v", m[2], a.Priority)
			}
		}
	}
	return out
}

func share(list []string, id string) float64 {
	n := 0
	for _, have := range list {
		if have == id {
			n++
		}
	}
	return float64(n) / float64(len(list))
}

func TestCapacityAndCommitment(t *testing.T) {
	s := newStage(t, func(c *Config) {
		c.Channels[0].Dwell = -1
		c.Sets[0].Pathways[0].Capacity = 100
		c.Sets[0].Pathways[2].Commit = 1000
	})
	load := func(id string, amount float64) {
		t.Helper()
		if err := s.proxy.Conditions().SetLoad("public", id, amount); err != nil {
			t.Fatal(err)
		}
	}
	load("gamma", 1000)
	const sessions = 600
	even := s.firsts(sessions)
	if got := share(even, "alpha"); got < .43 || got > .57 {
		t.Errorf("alpha has %.2f of the sessions, its weight is 0.5", got)
	}
	load("alpha", 125) // a fifth too much
	shed := s.firsts(sessions)
	left := 0
	for i := range even {
		switch {
		case even[i] != "alpha" && shed[i] != even[i]:
			t.Fatalf("session %d was on %s and is sent to %s", i, even[i], shed[i])
		case even[i] == "alpha" && shed[i] != "alpha":
			left++
		}
	}
	if got := float64(left) / (share(even, "alpha") * sessions); got < .12 || got > .28 {
		t.Errorf("%.2f of alpha's sessions were shed, want about 0.2", got)
	}
	load("alpha", 200)
	for i, id := range s.firsts(sessions) {
		if shed[i] != "alpha" && id == "alpha" {
			t.Fatalf("more are to leave, and session %d came back", i)
		}
	}
	load("alpha", 0)
	load("gamma", 0) // nothing of what it was promised
	if before, now := share(even, "gamma"), share(s.firsts(sessions), "gamma"); now < before+.05 {
		t.Errorf("gamma has %.2f of the sessions, and had %.2f", now, before)
	}
}

func TestDwell(t *testing.T) {
	s := newStage(t, func(c *Config) {
		c.Channels[0].Dwell = time.Minute
		c.Sets[0].Pathways[0].Capacity = 100
	})
	const sessions = 100
	before := s.firsts(sessions)
	if err := s.proxy.Conditions().SetLoad("public", "alpha", 100_000); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(30 * time.Second)
	if got := s.firsts(sessions); strings.Join(got, " ") != strings.Join(before, " ") {
		t.Error("sessions were moved by a load within their dwell time")
	}
	s.now = s.now.Add(31 * time.Second)
	if got := share(s.firsts(sessions), "alpha"); got > .02 {
		t.Errorf("after it, %.2f are on a CDN a thousand times over its capacity", got)
	}
	// What is broken is left at once.
	before = s.firsts(sessions)
	if err := s.proxy.Conditions().SetHealth("public", "beta", steering.Down, "test"); err != nil {
		t.Fatal(err)
	}
	for i, id := range s.firsts(sessions) {
		if id == "beta" || before[i] == "gamma" && id != "gamma" {
			t.Fatalf("session %d was on %s and is sent to %s", i, before[i], id)
		}
	}
}

// The order by health is that of the contract, for every kind of player: the
// healthy ones, the degraded, the drained, the broken.
func TestHealthRanks(t *testing.T) {
	degraded := steering.Degraded
	s := newStage(t, func(c *Config) {
		c.Channels[0].Dwell = -1
		c.Sets[0].Pathways[1].Health = &degraded
	})
	conditions := s.proxy.Conditions()
	if err := conditions.SetHealth("public", "alpha", steering.Down, "refused"); err != nil {
		t.Fatal(err)
	}
	// A probe's word does not count against the file's.
	if err := conditions.SetHealth("public", "beta", steering.Healthy, ""); err != nil {
		t.Fatal(err)
	}
	entry := func(device string) string {
		return s.get("/news/master.m3u8?device=" + device + "&token=" + s.viewerToken(nil)).ok(t).body
	}
	steer := declaredFirst.FindStringSubmatch(entry("hlsjs"))[1]
	if got := strings.Join(s.steer(steer).Priority, " "); got != "gamma beta alpha" {
		t.Errorf("order %s", got)
	}
	body := entry("conservative")
	if g, b := strings.Index(body, "/gamma/v360"), strings.Index(body, "/beta/v360"); g < 0 || b < g || strings.Contains(body, "/alpha/") {
		t.Errorf("a player that does not steer is given\n%s", body)
	}
	if err := conditions.SetDrain("public", "gamma", &Drain{Who: "test", Why: "test"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.steer(steer).Priority, " "); got != "beta gamma alpha" {
		t.Errorf("order with a drain %s", got)
	}
	var told []string
	for _, st := range conditions.Status() {
		told = append(told, st.ID+" "+st.Health+" "+st.Cause)
	}
	if got := strings.Join(told, ", "); got != "alpha down refused, beta degraded configured, gamma healthy " {
		t.Error(got)
	}
}
