package wire

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// header asks the edge and gives the answer's header as well.
func (r *rig) header(path, agent string) (http.Header, string) {
	r.t.Helper()
	q, err := http.NewRequest("GET", "http://"+r.edge.PlainAddr().String()+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("User-Agent", agent)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %d %v %s", path, res.StatusCode, err, body)
	}
	return res.Header, string(body)
}

// A channel without sessions, from the file to what a cache may keep.
func TestSharedAnswersOfTheFile(t *testing.T) {
	r := newRig(t, base+`
pathways: {m: [{id: a, base: "https://a.example"}, {id: b, base: "https://b.example"}]}
channels:
  - name: news
    origin: ORIGIN/
    pathways: m
    sessions: none
    cohorts:
      - {name: tv, devices: [tizen, webos]}
      - {name: here, addresses: [127.0.0.0/8], devices: [hlsjs]}
`)
	for agent, want := range map[string]string{"Mozilla Tizen": "tv", "something else": "all"} {
		header, body := r.header("/news/master.m3u8", agent)
		m := regexp.MustCompile(`(?m)^/news/~c\.([a-z]+)/[ab]/v360/index\.m3u8$`).FindStringSubmatch(body)
		if m == nil || m[1] != want || !strings.HasPrefix(header.Get("Cache-Control"), "private") {
			t.Errorf("%s: %v\n%s", agent, header, body)
		}
	}
	_, body := r.header("/news/master.m3u8?device=hlsjs", "x")
	steer := regexp.MustCompile(`SERVER-URI="http://[^/]+(/\.manifold/steer/news/~c\.here)"`).FindStringSubmatch(body)
	if steer == nil {
		t.Fatal(body)
	}
	if header, answer := r.header(steer[1], "x"); header.Get("Cache-Control") != "no-store" || !strings.Contains(answer, `"VERSION":1`) {
		t.Errorf("%v %s", header, answer)
	}
	header, shared := r.header("/news/~c.here/a/v360/master.m3u8", "x")
	if !regexp.MustCompile(`^public, max-age=[0-9]+$`).MatchString(header.Get("Cache-Control")) || header.Get("Vary") != "Accept-Encoding" || header.Get("Set-Cookie") != "" {
		t.Errorf("%v", header)
	}
	if _, again := r.header("/news/~c.here/a/v360/master.m3u8?device=tizen", "Mozilla Tizen"); again != shared {
		t.Errorf("another viewer is told\n%s", again)
	}
}
