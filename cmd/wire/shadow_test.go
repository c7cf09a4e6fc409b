package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"manifold/manifest"
	"manifold/proxy"
)

// spoiler tells the shadow of answers that nobody would render.
type spoiler struct{ told proxy.Shadow }

func (s spoiler) Offer(kind manifest.Kind, source, output []byte, plan *manifest.Plan) {
	s.told.Offer(kind, source, append(bytes.Clone(output), "#EXT-X-STREAM-INF:BANDWIDTH=1\nmore.m3u8\n"...), plan)
}

// What viewers are sent is read again; what is wrong with it is counted, logged
// and kept; and a reload turns it off and on, without forgetting.
func TestShadow(t *testing.T) {
	with := func(every string) string {
		return channelFile("https://cdn.example") + fmt.Sprintf("shadow: {every: %s, folder: cases}\n", every)
	}
	r := newRig(t, with("1"))
	reload := func(every string) {
		t.Helper()
		r.write("manifold.yml", with(every))
		if _, err := r.edge.Reload("test"); err != nil {
			t.Fatal(err)
		}
	}
	watch := func() {
		t.Helper()
		if status, body := r.get(http.DefaultClient, "/news/master.m3u8"); status != 200 {
			t.Fatal(status, body)
		}
	}
	counted := func(line string) {
		t.Helper()
		if _, text := r.call("GET", "/metrics", ""); !strings.Contains(text, "manifold_shadow_total"+line+"\n") {
			t.Errorf("%s is not in the metrics:\n%s", line, text[strings.Index(text, "# HELP manifold_shadow"):])
		}
	}
	watch()
	reload("never") // the one before reads what it has first
	counted(`{result="agrees"} 1`)
	counted(`{result="differs"} 0`)
	watch()
	counted(`{result="agrees"} 1`)

	reload("1")
	r.edge.proxy.SetShadow(spoiler{r.edge.shadow.current})
	watch()
	r.log.wait(t, "a second reader finds another manifest than the source's", 1)
	reload("never")
	counted(`{result="agrees"} 1`)
	counted(`{result="differs"} 1`)

	cases, err := filepath.Glob(filepath.Join(r.dir, "cases", "*", "case.json"))
	if err != nil || len(cases) != 1 {
		t.Fatalf("kept are %q, %v", cases, err)
	}
	data, err := os.ReadFile(cases[0])
	if err != nil {
		t.Fatal(err)
	}
	var kept struct {
		Path, Verdict string
		Differences   []string
	}
	if err := json.Unmarshal(data, &kept); err != nil || kept.Path != "master.m3u8" || kept.Verdict != "differs" || len(kept.Differences) == 0 {
		t.Errorf("%v: %s", err, data)
	}
	folder := filepath.Dir(cases[0])
	source, err := os.ReadFile(filepath.Join(folder, "source.m3u8"))
	if err != nil || string(source) != playlist {
		t.Errorf("source %q, %v", source, err)
	}
	output, err := os.ReadFile(filepath.Join(folder, "output.m3u8"))
	if err != nil || !strings.Contains(string(output), "more.m3u8") {
		t.Errorf("output %q, %v", output, err)
	}

	// A folder that cannot be made refuses the configuration whole.
	r.write("cases.file", "")
	r.write("manifold.yml", strings.Replace(with("1"), "folder: cases", "folder: cases.file/in", 1))
	if _, err := r.edge.Reload("test"); err == nil || !strings.Contains(err.Error(), "cannot make the folder") {
		t.Errorf("a reload with a folder that cannot be: %v", err)
	}
	watch()
	counted(`{result="agrees"} 1`)
}
