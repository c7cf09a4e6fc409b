package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// activatedVar makes this test binary the edge that a service manager starts.
const activatedVar = "MANIFOLD_TEST_ACTIVATED"

// TestActivated is the edge of TestSocketActivation, in a process of its own.
func TestActivated(*testing.T) {
	file := os.Getenv(activatedVar)
	if file == "" {
		return
	}
	// systemd sets it between fork and exec; nobody else knows the number.
	if err := os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid())); err != nil {
		os.Exit(100)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, []string{"edge", "--config", file}, os.Stdin, os.Stdout, os.Stderr))
}

// samePort opens a TCP and a UDP socket of one port.
func samePort(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	for range 32 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			return l, p
		}
		_ = l.Close()
	}
	t.Fatal("no port is free on both TCP and UDP")
	return nil, nil
}

// TestSocketActivation starts an edge as systemd would by the units of
// deployments/: with their sockets under their names, told when it is ready,
// stopped by SIGTERM.
func TestSocketActivation(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "manifold.yml")
	config := "listen: {plain: [], self_made: tls, deadlines: {drain: none}}\nlog: {level: error}\n" +
		"channels:\n  - {name: news, origin: \"https://origin.example/\", pathways: [\"https://cdn.example\"]}\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()

	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	admin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secure, quic := samePort(t)
	sockets := map[string]interface{ File() (*os.File, error) }{
		"manifold-plain.socket": plain.(*net.TCPListener), "manifold-tls.socket": secure.(*net.TCPListener), "manifold-quic.socket": quic.(*net.UDPConn),
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestActivated$")
	var names []string
	add := func(name string, s interface{ File() (*os.File, error) }) {
		f, err := s.File()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		names = append(names, name)
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	for unit, s := range sockets {
		add(readUnit(t, unit).one(t, "Socket", "FileDescriptorName"), s)
	}
	add("admin", admin.(*net.TCPListener))
	cmd.Env = append(os.Environ(), activatedVar+"="+file, "NOTIFY_SOCKET="+notify.LocalAddr().String(),
		"LISTEN_FDS="+strconv.Itoa(len(names)), "LISTEN_FDNAMES="+strings.Join(names, ":"))
	var told bytes.Buffer
	cmd.Stdout, cmd.Stderr = &told, &told
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		_ = notify.SetReadDeadline(time.Now()) // nobody tells anything any more
	}()
	defer func() {
		_ = cmd.Process.Kill() // it has ended, unless the test failed
	}()
	_ = notify.SetReadDeadline(time.Now().Add(time.Minute))
	expect := func(state string) {
		t.Helper()
		buf := make([]byte, 1024)
		n, err := notify.Read(buf)
		if err != nil || !strings.HasPrefix(string(buf[:n]), state) {
			_ = cmd.Process.Kill()
			<-ended
			t.Fatalf("the service manager was told %q (%v), want %s\n%s", buf[:n], err, state, told.String())
		}
	}
	expect("READY=1")

	insecure := &tls.Config{InsecureSkipVerify: true} // it made its certificate itself
	h1 := &http.Client{}
	h2 := &http.Client{Transport: &http.Transport{TLSClientConfig: insecure, ForceAttemptHTTP2: true}}
	t3 := &http3.Transport{TLSClientConfig: insecure}
	defer t3.Close()
	for _, c := range []struct {
		client *http.Client
		url    string
		proto  string
		status int
	}{
		{h1, "http://" + plain.Addr().String() + "/elsewhere/x.m3u8", "HTTP/1.1", 404},
		{h2, "https://" + secure.Addr().String() + "/elsewhere/x.m3u8", "HTTP/2.0", 404},
		{&http.Client{Transport: t3}, "https://" + quic.LocalAddr().String() + "/elsewhere/x.m3u8", "HTTP/3.0", 404},
		{h1, "http://" + admin.Addr().String() + "/readyz", "HTTP/1.1", 200},
	} {
		res, err := c.client.Get(c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.Proto != c.proto || res.StatusCode != c.status {
			t.Errorf("%s: %s %d, want %s %d", c.url, res.Proto, res.StatusCode, c.proto, c.status)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	expect("STOPPING=1")
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v\n%s", err, told.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatal(fmt.Sprint("it does not end\n", told.String()))
	}
}
