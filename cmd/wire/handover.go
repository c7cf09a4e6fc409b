package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"manifold/proxy/listen"
)

// readyVar names the descriptor on which a process that took over says that it
// is ready.
const readyVar = "MANIFOLD_READY_FD"

// HandOver starts cmd with this edge's listening sockets, so that no
// connection is refused while a new binary or a restart takes over, and
// returns when it serves. The caller then stops this edge. On an error, as when
// ctx ends first, the new process is gone and this edge serves on.
func (e *Edge) HandOver(ctx context.Context, cmd *exec.Cmd) error {
	files, env, err := e.sockets()
	if err != nil {
		return fmt.Errorf("cannot hand over: %w", err)
	}
	ready, says, err := os.Pipe()
	if err != nil {
		closeAll(files)
		return fmt.Errorf("cannot hand over: %w", err)
	}
	defer ready.Close()
	cmd.ExtraFiles = append(files, says) // descriptors from 3 on
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, append(env, readyVar+"="+strconv.Itoa(2+len(cmd.ExtraFiles)))...)
	err = cmd.Start()
	closeAll(cmd.ExtraFiles)
	if err != nil {
		return fmt.Errorf("cannot hand over: %w", err)
	}
	heard := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(ready, make([]byte, 1))
		heard <- err
	}()
	select {
	case err = <-heard:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		e.log.Info("another process serves now", "pid", cmd.Process.Pid)
		e.handed.Store(true)
		e.notify(fmt.Sprintf("MAINPID=%d", cmd.Process.Pid))
		return nil
	}
	_ = cmd.Process.Kill()
	if died := cmd.Wait(); errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot hand over: the new process ended before it served: %w", died)
	}
	return fmt.Errorf("cannot hand over: the new process is not ready: %w", err)
}

// sockets gives copies of all listening sockets and the environment that says
// which they are.
func (e *Edge) sockets() ([]*os.File, []string, error) {
	files, env, err := e.listener.HandOver()
	if err != nil {
		return nil, nil, err
	}
	ln, ok := e.adminLn.(*net.TCPListener)
	if !ok {
		closeAll(files)
		return nil, nil, errors.New("the admin side does not listen on TCP")
	}
	admin, err := listen.Duplicate(ln, adminSocket)
	if err != nil {
		closeAll(files)
		return nil, nil, err
	}
	files = append(files, admin)
	env = slices.Clone(env)
	for i, v := range env {
		switch name, value, _ := strings.Cut(v, "="); name {
		case "LISTEN_FDS":
			env[i] = name + "=" + strconv.Itoa(len(files))
		case "LISTEN_FDNAMES":
			env[i] = name + "=" + value + ":" + adminSocket
		}
	}
	return files, env, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // a copy of what stays open
	}
}

// tellParent says to the process that handed over, if one did, that this one
// serves.
func tellParent() error {
	text, ok := os.LookupEnv(readyVar)
	if !ok {
		return nil
	}
	if err := os.Unsetenv(readyVar); err != nil {
		return fmt.Errorf("cannot tell the process before: %w", err)
	}
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 {
		return fmt.Errorf("cannot tell the process before: %s is %q", readyVar, text)
	}
	f := os.NewFile(uintptr(fd), "ready")
	defer f.Close()
	if _, err := f.Write([]byte{1}); err != nil {
		return fmt.Errorf("cannot tell the process before: %w", err)
	}
	return nil
}
