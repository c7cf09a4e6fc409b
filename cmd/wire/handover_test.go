package wire

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// childVar makes this test binary an edge: the process that takes over.
const childVar = "MANIFOLD_TEST_EDGE"

func TestMain(m *testing.M) {
	file := os.Getenv(childVar)
	if file == "" {
		os.Exit(m.Run())
	}
	e, err := StartEdge(file, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error())
		os.Exit(1)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test closes it
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := e.Stop(ctx); err != nil {
		os.Exit(1)
	}
}

// Another process takes over under load: no request fails, viewers keep their
// sessions, and the old edge is gone.
func TestHandOver(t *testing.T) {
	r := newRig(t, strings.Replace(channelFile("https://one.example"), `plain: "127.0.0.1:0"`, `plain: "127.0.0.1:0", deadlines: {drain: 300ms}`, 1))
	url := "http://" + r.edge.PlainAddr().String() + "/news/master.m3u8?device=hlsjs"
	_, before := r.get(http.DefaultClient, "/news/master.m3u8?device=hlsjs")
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var answered, late atomic.Int64
	for i := range 3 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i == 0}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				res, err := client.Get(url)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || res.StatusCode != http.StatusOK || string(body) != before {
					t.Errorf("%s, %v: %s", res.Status, err, body)
					return
				}
				answered.Add(1)
				late.Add(1)
			}
		})
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVar+"="+r.file())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := r.edge.HandOver(ctx, cmd); err != nil {
		t.Fatal(err)
	}
	if err := r.edge.Stop(ctx); err != nil {
		t.Error(err)
	}
	late.Store(0)
	for late.Load() < 20 && !t.Failed() {
		_, after := r.get(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "/news/master.m3u8?device=hlsjs")
		if after != before {
			t.Errorf("the new process answers %s", after)
			break
		}
	}
	if status, body := r.call("GET", "/readyz", ""); status != http.StatusOK {
		t.Errorf("the new admin side: %d %s", status, body)
	}
	close(stop)
	clients.Wait()
	_ = stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the new process: %v", err)
	}
	if answered.Load() < 30 {
		t.Errorf("%d requests were answered", answered.Load())
	}
}

// A process that does not come up changes nothing.
func TestHandOverFails(t *testing.T) {
	r := newRig(t, channelFile("https://one.example"))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	broken := exec.Command(self)
	broken.Env = append(os.Environ(), childVar+"="+r.dir+"/none.yml")
	for _, cmd := range []*exec.Cmd{broken, exec.Command(r.dir + "/none")} {
		if err := r.edge.HandOver(t.Context(), cmd); err == nil {
			t.Errorf("%v took over", cmd)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	slow := exec.Command(self)
	slow.Env = append(os.Environ(), childVar+"="+r.file())
	if err := r.edge.HandOver(ctx, slow); err == nil {
		t.Error("it did not wait until the process was ready")
	}
	if status, body := r.get(http.DefaultClient, "/news/master.m3u8"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}
