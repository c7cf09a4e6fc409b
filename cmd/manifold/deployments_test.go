package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const deployments = "../../deployments"

// unit is a file of systemd: section → key → values, in their order.
type unit map[string]map[string][]string

// readUnit reads a unit (systemd.syntax(7)).
func readUnit(t *testing.T, name string) unit {
	t.Helper()
	text := readDeployment(t, "systemd/"+name)
	u, section := unit{}, ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
			continue
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			section = line[1 : len(line)-1]
			u[section] = map[string][]string{}
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section == "" {
			t.Fatalf("%s:%d: %q is not a setting", name, i+1, line)
		}
		if !slices.Contains(strings.Fields(unitKeys[section]), key) {
			t.Errorf("%s:%d: [%s] has no %s=", name, i+1, section, key)
		}
		u[section][key] = append(u[section][key], value)
	}
	return u
}

// one gives the only value of a setting.
func (u unit) one(t *testing.T, section, key string) string {
	t.Helper()
	v := u[section][key]
	if len(v) != 1 {
		t.Fatalf("[%s] %s= is set %d times", section, key, len(v))
	}
	return v[0]
}

// unitKeys are the settings that these units may use (systemd.unit(5),
// systemd.service(5), systemd.socket(5), systemd.exec(5), systemd.kill(5),
// systemd.resource-control(5)).
var unitKeys = map[string]string{
	"Unit": "Description Documentation After Before Wants Requires StartLimitIntervalSec StartLimitBurst",
	"Service": "Type NotifyAccess ExecStart ExecReload KillSignal TimeoutStopSec TimeoutStartSec Restart RestartSec RestartPreventExitStatus Sockets" +
		" User Group UMask ConfigurationDirectory StateDirectory WorkingDirectory EnvironmentFile LimitNOFILE OOMScoreAdjust CapabilityBoundingSet" +
		" AmbientCapabilities NoNewPrivileges ProtectSystem ProtectHome PrivateTmp PrivateDevices DevicePolicy ProtectProc ProtectKernelTunables" +
		" ProtectKernelModules ProtectKernelLogs ProtectControlGroups ProtectClock ProtectHostname PrivateMounts RemoveIPC NoExecPaths ExecPaths" +
		" RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID LockPersonality MemoryDenyWriteExecute" +
		" SystemCallArchitectures SystemCallFilter SystemCallErrorNumber",
	"Socket":  "ListenStream ListenDatagram FileDescriptorName BindIPv6Only Backlog ReceiveBuffer SendBuffer Service",
	"Install": "WantedBy Also",
}

