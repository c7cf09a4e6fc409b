package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"manifold"
)

// said is what a command line gave.
type said struct {
	code     int
	out, err string
}

// cli runs a command line in this process.
func cli(t *testing.T, in string, args ...string) said {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(in), &out, &errs)
	return said{code, out.String(), errs.String()}
}

// folder makes files in a folder of the test's own and gives it.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const goodFile = `
listen: {plain: "127.0.0.1:0", deadlines: {drain: none}}
admin: "127.0.0.1:0"
channels:
  - {name: news, origin: "https://origin.example/live/", pathways: ["https://a.example", {base: "https://b.example", weight: 3}]}
`

// Every command line ends with its code, and says on the right stream why.
func TestCommandLines(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := folder(t, map[string]string{
		"good.yml": goodFile, "bad.yml": "chanels: []\nlog: {level: loud}\n",
		"taken.yml": strings.Replace(goodFile, `"127.0.0.1:0", deadlines`, taken.Addr().String()+", deadlines", 1),
		"short.key": "short", "good.key": strings.Repeat("k", 32),
	})
	t.Chdir(dir)
	for _, c := range []struct {
		line     string
		code     int
		out, err string // parts of what is printed
	}{
		{"", 0, "Exit codes: 0 all is well", ""},
		{"--help", 0, "manifold demo", ""},
		{"help edge", 0, "--config", ""},
		{"version", 0, "manifold development", ""},
		{"version --json", 0, `"platform":"`, ""},
		{"edg", exitUsage, "", `unknown command "edg" for "manifold": did you mean edge?`},
		{"confg check", exitUsage, "", "did you mean config?"},
		{"nonsense", exitUsage, "", `unknown command "nonsense"`},
		{"config", exitUsage, "", "needs one of its commands: check, default, show"},
		{"config chekc", exitUsage, "", "did you mean check?"},
		{"config nonsense", exitUsage, "", `unknown command "nonsense" for "manifold config"`},
		{"bench", exitUsage, "", "needs one of its commands"},
		{"token", exitUsage, "", "inspect, sign"},
		{"edge --confg x", exitUsage, "", "unknown flag: --confg: did you mean --config?"},
		{"edge --nonsense", exitUsage, "", "unknown flag: --nonsense\n"},
		{"edge -x", exitUsage, "", "unknown shorthand flag"},
		{"edge more", exitUsage, "", `Run "manifold edge --help"`},
		{"edge --config", exitUsage, "", "flag needs an argument"},
		{"demo --duration soon", exitUsage, "", "invalid argument"},
		{"demo --duration 1s", exitUsage, "", "--duration must be at least"},
		{"edge -c none.yml", exitConfig, "", "no such file"},
		{"edge -c bad.yml", exitConfig, "", "bad.yml:1:1: chanels: unknown key"},
		{"edge -c taken.yml", exitBind, "", "another process listens there"},
		{"config check good.yml", 0, "good.yml is good: 1 channel, 1 pathway set, 1 warning", ""},
		{"config check -c good.yml", 0, "good.yml: warning: sessions.keys", ""},
		{"config check", exitConfig, "", "manifold.yml: no such file"},
		{"config check bad.yml", exitConfig, "", "manifold: 2 problems in bad.yml"},
		{"config check a b", exitUsage, "", "accepts at most 1 arg"},
		{"config show good.yml", 0, "weight: 3", ""},
		{"config show bad.yml", exitConfig, "", `did you mean "channels"?`},
		{"config default", 0, "manifold.yml: every key with its default", ""},
		{"origin --listen nonsense", exitUsage, "", "is not an address"},
		{"origin --directory c --listen " + taken.Addr().String(), exitBind, "", "another process listens there"},
		{"origin -c none.yml", exitConfig, "", "no such file"},
		{"origin --write-token-env SURELY_NOT_SET", exitUsage, "", "SURELY_NOT_SET"},
		{"origin --memory ../x", exitConfig, "", "memory"},
		{"transcode --ladder mobil", exitUsage, "", "did you mean mobile?"},
		{"transcode --to nonsense", exitUsage, "", "nonsense"},
		{"transcode --input http://x/y", exitConfig, "", "inputs are files"},
		{"transcode --token-env SURELY_NOT_SET", exitUsage, "", "SURELY_NOT_SET"},
		{"token sign", exitUsage, "", "needs --key"},
		{"token sign --key literal", exitFailed, "", "it is not a reference"},
		{"token sign --key file:good.key --expires 1ms", exitUsage, "", "shorter than a second"},
		{"token sign --key file:good.key --address nonsense", exitUsage, "", "neither an address nor a prefix"},
		{"token sign --key file:good.key --format xml", exitUsage, "", "jwt, akamai, bunny, mediacdn"},
		{"token sign --key file:good.key --format akamai", exitUsage, "", "--base"},
		{"token sign --key file:short.key --format bunny --base https://c.example", exitUsage, "", "at least 8"},
		{"token inspect", exitUsage, "", "accepts 1 arg"},
		{"token inspect nonsense", exitUsage, "", "no token that is known here"},
		{"man --dir none", exitFailed, "", "cannot write manual page"},
		{"completion bash", 0, "bash completion", ""},
		{"__complete transcode --ladder ", 0, "mobile", ""},
		{"__complete config ", 0, "check", ""},
	} {
		got := cli(t, "", strings.Fields(c.line)...)
		if strings.HasSuffix(c.line, " ") {
			got = cli(t, "", append(strings.Fields(c.line), "")...)
		}
		if got.code != c.code || !strings.Contains(got.out, c.out) || !strings.Contains(got.err, c.err) {
			t.Errorf("manifold %s: exit %d, want %d\nout %.500s\nerr %.500s", c.line, got.code, c.code, got.out, got.err)
		}
		if c.code != 0 && (got.err == "" || got.out != "" && c.out == "") {
			t.Errorf("manifold %s: %q on standard output, %q on standard error", c.line, got.out, got.err)
		}
	}
}

