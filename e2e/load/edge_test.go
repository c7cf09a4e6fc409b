package load

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// manifold is the program under test.
var manifold string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "manifold-load-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	manifold = filepath.Join(dir, "manifold")
	code := 1
	if out, err := exec.Command("go", "build", "-o", manifold, "manifold/cmd/manifold").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build the program: %v\n%s", err, out)
	} else {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// within bounds every wait for an event; only something broken lasts as long.
const within = 90 * time.Second

const adminToken = "the admin token of this test"

// base is how every edge here begins; its listeners take all that one host of
// viewers can bring.
const base = `
listen:
  plain: "127.0.0.1:0"
  tls: "127.0.0.1:0"
  self_made: tls
  limits: {connections_per_address: unlimited}
  deadlines: {drain: 1s}
admin: {address: "127.0.0.1:0", token: file:admin.key}
sessions: {keys: file:session.key}
`

// edge is a running edge.
type edge struct {
	t                    *testing.T
	dir                  string
	cmd                  *exec.Cmd
	plain, secure, admin string // URLs
	trust                *x509.CertPool
	log                  *journal
	exited               chan struct{} // closed when the first process has ended
	err                  error         // of its end
}

// startEdge starts an edge by a configuration, to which base is added.
func startEdge(t *testing.T, config string) *edge {
	t.Helper()
	e := prepareEdge(t)
	e.start(config)
	return e
}

// prepareEdge makes the folder of an edge, for files that it needs beside its
// configuration.
func prepareEdge(t *testing.T) *edge {
	t.Helper()
	e := &edge{t: t, dir: t.TempDir(), log: &journal{ended: make(chan struct{})}, exited: make(chan struct{})}
	e.write("admin.key", adminToken)
	e.write("session.key", strings.Repeat("s", 32))
	return e
}

func (e *edge) start(config string) {
	t := e.t
	t.Helper()
	e.write("manifold.yml", base+config)
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	e.cmd = exec.Command(manifold, "edge", "--config", filepath.Join(e.dir, "manifold.yml"))
	e.cmd.Stdout, e.cmd.Stderr = out, out
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err = e.cmd.Start()
	_ = out.Close()
	if err != nil {
		t.Fatal(err)
	}
	go e.log.take(in)
	go func() {
		e.err = e.cmd.Wait()
		close(e.exited)
	}()
	t.Cleanup(e.end)
	banner := e.log.await(t, regexp.MustCompile(`admin +(http://\S+)`))
	e.admin = banner[1]
	e.plain = e.log.await(t, regexp.MustCompile(`(http://\S+) +HTTP/1.1`))[1]
	e.secure = e.log.await(t, regexp.MustCompile(`(https://\S+) +HTTP/1.1, HTTP/2`))[1]
	ca, err := os.ReadFile(filepath.Join(e.dir, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	e.trust = x509.NewCertPool()
	e.trust.AppendCertsFromPEM(ca)
}

// end ends whichever process serves, and shows what it said where the test
// failed.
func (e *edge) end() {
	_ = e.cmd.Process.Signal(syscall.SIGKILL) // may have ended
	if pid := e.successor(); pid != 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-e.log.ended // all of them hold its other end
	<-e.exited
	if e.t.Failed() {
		text := e.log.text()
		e.t.Logf("the edge said:\n%s", text[max(0, len(text)-8<<10):])
	}
}

var takenOver = regexp.MustCompile(`"msg":"another process serves now","pid":(\d+)`)

// successor is the process that took over, or 0.
func (e *edge) successor() (pid int) {
	if m := takenOver.FindStringSubmatch(e.log.text()); m != nil {
		_, _ = fmt.Sscan(m[1], &pid)
	}
	return pid
}

// write puts a file into the edge's folder, whole.
func (e *edge) write(name, text string) {
	e.t.Helper()
	path := filepath.Join(e.dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		e.t.Fatal(err)
	}
}

// reload has the edge read its file again.
func (e *edge) reload() (status int, body string) {
	e.t.Helper()
	q, err := http.NewRequest(http.MethodPost, e.admin+"/api/v1/reload", nil)
	if err != nil {
		e.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+adminToken)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		e.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// metric reads one sample of /metrics, by its name with labels.
func (e *edge) metric(name string) (value float64) {
	e.t.Helper()
	a := fetch(e.t, http.DefaultTransport, e.admin+"/metrics")
	for line := range strings.Lines(a.body) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			if err := json.Unmarshal([]byte(strings.TrimSpace(rest)), &value); err != nil {
				e.t.Fatalf("%s: %v", line, err)
			}
			return value
		}
	}
	e.t.Fatalf("/metrics has no %s:\n%s", name, a.body)
	return 0
}

// journal keeps what a process writes and wakes who waits for it.
type journal struct {
	mu    sync.Mutex
	lines strings.Builder
	more  chan struct{}
	ended chan struct{} // closed when nobody can write any more
}

func (j *journal) take(in io.ReadCloser) {
	defer close(j.ended)
	defer in.Close()
	for r := bufio.NewReader(in); ; {
		line, err := r.ReadString('\n')
		j.mu.Lock()
		j.lines.WriteString(line)
		if j.more != nil {
			close(j.more)
			j.more = nil
		}
		j.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.String()
}

// await waits until what is written matches.
func (j *journal) await(t *testing.T, what *regexp.Regexp) []string {
	t.Helper()
	deadline, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for {
		j.mu.Lock()
		m := what.FindStringSubmatch(j.lines.String())
		if j.more == nil {
			j.more = make(chan struct{})
		}
		more := j.more
		j.mu.Unlock()
		if m != nil {
			return m
		}
		select {
		case <-more:
		case <-j.ended:
			t.Fatalf("the edge ended before it said %v:\n%s", what, j.text())
		case <-deadline.Done():
			t.Fatalf("the edge does not say %v:\n%s", what, j.text())
		}
	}
}