func readDeployment(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployments, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parses asks whether a command line is one of manifold's, flags and all.
func parses(args []string) error {
	c, rest, err := newRoot().Find(args)
	if err != nil {
		return err
	}
	if !c.Runnable() {
		return fmt.Errorf("%q is no command", args)
	}
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	return c.ValidateArgs(c.Flags().Args())
}

func TestService(t *testing.T) {
	u := readUnit(t, "manifold.service")
	const binary = "/usr/local/bin/manifold"
	start := strings.Fields(u.one(t, "Service", "ExecStart"))
	if start[0] != binary || u.one(t, "Service", "ExecPaths") != binary {
		t.Errorf("it runs %s, and may execute %s", start[0], u.one(t, "Service", "ExecPaths"))
	}
	if err := parses(start[1:]); err != nil || start[1] != "edge" {
		t.Errorf("%q: %v", start, err)
	}
	for _, reload := range u["Service"]["ExecReload"] {
		if args := strings.Fields(reload); args[0] == binary {
			if err := parses(args[1:]); err != nil || args[len(args)-1] != start[len(start)-1] {
				t.Errorf("%q: %v", reload, err)
			}
		} else if !strings.HasPrefix(reload, "+") || !strings.Contains(reload, "-HUP $MAINPID") {
			t.Errorf("%q is outside ExecPaths", reload)
		}
	}
	stop, err := strconv.Atoi(u.one(t, "Service", "TimeoutStopSec"))
	if err != nil || float64(stop) < drainTime.Seconds()+5 {
		t.Errorf("TimeoutStopSec=%d ends an edge that drains for %s", stop, drainTime)
	}
	if want := fmt.Sprint(exitUsage, exitConfig); u.one(t, "Service", "RestartPreventExitStatus") != want {
		t.Errorf("it is not started again after %s, want %s", u.one(t, "Service", "RestartPreventExitStatus"), want)
	}
	for key, want := range map[string]string{
		"Type": "notify", "KillSignal": "SIGTERM", "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE", "AmbientCapabilities": "CAP_NET_BIND_SERVICE",
		"NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes",
		"MemoryDenyWriteExecute": "yes", "NoExecPaths": "/", "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "SystemCallArchitectures": "native",
	} {
		if got := u.one(t, "Service", key); got != want {
			t.Errorf("%s=%s, want %s", key, got, want)
		}
	}
	if user := readDeployment(t, "systemd/manifold.sysusers"); !strings.Contains(user, "\nu "+u.one(t, "Service", "User")+" ") {
		t.Error("the service's user is not made")
	}
}

// TestSockets compares the socket units with what the edge takes over by name
// (proxy/listen).
func TestSockets(t *testing.T) {
	service := readUnit(t, "manifold.service")
	var names []string
	for file, want := range map[string][2]string{
		"manifold-plain.socket": {"plain", "ListenStream"},
		"manifold-tls.socket":   {"tls", "ListenStream"},
		"manifold-quic.socket":  {"quic", "ListenDatagram"},
	} {
		names = append(names, file)
		u := readUnit(t, file)
		if got := u.one(t, "Socket", "FileDescriptorName"); got != want[0] {
			t.Errorf("%s: FileDescriptorName=%s, want %s", file, got, want[0])
		}
		if port := u.one(t, "Socket", want[1]); port != "80" && port != "443" || (port == "80") != (want[0] == "plain") {
			t.Errorf("%s: %s=%s", file, want[1], port)
		}
		if u.one(t, "Socket", "Service") != "manifold.service" || u.one(t, "Install", "WantedBy") != "sockets.target" {
			t.Errorf("%s: %v", file, u)
		}
	}
	for _, list := range []string{service.one(t, "Service", "Sockets"), service.one(t, "Install", "Also")} {
		if got := strings.Fields(list); len(got) != len(names) || slices.ContainsFunc(got, func(n string) bool { return !slices.Contains(names, n) }) {
			t.Errorf("the service names %s, and there are %v", list, names)
		}
	}
	files, err := filepath.Glob(filepath.Join(deployments, "systemd", "*.socket"))
	if err != nil || len(files) != len(names) {
		t.Errorf("%v %v", files, err)
	}
}

// TestUnitsByAnalyze asks systemd's own reader, on a machine that has it.
func TestUnitsByAnalyze(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("there is no systemd-analyze here: the units were read by this test alone")
		return
	}
	dir := t.TempDir()
	binary, err := os.Executable() // any program: verify asks whether it is one
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(deployments, "systemd", "manifold*.*"))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--man=no", "verify"}
	for _, file := range files {
		if strings.HasSuffix(file, ".sysusers") {
			continue
		}
		text := strings.ReplaceAll(readDeployment(t, "systemd/"+filepath.Base(file)), "/usr/local/bin/manifold", binary)
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "./"+filepath.Base(file))
	}
	run := func(args ...string) string {
		cmd := exec.Command(analyze, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if out := run(args...); strings.Contains(out, dir) || strings.Contains(out, "manifold") {
		t.Errorf("systemd-analyze verify says:\n%s", out)
	}
	out := run("--no-pager", "security", "--offline=true", "./manifold.service")
	level := regexp.MustCompile(`exposure level for manifold.service: ([\d.]+)`).FindStringSubmatch(out)
	if level == nil {
		t.Fatalf("systemd-analyze security says:\n%s", out)
	}
	if f, err := strconv.ParseFloat(level[1], 64); err != nil || f > 2 {
		t.Errorf("the service is exposed by %s", level[1])
	}
}

// TestSysctl reads the kernel's settings: each has a value of its type, and a
// reason.
func TestSysctl(t *testing.T) {
	reason, n := false, 0
	for i, line := range strings.Split(readDeployment(t, "sysctl/90-manifold.conf"), "\n") {
		switch {
		case line == "":
			reason = false
			continue
		case line[0] == '#':
			reason = true
			continue
		}
		n++
		key, value, ok := strings.Cut(line, " = ")
		if !ok || !strings.HasPrefix(key, "net.") || strings.Trim(value, "0123456789 ") != "" && value != "fq" {
			t.Errorf("line %d: %q", i+1, line)
		}
		if !reason {
			t.Errorf("line %d: %s has no reason", i+1, key)
		}
		// A network namespace shows only some of them.
		path := "/proc/sys/" + strings.ReplaceAll(key, ".", "/")
		if have, err := os.ReadFile(path); err == nil && len(strings.Fields(string(have))) != len(strings.Fields(value)) {
			t.Errorf("line %d: the kernel has %q for %s", i+1, have, key)
		}
	}
	if n < 8 {
		t.Errorf("%d settings", n)
	}
}

// step is an instruction of a Containerfile.
type step struct {
	word, rest string
}

// readContainerfile gives the instructions of each stage, by its name.
func readContainerfile(t *testing.T) (order []string, stages map[string][]step) {
	t.Helper()
	stages = make(map[string][]step)
	text := strings.ReplaceAll(readDeployment(t, "container/Containerfile"), "\\\n", "")
	known := strings.Fields("FROM WORKDIR COPY RUN USER VOLUME EXPOSE STOPSIGNAL ENTRYPOINT CMD")
	name := ""
	for _, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if !slices.Contains(known, word) {
			t.Fatalf("%q is no instruction", line)
		}
		if word == "FROM" {
			var ok bool
			if _, name, ok = strings.Cut(rest, " AS "); !ok {
				t.Fatalf("%q has no name", line)
			}
			order = append(order, name)
		}
		stages[name] = append(stages[name], step{word, rest})
	}
	return order, stages
}

