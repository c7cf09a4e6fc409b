package config

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"manifold/proxy"
)

// write makes files in a folder of the test's own and gives the folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const key32 = "0123456789abcdef0123456789abcdef"

// The simple case in few lines: an edge in front of somebody else's origin
// with two CDNs that want tokens.
func TestShortFile(t *testing.T) {
	dir := write(t, map[string]string{"alpha.key": "00112233445566778899aabbccddeeff", "manifold.yml": `
listen: {plain: ":8080"}
channels:
  - name: news
    origin: https://origin.example/live/news
    pathways:
      - https://beta.example:8443
      - {id: alpha, base: https://alpha.example, weight: 3, token: {format: akamai, keys: "file:alpha.key#hex"}, probe: https://alpha.example/}
`})
	cfg, err := Load(filepath.Join(dir, "manifold.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Listen.Plain; !reflect.DeepEqual(got, []string{":8080"}) {
		t.Error(got)
	}
	c := cfg.Proxy.Channels[0]
	if c.Prefix != "/news" || c.Set != "news" || !c.Steering || c.TTL != 20*time.Second || c.Origin.Origins[0].URL != "https://origin.example/live/news" {
		t.Errorf("%+v", c)
	}
	want := []proxy.PathwayConfig{{ID: "beta.example-8443", Base: "https://beta.example:8443", Weight: 1}, {ID: "alpha", Base: "https://alpha.example", Weight: 3}}
	for i, p := range cfg.Proxy.Sets[0].Pathways {
		if p.ID != want[i].ID || p.Base != want[i].Base || p.Weight != want[i].Weight {
			t.Errorf("%+v, want %+v", p, want[i])
		}
	}
	if tok := cfg.Proxy.Sets[0].Pathways[1].Token; tok == nil || tok.Lifetime != 6*time.Hour || tok.Keys[0] != "file:alpha.key#hex" {
		t.Errorf("%+v", tok)
	}
	if p := cfg.Probes; len(p) != 1 || p[0].Set != "news" || p[0].ID != "alpha" || p[0].Every != 2*time.Second {
		t.Errorf("%+v", p)
	}
	if cfg.Proxy.Sessions == nil || len(cfg.Warnings) != 1 || !strings.Contains(cfg.Warnings[0].Text, "session key") {
		t.Errorf("sessions %v, warnings %v", cfg.Proxy.Sessions, cfg.Warnings)
	}
	if want := []string{filepath.Join(dir, "manifold.yml"), filepath.Join(dir, "alpha.key")}; !reflect.DeepEqual(cfg.Files, want) {
		t.Errorf("files %v, want %v", cfg.Files, want)
	}
}

// One value may be written in several ways.
// Editors on Windows begin a file with a byte order mark; what is changed is
// told by the bytes of the file.
func TestByteOrderMark(t *testing.T) {
	text := "\ufefflog: {level: warn}\r\nadmin: {adress: x}\r\n"
	_, err := Parse("manifold.yml", []byte(text))
	if err == nil || !strings.Contains(err.Error(), "manifold.yml:2:9: admin.adress: unknown key") || strings.Contains(err.Error(), ":1:") {
		t.Errorf("%v", err)
	}
	good := []byte(text[:strings.Index(text, "admin")])
	cfg, err := Parse("manifold.yml", good)
	if err != nil || cfg.File.Log.Level != "warn" || cfg.Sum != sha256.Sum256(good) {
		t.Errorf("%v", err)
	}
}

func TestShorthands(t *testing.T) {
	parse := func(text string) *File {
		t.Helper()
		f, d, bad := read([]byte(text))
		if bad != nil || len(d.found) > 0 {
			t.Fatalf("%s: %v %v", text, bad, d)
		}
		return f
	}
	for _, c := range []struct{ short, long string }{
		{"listen: {plain: ':80'}", "listen: {plain: [':80']}"},
		{"admin: 127.0.0.1:1", "admin: {address: 127.0.0.1:1}"},
		{"listen: {self_made: certs}", "listen: {self_made: {folder: certs}}"},
		{"geo: a.mmdb", "geo: {databases: [a.mmdb]}"},
		{"geo: [a.mmdb, b.mmdb]", "geo: {databases: [a.mmdb, b.mmdb]}"},
		{"channels: [{name: a, origin: 'http://o'}]", "channels: [{name: a, origin: {urls: [{url: 'http://o'}]}}]"},
		{"channels: [{name: a, origin: ['http://o', {url: 'http://p', host: h}]}]", "channels: [{name: a, origin: {urls: [{url: 'http://o'}, {url: 'http://p', host: h}]}}]"},
		{"channels: [{name: a, match: /b/}]", "channels: [{name: a, match: {prefix: /b}}]"},
		{"channels: [{name: a}]", "channels: [{name: a, match: {prefix: /a}}]"},
		{"channels: [{name: a, pathways: main}]", "channels: [{name: a, pathways: {set: main}}]"},
		{"channels: [{name: a, pathways: ['http://[2001:db8::1]:8080/x']}]", "channels: [{name: a, pathways: {list: [{id: '2001-db8--1-8080', base: 'http://[2001:db8::1]:8080/x'}]}}]"},
		{"channels: [{name: a, steering: false}]", "channels: [{name: a, steering: {enabled: false}}]"},
		{"pathways: {m: [{base: 'http://c', prefer: DE}]}", "pathways: {m: [{id: c, base: 'http://c', prefer: [{countries: [DE]}]}]}"},
		{"transcoder: {ladder: mobile, audio: de}", "transcoder: {ladder: {name: mobile}, audio: [{language: de}]}"},
		{"transcoder: {ladder: [{width: 2}]}", "transcoder: {ladder: {rungs: [{width: 2}]}}"},
		{"x-c: &c {name: a, match: /z}\nchannels: [{<<: *c, name: b}]", "channels: [{name: b, match: {prefix: /z}}]"},
		{"x-c: &c {name: a, origin: 'http://o', match: {hosts: [h]}}\nx-d: &d {segments: proxy}\nchannels: [{<<: [*c, *d], match: {prefix: /z}}]",
			"channels: [{name: a, origin: 'http://o', segments: proxy, match: {prefix: /z}}]"},
		{"listen: {deadlines: &d {idle: 2m}}\nx-y: [*d]", "listen: {deadlines: {idle: 120s}}"},
		{"devices: [{name: hlsjs, evict: 410}]", "devices: [{name: hlsjs, evict: 410, steering: hls, redundant_variants: true, redirects: true, gzip: true}]"},
	} {
		if short, long := parse(c.short), parse(c.long); !reflect.DeepEqual(short, long) {
			for _, d := range changes(long, short) {
				t.Errorf("%s: %s is not as in %s", c.short, d.Path, c.long)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		typ  reflect.Type
		text string
		want int64
		ok   bool
	}{
		{durationType, "1h30m", int64(90 * time.Minute), true},
		{durationType, "7d", int64(7 * 24 * time.Hour), true},
		{durationType, "1.5d", int64(36 * time.Hour), true},
		{durationType, "20", 0, false},
		{durationType, "", 0, false},
		{durationType, "999999999d", 0, false},
		{durationType, "NaNd", 0, false},
		{sizeType, "64KiB", 64 << 10, true},
		{sizeType, "2 GiB", 2 << 30, true},
		{sizeType, "5MB", 5_000_000, true},
		{sizeType, "100B", 100, true},
		{sizeType, "100", 0, false},
		{sizeType, "KiB", 0, false},
		{sizeType, "99999999999999TiB", 0, false},
		{sizeType, "-1KiB", -1024, true}, // bounds refuse it
		{reflect.TypeFor[int](), "16_384", 16384, true},
		{reflect.TypeFor[int](), "0x10", 0, false},
		{reflect.TypeFor[int](), "9223372036854775808", 0, false},
	} {
		got, err := parseNumber(c.typ, c.text)
		if (err == nil) != c.ok || c.ok && got != c.want {
			t.Errorf("%v %q: %d, %v", c.typ, c.text, got, err)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"listen", "admin", "sessions", "shield", "channels", "origin_server", "cert", "key", "dash", "hls"}
	for s, want := range map[string]string{
		"listne": "listen", "chanels": "channels", "Channels": "channels", "origin-server": "origin_server", "certificate": "cert",
		"keys": "key", "hsl": "hls", "zzz": "", "": "", "x": "", strings.Repeat("listen", 100): "",
	} {
		if got := Nearest(s, known); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

// What is shown can be read back as the same.
func TestShow(t *testing.T) {
	for _, text := range []string{"", withExamples(), `
listen: {tls: "[::1]:443", limits: {connections: unlimited, header: 1001B}, alt_svc_max_age: never}
pathways: {"a-b": [{id: "1", base: "https://c.example/{channel}", weight: 0.5, never: [{asns: [64512], addresses: ["2001:db8::/32"]}]}]}
channels:
  - {name: "yes", origin: "https://o.example", pathways: a-b, match: {hosts: ["*.example"], prefix: /}, steering: {dwell: none, ttl: 90m}}
  - {name: n, origin: "https://o.example", pathways: ["https://x.example"], access: {query_name: "a: b # \"c\""}}
`} {
		f, _, bad := read([]byte(text))
		if bad != nil {
			t.Fatal(bad)
		}
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, d, bad := read(b.Bytes())
		if bad != nil || len(d.found) > 0 {
			t.Fatalf("%v %v\n%s", bad, d.found, b.String())
		}
		for _, c := range changes(f, again) {
			t.Errorf("%s: %v was shown, %v read back", c.Path, c.old, c.new)
		}
	}
}

func TestChanges(t *testing.T) {
	read := func(text string) *Config {
		cfg, err := Parse("", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	a := read(`
listen: {deadlines: {idle: 1m}}
shield: {allow_private: [10.0.0.0/8]}
pathways: {m: [{id: x, base: "https://x.example"}, {id: y, base: "https://y.example"}]}
channels:
  - {name: news, origin: "https://o.example", pathways: m}
  - {name: gone, origin: "https://o.example", pathways: m}
  - {name: same, origin: "https://o.example", pathways: m}
`)
	b := read(`
listen: {deadlines: {idle: 2m}}
shield: {allow_private: [192.168.0.0/16], live: 1GiB}
pathways: {m: [{id: x, base: "https://x.example", weight: 2, probe: "https://x.example/"}, {id: y, base: "https://y.example"}]}
channels:
  - {name: same, origin: "https://o.example", pathways: m}
  - {name: news, origin: "https://o2.example", pathways: m, steering: {ttl: 5s}}
  - {name: new, origin: "https://o.example", pathways: m}
`)
	var got []string
	for _, c := range Changes(a, b) {
		text := c.Path
		if c.Restart {
			text += " (restart)"
		}
		got = append(got, text)
	}
	want := []string{
		"listen.deadlines.idle (restart)", "shield.live (restart)", "shield.allow_private",
		"pathways.m.x.weight", "pathways.m.x.probe", "channels.gone", "channels.news.origin.urls", "channels.news.steering.ttl", "channels.new",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if c := Changes(a, a); len(c) != 0 {
		t.Errorf("%v", c)
	}
}

// A process without session keys keeps the ones it made.
func TestOwnSessionKeysAreKept(t *testing.T) {
	ld := &Loader{Random: strings.NewReader(key32)}
	a, err := ld.Parse("", nil, Edge)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ld.Parse("", nil, Edge)
	if err != nil || a.Proxy.Sessions != b.Proxy.Sessions {
		t.Errorf("other keys after a second time: %v", err)
	}
	if _, err := (&Loader{Random: strings.NewReader("short")}).Parse("", nil, Edge); err == nil {
		t.Error("a key was made of nothing")
	}
}

// Each part looks at its own contents, all at the structure.
func TestParts(t *testing.T) {
	const text = "sessions: {keys: env:NOT_THERE}\norigin_server: {write_tokens: env:TOKEN, directory: data}\ntranscoder: {input: in.mp4}\n"
	ld := &Loader{LookupEnv: func(name string) (string, bool) { return key32, name == "TOKEN" }}
	if _, err := ld.Parse("/etc/manifold/manifold.yml", []byte(text), Edge); err == nil {
		t.Error("the edge has a key that is not there")
	}
	cfg, err := ld.Parse("/etc/manifold/manifold.yml", []byte(text), OriginPart|TranscoderPart)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.OriginServer.Directory != "/etc/manifold/data" || cfg.OriginServer.WriteTokens[0] != key32 || cfg.Transcoder.Input != "/etc/manifold/in.mp4" {
		t.Errorf("%+v %+v", cfg.OriginServer, cfg.Transcoder)
	}
	if _, err := ld.Parse("", []byte("origin_server: {}\nchanels: []\n"), OriginPart); err == nil {
		t.Error("an unknown key of another part was taken")
	}
}

// A file that multiplies itself is refused before it takes memory.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("x-a: &a {name: n, pathways: [https://a, https://b, https://c], origin: https://o}\n")
	b.WriteString("channels: [" + strings.Repeat("*a,", 100_000) + "]\n")
	_, err := Parse("bomb.yml", []byte(b.String()))
	if err == nil || !strings.Contains(err.Error(), "many times larger") {
		t.Errorf("%.300v", err)
	}
	b.Reset()
	b.WriteString("x-0: &a0 {a: b}\n")
	for i := 1; i < 30; i++ {
		n := func(i int) string { return string(rune('a'+i/26)) + string(rune('a'+i%26)) }
		b.WriteString("x-" + n(i) + ": &" + n(i) + " {<<: [")
		prev := "a0"
		if i > 1 {
			prev = n(i - 1)
		}
		b.WriteString(strings.Repeat("*"+prev+",", 10) + "]}\n")
		if i == 29 {
			b.WriteString("log: *" + n(i) + "\n")
		}
	}
	if _, err := Parse("bomb.yml", []byte(b.String())); err == nil {
		t.Error("ten to the power of thirty merges were taken")
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{strings.Repeat("#", maxFile+1), "at most"},
		{strings.Repeat("\n", maxMarks+1), "too intricate"},
		{"a: " + strings.Repeat("[", 100), "nested too deep"},
		{strings.Repeat("- ", 100), "nested too deep"},
		{strings.Repeat("a:\n", 1000), "nothing behind them"},
		{strings.Repeat("zz: 1\n", 5000), "more problems"},
	} {
		if _, err := Parse("x.yml", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q: %.300v, want %s", c.text, err, c.want)
		}
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yml")); !Missing(err) {
		t.Error(err)
	}
}
