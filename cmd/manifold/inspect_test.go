package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"manifold/inspect"
)

const (
	finePlaylist = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n"
	badPlaylist  = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:9,\na.ts\n#EXT-X-ENDLIST\n"
)

func TestInspectCommand(t *testing.T) {
	dir := t.TempDir()
	file := func(name, body string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fine, bad := file("fine.m3u8", finePlaylist), file("bad.m3u8", badPlaylist)
	master := file("master.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"mp4a.40.2\"\nbad.m3u8\n")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "v: w" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		_, _ = w.Write([]byte(finePlaylist))
	}))
	t.Cleanup(s.Close)
	for _, c := range []struct {
		args     []string
		in       string
		code     int
		out, err string // parts of what is printed
	}{
		{[]string{fine}, "", 0, "No problems found.", ""},
		{[]string{bad}, "", exitThreshold, "a segment of 9 s is longer", "the manifest has 1 error"},
		{[]string{"-"}, badPlaylist, exitThreshold, "standard input", "1 error"},
		{[]string{master}, "", 0, "No problems found.", ""},
		{[]string{master, "--deep"}, "", exitThreshold, "bad.m3u8", "1 error"},
		{[]string{filepath.Join(dir, "nothing")}, "", exitFailed, "", "cannot read the manifest"},
		{[]string{}, "", exitUsage, "", "manifold"},
		{[]string{fine, bad}, "", exitUsage, "", "manifold"},
		{[]string{fine, "--nothing"}, "", exitUsage, "", "nothing"},
		{[]string{s.URL, "--header", "X-Key: v: w"}, "", 0, "HTTP/1.1 200", ""},
		{[]string{s.URL}, "", exitFailed, "", "a token may be missing"},
		{[]string{s.URL, "--header", "nonsense"}, "", exitUsage, "", "Name: value"},
		{[]string{s.URL, "--ca", fine}, "", exitUsage, "", "no certificate"},
		{[]string{"http://"}, "", exitUsage, "", "names no host"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"inspect"}, c.args...), strings.NewReader(c.in), &out, &errs)
		if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.err) {
			t.Errorf("%q: exit %d, printed %q, told %q; want %d, %q, %q", c.args, code, out.String(), errs.String(), c.code, c.out, c.err)
		}
		if strings.Contains(out.String(), "\x1b") {
			t.Errorf("%q: colours in what is no terminal", c.args)
		}
	}
}

func TestInspectJSON(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"inspect", "--json", "-"}, strings.NewReader(badPlaylist), &out, &errs); code != exitThreshold {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	var r inspect.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if r.Kind != "hls-media" || r.Media.Segments != 1 || r.Errors() != 1 || r.Problems[0].Line != 3 {
		t.Errorf("%+v", r)
	}
}