func words(stage []step, word string) (all []string) {
	for _, s := range stage {
		if s.word == word {
			all = append(all, s.rest)
		}
	}
	return all
}

// exec reads the JSON form of ENTRYPOINT and CMD.
func execForm(t *testing.T, stage []step, word string) (args []string) {
	t.Helper()
	all := words(stage, word)
	if len(all) != 1 {
		t.Fatalf("%s stands %d times", word, len(all))
	}
	if err := yaml.Unmarshal([]byte(all[0]), &args); err != nil {
		t.Fatalf("%s %s: %v", word, all[0], err)
	}
	return args
}

func TestContainerfile(t *testing.T) {
	order, stages := readContainerfile(t)
	for _, name := range []string{"edge", "demo"} {
		stage := stages[name]
		for _, user := range words(stage, "USER") {
			if uid, _, ok := strings.Cut(user, ":"); !ok || uid == "0" || strings.Trim(uid, "0123456789") != "" {
				t.Errorf("%s: USER %s", name, user)
			}
		}
		if len(words(stage, "USER")) != 1 {
			t.Errorf("%s has no user", name)
		}
		entry := execForm(t, stage, "ENTRYPOINT")
		if len(entry) != 1 || !filepath.IsAbs(entry[0]) {
			t.Errorf("%s: ENTRYPOINT %q", name, entry)
		}
		copied := false
		for _, c := range words(stage, "COPY") {
			from, rest, ok := strings.Cut(strings.TrimPrefix(c, "--from="), " ")
			if !strings.HasPrefix(c, "--from=") || !ok || slices.Index(order, from) < 0 || slices.Index(order, from) > slices.Index(order, name) {
				t.Errorf("%s: COPY %s", name, c)
			}
			copied = copied || rest == "/src/bin/manifold "+entry[0]
		}
		if !copied {
			t.Errorf("%s: nothing puts the binary to %s", name, entry[0])
		}
		if err := parses(execForm(t, stage, "CMD")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if from := words(stages["edge"], "FROM"); from[0] != "scratch AS edge" || len(words(stages["edge"], "RUN")) != 0 {
		t.Errorf("the edge is %v", stages["edge"])
	}
	if order[len(order)-1] != "edge" {
		t.Errorf("the image without --target is %s", order[len(order)-1])
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range words(stages["build"], "RUN") {
		if target, ok := strings.CutPrefix(run, "make "); !ok || !strings.Contains(string(makefile), "\n"+target+":") || !strings.Contains(string(makefile), "-o bin/manifold") {
			t.Errorf("build: RUN %s", run)
		}
	}
	gomod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`\ngo (\d+\.\d+)`).FindSubmatch(gomod)
	if from := words(stages["build"], "FROM")[0]; !strings.Contains(from, "golang:"+string(version[1])+"-") {
		t.Errorf("go.mod wants Go %s, the build has %s", version[1], from)
	}
	for _, ignored := range strings.Split(readDeployment(t, "container/Containerfile.dockerignore"), "\n") {
		if strings.Contains(ignored, "go.mod") || strings.Contains(ignored, "scripts") {
			t.Errorf("the build needs %s", ignored)
		}
	}
}

func TestCompose(t *testing.T) {
	type service struct {
		Profiles    []string          `yaml:"profiles"`
		Build       map[string]string `yaml:"build"`
		NetworkMode string            `yaml:"network_mode"`
		Ports       []string          `yaml:"ports"`
		Volumes     []string          `yaml:"volumes"`
		StopGrace   string            `yaml:"stop_grace_period"`
		ReadOnly    bool              `yaml:"read_only"`
		Tmpfs       []string          `yaml:"tmpfs"`
		CapDrop     []string          `yaml:"cap_drop"`
		Security    []string          `yaml:"security_opt"`
		Restart     string            `yaml:"restart"`
		Sysctls     map[string]int    `yaml:"sysctls"`
		Ulimits     map[string]int    `yaml:"ulimits"`
	}
	var file struct {
		Services map[string]service        `yaml:"services"`
		Volumes  map[string]map[string]any `yaml:"volumes"`
	}
	text := readDeployment(t, "container/compose.yml")
	if err := yaml.NewDecoder(strings.NewReader(text), yaml.Strict()).Decode(&file); err != nil {
		t.Fatal(err)
	}
	_, stages := readContainerfile(t)
	for name, s := range file.Services {
		if stages[s.Build["target"]] == nil {
			t.Errorf("%s: there is no stage %s", name, s.Build["target"])
		}
		if _, err := os.Stat(filepath.Join(deployments, "container", s.Build["context"], s.Build["dockerfile"])); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.Security, []string{"no-new-privileges:true"}) || s.StopGrace != "40s" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if len(file.Services) != 2 {
		t.Errorf("%d services", len(file.Services))
	}
	if cmd := execForm(t, stages["demo"], "CMD"); file.Services["demo"].Volumes[0] != "state:"+cmd[len(cmd)-1] {
		t.Errorf("the demo keeps its state in %q, and the volume is %s", cmd, file.Services["demo"].Volumes[0])
	}
	// The edge's file is read by the edge's reader, with the ports that are
	// mapped.
	edge := file.Services["edge"]
	from, to, _ := strings.Cut(strings.TrimSuffix(edge.Volumes[0], ":ro"), ":")
	cmd := execForm(t, stages["edge"], "CMD")
	if filepath.Dir(cmd[len(cmd)-1]) != to {
		t.Errorf("the edge reads %s, and %s is there", cmd[len(cmd)-1], to)
	}
	name := filepath.Join(deployments, "container", from, filepath.Base(cmd[len(cmd)-1]))
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"config", "check", name}, nil, &out, &errs); code != 0 {
		t.Errorf("exit %d: %s%s", code, out.String(), errs.String())
	}
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []string{":8080", ":8443", ":9090"} {
		if !bytes.Contains(body, []byte(port)) || !strings.Contains(strings.Join(edge.Ports, " "), port) {
			t.Errorf("port %s is not in both %s and compose.yml", port, name)
		}
	}
}