// The file of defaults goes through the whole of the command line.
func TestDefaultIsChecked(t *testing.T) {
	t.Chdir(folder(t, map[string]string{"manifold.yml": cli(t, "", "config", "default").out}))
	if got := cli(t, "", "config", "check"); got.code != 0 || !strings.Contains(got.out, "there are no channels") {
		t.Errorf("%+v", got)
	}
	if text := cli(t, "", "config", "default").out; text != manifold.Defaults {
		t.Error("the printed file is another than manifold.yml")
	}
	shown := cli(t, "", "config", "show").out
	if err := os.WriteFile("shown.yml", []byte(shown), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := cli(t, "", "config", "show", "shown.yml"); got.out != shown {
		t.Errorf("shown again:\n%s", got.out)
	}
}

// waiter is an output whose reader waits for a text.
type waiter struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{}
}

func newWaiter() *waiter { return &waiter{wrote: make(chan struct{}, 1)} }

func (w *waiter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.wrote <- struct{}{}:
	default:
	}
	return w.text.Write(p)
}

func (w *waiter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// find waits until pattern matches and gives its first group.
func (w *waiter) find(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(20 * time.Second)
	for {
		if m := re.FindStringSubmatch(w.String()); m != nil {
			return m[len(m)-1]
		}
		select {
		case <-w.wrote:
		case <-deadline:
			t.Fatalf("%s was not written:\n%s", pattern, w.String())
		}
	}
}

// serve runs a command that stays, until the test ends it by stop, which gives
// its exit code.
func serve(t *testing.T, args ...string) (out, errs *waiter, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, errs = newWaiter(), newWaiter()
	done := make(chan int, 1)
	go func() { done <- run(ctx, args, strings.NewReader(""), out, errs) }()
	var once sync.Once
	code := -1
	stop = func() int {
		once.Do(func() {
			cancel()
			code = <-done
		})
		return code
	}
	t.Cleanup(func() { stop() })
	return out, errs, stop
}

// The edge says where it is and what it serves, reloads on SIGHUP, and ends
// well.
func TestEdgeCommand(t *testing.T) {
	dir := folder(t, map[string]string{"manifold.yml": goodFile})
	file := filepath.Join(dir, "manifold.yml")
	out, errs, stop := serve(t, "edge", "--config", file)
	viewers := out.find(t, `viewers +(http://127\.0\.0\.1:\d+)  HTTP/1\.1\n`)
	admin := out.find(t, `admin +(http://127\.0\.0\.1:\d+)  for reading`)
	out.find(t, `channels +news  at /news/  from https://origin\.example/live/  over a\.example 25%, b\.example 75%`)
	out.find(t, `warning +(there is no session key)`)
	for url, want := range map[string]int{viewers + "/elsewhere/x.m3u8": 404, admin + "/readyz": 200} {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %s", url, res.Status)
		}
	}
	if err := os.WriteFile(file, []byte(strings.Replace(goodFile, "weight: 3", "weight: 5", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	errs.find(t, `"configuration reloaded","by":"signal","changed":\["channels\.news\.pathways\.list\.b\.example\.weight"\]`)
	if code := stop(); code != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// The origin takes its section of the file, flags before it, and its content
// can be written and read.
func TestOriginCommand(t *testing.T) {
	dir := folder(t, map[string]string{
		"write.key":    "the write token of this test",
		"manifold.yml": "origin_server: {listen: '127.0.0.1:1', directory: store, write_tokens: file:write.key}\nlog: {format: text}\n",
	})
	out, _, stop := serve(t, "origin", "--config", filepath.Join(dir, "manifold.yml"), "--listen", "127.0.0.1:0")
	base := out.find(t, `manifold origin: (http://127\.0\.0\.1:\d+) serves `+regexp.QuoteMeta(filepath.Join(dir, "store")))
	q, err := http.NewRequest("PUT", base+"/a/b.m3u8", strings.NewReader(finePlaylist))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer the write token of this test")
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res, err = http.Get(base + "/a/b.m3u8"); err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if string(body) != finePlaylist {
		t.Errorf("%s %s", res.Status, body)
	}
	if code := stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// Every command has a manual page that names all of its flags, and a text of
// its own.
func TestManualPages(t *testing.T) {
	dir := t.TempDir()
	if got := cli(t, "", "man", "--dir", dir); got.code != 0 {
		t.Fatal(got)
	}
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if !c.IsAvailableCommand() && c.HasParent() {
			return
		}
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		page, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil {
			t.Error(err)
			return
		}
		for _, part := range []string{".TH \"" + strings.ToUpper(name), ".SH NAME", roff(c.Short), ".SH SYNOPSIS"} {
			if !strings.Contains(string(page), part) {
				t.Errorf("%s.1 has no %q", name, part)
			}
		}
		for line := range strings.SplitSeq(string(page), "\n") {
			if regexp.MustCompile(`^[.'](TH|SH|PP|TP|B|nh|nf|fi)\b|^[^.']|^$`).FindString(line) == "" && line != "" {
				t.Errorf("%s.1: %q is a request that man(7) has not", name, line)
			}
		}
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: its short text is %q", name, c.Short)
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(newRoot())
	if got := cli(t, "", "man"); !strings.HasPrefix(got.out, `.TH "MANIFOLD"`) {
		t.Errorf("%.80s", got.out)
	}
}
