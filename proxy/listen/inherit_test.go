package listen

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	childVar  = "LISTEN_TEST_CHILD" // the folder with the child's identity
	childAddr = "LISTEN_TEST_TLS"   // its configured tls address, if any
)

// child is the next process: it serves the sockets that it inherits until its
// standard input ends.
func child() int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	id, err := LoadIdentity(os.Getenv(childVar), time.Now())
	if err != nil {
		return fail(err)
	}
	certs, err := NewStaticCerts(id.Leaf)
	if err != nil {
		return fail(err)
	}
	cfg := Config{Certificate: certs.Certificate, HTTP3: true, DrainGrace: 50 * time.Millisecond}
	if a := os.Getenv(childAddr); a != "" {
		cfg.TLS = []string{a}
	}
	if cfg.Inherited, err = FromEnvironment(); err != nil {
		return fail(err)
	}
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "LISTEN_FDS") || strings.HasPrefix(v, "LISTEN_PID") || strings.HasPrefix(v, handOverVar) {
			return fail(fmt.Errorf("left in the environment: %s", v))
		}
	}
	l, err := New(cfg, text200(fmt.Sprint("child ", len(cfg.Inherited))))
	if err != nil {
		return fail(err)
	}
	if err := l.Start(); err != nil {
		return fail(err)
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := l.Shutdown(ctx); err != nil {
		return fail(err)
	}
	return 0
}

// startChild runs this test binary as the next process and waits until it
// serves.
func startChild(t *testing.T, cmd *exec.Cmd) (stop func()) {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("child: %v", err)
		}
	})
	t.Cleanup(stop)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || line != "ready\n" {
		t.Fatalf("child said %q, %v", line, err)
	}
	return stop
}

func sharedIdentity(t *testing.T) (folder string, cfg Config, id *Identity) {
	t.Helper()
	folder = t.TempDir()
	id, err := LoadIdentity(folder, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	certs, err := NewStaticCerts(id.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	cfg = localConfig(t)
	cfg.Certificate = certs.Certificate
	return folder, cfg, id
}

// TestHandOver: another process takes the sockets over while clients keep
// asking. No connection is refused and no answer lost on h1 and h2; h3 clients
// connect again.
func TestHandOver(t *testing.T) {
	folder, cfg, id := sharedIdentity(t)
	first := run(t, cfg, text200("first"))
	all := ways(t, first)
	for _, w := range all[1:] {
		setRoots(w.client, id)
	}
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var byChild [4]atomic.Int64
	for i, w := range all {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, body, err := w.do("GET", "/", nil, nil)
				switch {
				case w.name == "h3" && err != nil: // its connection ended: the next request makes another
					w.client.CloseIdleConnections()
				case err != nil || resp.StatusCode != 200:
					t.Errorf("%s: %v", w.name, err)
					return
				case strings.HasPrefix(string(body), "child"):
					byChild[i].Add(1)
				}
				// And a connection of its own, as from a new client.
				if c, err := net.Dial("tcp", addrOf(t, first, Plain)); err != nil {
					t.Errorf("connect: %v", err)
					return
				} else {
					_ = c.(*net.TCPConn).SetLinger(0)
					_ = c.Close()
				}
			}
		})
	}
	files, env, err := first.HandOver()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.ExtraFiles = files
	cmd.Env = append(append(os.Environ(), env...), childVar+"="+folder)
	end := startChild(t, cmd)
	for _, f := range files {
		_ = f.Close()
	}
	shutdown(t, first, 20*time.Second)
	for i, w := range all {
		waitFor(t, w.name+" to reach the next process", func() bool { return byChild[i].Load() > 20 })
	}
	close(stop)
	clients.Wait()
	end()
}

func setRoots(c *http.Client, id *Identity) {
	switch tr := c.Transport.(type) {
	case *http.Transport:
		if tr.TLSClientConfig != nil {
			tr.TLSClientConfig.RootCAs = id.Pool()
		}
	case h3Transport:
		tr.TLSClientConfig.RootCAs = id.Pool()
	}
}

// TestSocketActivation: the sockets come as systemd passes them, one of them
// for the configured address, one by its name, and a UDP socket for HTTP/3.
func TestSocketActivation(t *testing.T) {
	folder, cfg, id := sharedIdentity(t)
	holder, err := New(cfg, text200("never asked")) // stands for systemd
	if err != nil {
		t.Fatal(err)
	}
	files, _, err := holder.HandOver()
	if err != nil {
		t.Fatal(err)
	}
	// The shell stands for systemd: LISTEN_PID is the pid after exec.
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	cmd.ExtraFiles = files
	cmd.Env = append(os.Environ(), "LISTEN_FDS=3", "LISTEN_FDNAMES=http:edge.socket:edge.socket", childVar+"="+folder, childAddr+"="+addrOf(t, holder, TLS))
	end := startChild(t, cmd)
	for _, w := range ways(t, holder) {
		setRoots(w.client, id)
		if resp, body := w.get(t, "/"); resp.StatusCode != 200 || string(body) != "child 3" {
			t.Errorf("%s: %d %q", w.name, resp.StatusCode, body)
		}
	}
	end()
	for _, f := range files {
		_ = f.Close()
	}
	holder.Close()
}

func TestFromEnvironment(t *testing.T) {
	clear := func() {
		for _, v := range []string{"LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", handOverVar} {
			t.Setenv(v, "")
		}
	}
	for _, c := range []struct {
		name string
		env  map[string]string
		want string // error
	}{
		{"nothing", nil, ""},
		{"for another process", map[string]string{"LISTEN_FDS": "2", "LISTEN_PID": "1"}, ""},
		{"from nobody", map[string]string{"LISTEN_FDS": "2"}, ""},
		{"from another parent", map[string]string{"LISTEN_FDS": "2", handOverVar: "1"}, ""},
		{"no number", map[string]string{"LISTEN_FDS": "many", "LISTEN_PID": fmt.Sprint(os.Getpid())}, `LISTEN_FDS is "many"`},
		{"names that do not fit", map[string]string{"LISTEN_FDS": "2", "LISTEN_FDNAMES": "tls", "LISTEN_PID": fmt.Sprint(os.Getpid())}, "LISTEN_FDS is 2 and LISTEN_FDNAMES has 1 names"},
	} {
		clear()
		for k, v := range c.env {
			t.Setenv(k, v)
		}
		s, err := FromEnvironment()
		if s != nil || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v", c.name, s, err)
		}
		if v, ok := os.LookupEnv("LISTEN_FDS"); ok {
			t.Errorf("%s: LISTEN_FDS=%q is left", c.name, v)
		}
	}
}

// TestInheritedRefused: what cannot be served is named.
func TestInheritedRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	file := func(l interface{ File() (*os.File, error) }) *os.File {
		f, err := l.File()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	plain, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	cfg := localConfig(t)
	cfg.Inherited = []Socket{
		{"mystery", file(l.(*net.TCPListener))},
		{"tls", file(u.(*net.UnixListener))},
		{"plain", plain},
	}
	_, err = New(cfg, text200("ok"))
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{
		`cannot serve inherited socket "mystery" (tcp ` + l.Addr().String() + `): no configured address is its own`,
		`cannot take over socket "tls": it is unix, not TCP or UDP`,
		`cannot take over socket "plain"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
}
