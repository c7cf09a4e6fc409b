package scenario

import (
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what comes out as what is wanted")

const good = `
name: news at eight
url: https://edge.example/live/{viewer}/master.m3u8?t=${TOKEN}
for: 5m
warmup: 30s
rounds: 5
seed: 42
arrivals:
  - {pattern: ramp, viewers: 1000, for: 1m}
  - {pattern: flash, rate: 100/s, from: 2/s, for: 2m}
audience:
  - {name: phones, share: 3, device: hlsjs, bandwidth: 2.5M, stay: 10m, headers: {X-Tier: "gold"}}
  - {device: dashjs, url: "https://edge.example/live.mpd", abr: "fixed:2000000", trace: [{for: 10s, bandwidth: 800k}, {for: 5s, bandwidth: 0}], session: none}
connections: {protocol: h2, share: 4, insecure: true, timeout: 5s}
media: 2.5%
thresholds: ["manifest.p99 < 200ms", "errors<0.1%", "viewers >= 900"]
`

func TestParse(t *testing.T) {
	s, err := Parse("x/evening.yml", []byte(good), func(name string) (string, bool) { return "secret", name == "TOKEN" })
	if err != nil {
		t.Fatal(err)
	}
	g := s.Audience[1]
	if s.Name != "news at eight" || s.Rounds != 5 || s.Seed != 42 || s.Media != 0.025 || s.Audience[0].Headers["X-Tier"] != "gold" ||
		s.Audience[0].Bandwidth != 2.5e6 || s.Audience[0].URL != "https://edge.example/live/{viewer}/master.m3u8?t=secret" ||
		g.Name != "dashjs" || g.Share != 1 || len(g.Link()) != 2 || g.Link()[1].Bits != 0 || s.Connections.Share != 4 || len(s.Limits) != 3 || s.Limits[1].Limit != 0.001 {
		t.Errorf("%+v", s)
	}
	words := strings.Join(s.Words(), "\n")
	if strings.Contains(words, "secret") || !strings.Contains(words, "75 % phones: hlsjs, 2.50 Mbit/s, https://edge.example/live/{viewer}/master.m3u8?…, stays 10m0s") {
		t.Error(words)
	}
	s, err = Parse("x/evening.yml", []byte("url: http://a.example/x\narrivals: [{pattern: constant, rate: 1/s, for: 10s}]\n"), nil)
	if err != nil || s.Name != "evening" || s.For != 10*time.Second || s.Rounds != 1 || s.Audience[0].Device != "conservative" {
		t.Errorf("the defaults: %+v, %v", s, err)
	}
}

// What is said of bad files: sections of a file, each with the text wanted.
func TestBad(t *testing.T) {
	const file = "testdata/bad.txtar"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	parts := strings.Split("\n"+string(raw), "\n-- ")
	for i := 1; i < len(parts); i++ {
		name, text, _ := strings.Cut(parts[i]+"\n", " --\n")
		if name == "want" {
			continue
		}
		want := ""
		if i+1 < len(parts) {
			_, want, _ = strings.Cut(parts[i+1]+"\n", " --\n")
		}
		_, err := Parse("bad.yml", []byte(text), func(string) (string, bool) { return "", false })
		if err == nil {
			t.Errorf("%s: nothing was wrong", name)
			continue
		}
		out.WriteString("-- " + name + " --\n" + strings.TrimSuffix(text, "\n") + "\n-- want --\n" + err.Error() + "\n")
		if strings.TrimSpace(want) != strings.TrimSpace(err.Error()) && !*update {
			t.Errorf("%s:\n%s\nwant:\n%s", name, err, want)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s shows a token", name)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The example is a scenario, and has every key.
func TestExample(t *testing.T) {
	s, err := Parse("example.yml", []byte(Example), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Audience) != 3 || len(s.Arrivals) != 3 || len(s.Limits) != 5 {
		t.Errorf("%+v", s)
	}
	for _, key := range keys(reflect.TypeFor[Scenario]()) {
		if !strings.Contains(Example, "\n"+key+":") && key != "in_flight" {
			t.Errorf("the example has no %s", key)
		}
	}
}

func TestArrivals(t *testing.T) {
	for _, c := range []struct {
		phase     Phase
		n         int     // about
		half      float64 // share that came in the first half
		tolerance float64
	}{
		{Phase{Pattern: "constant", For: 10 * time.Second, Rate: 20}, 200, .5, 0},
		{Phase{Pattern: "constant", For: 10 * time.Second, Viewers: 77}, 77, .5, .01},
		{Phase{Pattern: "ramp", For: 10 * time.Second, Rate: 40}, 200, .25, .01},
		{Phase{Pattern: "ramp", For: 10 * time.Second, Viewers: 5000}, 5000, .25, .01},
		{Phase{Pattern: "ramp", For: 10 * time.Second, Viewers: 100, From: 10}, 100, .5, .01},
		{Phase{Pattern: "ramp", For: 10 * time.Second, Rate: 0.001, From: 40}, 200, .75, .01},
		{Phase{Pattern: "poisson", For: 100 * time.Second, Rate: 100}, 10000, .5, .03},
		{Phase{Pattern: "flash", For: 100 * time.Second, Viewers: 10000}, 10000, .89, .03},
	} {
		s := &Scenario{Arrivals: []Phase{c.phase}}
		times := s.Times(rand.New(rand.NewPCG(7, 7)))
		if math.Abs(float64(len(times)-c.n)) > float64(c.n)*max(c.tolerance, 0.001)+1 || !slices.IsSorted(times) {
			t.Errorf("%+v: %d came, want %d", c.phase, len(times), c.n)
			continue
		}
		early := 0
		for _, at := range times {
			if at < c.phase.For/2 {
				early++
			}
		}
		if got := float64(early) / float64(len(times)); math.Abs(got-c.half) > max(c.tolerance, .01) {
			t.Errorf("%+v: %.3f in the first half, want %.3f", c.phase, got, c.half)
		}
		if last := times[len(times)-1]; last > c.phase.For {
			t.Errorf("%+v: the last came at %s", c.phase, last)
		}
	}
	s := &Scenario{Arrivals: []Phase{{Pattern: "constant", For: time.Second, Viewers: 2}, {Pattern: "constant", For: time.Second, Viewers: 1}}}
	if got := s.Times(rand.New(rand.NewPCG(1, 1))); len(got) != 3 || got[2].Round(time.Millisecond) != 1500*time.Millisecond {
		t.Errorf("two phases: %v", got)
	}
}

func TestMix(t *testing.T) {
	s := &Scenario{Audience: []Group{{Share: 70}, {Share: 30}}}
	rng := rand.New(rand.NewPCG(1, 1))
	n := 0
	for range 10_000 {
		n += s.Group(rng)
	}
	if n < 2800 || n > 3200 {
		t.Errorf("%d of 10,000 are of a group with a share of 30 %%", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	raw, _ := os.ReadFile("testdata/bad.txtar")
	for part := range strings.SplitSeq(string(raw), "\n-- ") {
		_, text, _ := strings.Cut(part, " --\n")
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Parse("f.yml", raw, func(string) (string, bool) { return "x", true })
		if err == nil && (len(s.Arrivals) == 0 || len(s.Audience) == 0 || s.For <= 0) {
			t.Fatalf("%+v", s)
		}
		if err == nil {
			_ = s.Words()
		}
	})
}
