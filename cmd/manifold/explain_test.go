package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// The command finds the edge's admin side and its token in the configuration,
// and takes --diff alone, with "=" and with a space.
func TestExplainAsks(t *testing.T) {
	var (
		mu    sync.Mutex
		asked []question
	)
	edge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer the-token-of-the-admin" {
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"error":"send the admin token"}`)
			return
		}
		var q question
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		mu.Lock()
		asked = append(asked, q)
		mu.Unlock()
		io.WriteString(w, `{"trace":{},"status":200}`)
	}))
	defer edge.Close()
	address := strings.TrimPrefix(edge.URL, "http://")
	dir := folder(t, map[string]string{
		"manifold.yml": "admin: {address: \"" + address + "\", token: \"file:admin.token\"}\n",
		"admin.token":  "the-token-of-the-admin\n", "other.token": "another-token-of-16-bytes",
		"bare.yml": "admin: \"" + address + "\"\n", "bad.yml": "admin: {addres: x}\n",
	})
	t.Chdir(dir)
	t.Setenv("MANIFOLD_ADMIN_TOKEN", "")
	all := question{URL: "http://e/x", From: "DE", Device: "shaka"}
	for _, c := range []struct {
		line string
		code int
		err  string
		want []question
	}{
		{"explain http://e/x --from DE --device shaka", 0, "", []question{all}},
		{"explain http://e/x --from DE --device shaka --diff", 0, "", []question{all, {URL: "http://e/x"}}},
		{"explain http://e/x --from DE --device shaka --diff from=FR", 0, "", []question{all, {URL: "http://e/x", From: "FR", Device: "shaka"}}},
		{"explain http://e/x --from DE --device shaka --diff=from=FR,tier=gold", 0, "", []question{all, {URL: "http://e/x", From: "FR", Device: "shaka", Tier: "gold"}}},
		{"explain -c bare.yml http://e/x --from DE --device shaka --token file:admin.token", 0, "", []question{all}},
		{"explain -c none.yml http://e/x --from DE --device shaka --token file:admin.token --admin " + edge.URL + "/", 0, "", []question{all}},
		{"explain http://e/x --token file:other.token", exitFailed, "send the admin token", nil},
		{"explain -c bare.yml http://e/x", exitUsage, "name it by admin.token in bare.yml", nil},
		{"explain -c bad.yml http://e/x", exitConfig, "bad.yml:1:9: admin.addres: unknown key", nil},
		{"explain http://e/x http://e/y", exitUsage, "accepts 1 arg", nil},
		{"explain http://e/x --diff nonsense", exitUsage, "write KEY=VALUE", []question{{URL: "http://e/x"}}},
	} {
		asked = nil
		got := cli(t, "", strings.Fields(c.line)...)
		if got.code != c.code || !strings.Contains(got.err, c.err) {
			t.Errorf("%s: code %d, want %d; it said %q", c.line, got.code, c.code, got.err)
		}
		if len(asked) != len(c.want) {
			t.Errorf("%s: asked %v, want %v", c.line, asked, c.want)
			continue
		}
		for i := range asked {
			if asked[i] != c.want[i] {
				t.Errorf("%s: asked %+v, want %+v", c.line, asked[i], c.want[i])
			}
		}
	}
}

func TestAdminURL(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1:9090": "http://127.0.0.1:9090", ":9090": "http://localhost:9090", "0.0.0.0:1": "http://localhost:1",
		"[::]:9090": "http://localhost:9090", "[2001:db8::1]:80": "http://[2001:db8::1]:80", "edge.example:1": "http://edge.example:1", "nonsense": "",
	} {
		if got := adminURL(in); got != want {
			t.Errorf("adminURL(%q) = %q, want %q", in, got, want)
		}
	}
}
