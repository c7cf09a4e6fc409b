package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"manifold/proxy"
)

// drained is an edge whose drains are looked at.
type drained struct {
	set, id string
	drain   *proxy.Drain
	ready   error
}

func (e *drained) Pathways() []proxy.PathwayStatus {
	return []proxy.PathwayStatus{{Set: "main", ID: "alpha", Weight: 1, Health: "healthy", Drain: e.drain}}
}

func (e *drained) SetDrain(set, id string, d *proxy.Drain) error {
	if set != "main" || id != "alpha" {
		return errors.New("there is no such pathway")
	}
	e.set, e.id, e.drain = set, id, d
	return nil
}

func (e *drained) Ready() error { return e.ready }

// ask makes a request with header fields, each "Name: value".
func ask(c *Console, method, target, body string, fields ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

func newTestConsole(cfg Config, e Edge) *Console {
	return New(cfg, e, slog.New(slog.DiscardHandler), func() time.Time { return time.Date(2026, 11, 23, 20, 0, 0, 0, time.FixedZone("CET", 3600)) })
}

const (
	asJSON = "Content-Type: application/json"
	bearer = "Authorization: Bearer " + testToken
	drain  = "http://localhost/api/v1/pathways/main/alpha/drain"
)

// A change needs the token, in this one form; without a token in the
// configuration nothing can be changed.
func TestChangesNeedTheToken(t *testing.T) {
	const body = `{"who":"ann","why":"works"}`
	for _, c := range []struct {
		token  string
		fields []string
		status int
	}{
		{testToken, []string{bearer}, 200},
		{testToken, []string{"Authorization: bearer " + testToken}, 200}, // RFC 9110, 11.1: the scheme has no case
		{testToken, nil, 401},
		{testToken, []string{"Authorization: Bearer"}, 401},
		{testToken, []string{"Authorization: Bearer "}, 401},
		{testToken, []string{"Authorization: Bearer  " + testToken}, 401},
		{testToken, []string{"Authorization: Basic " + testToken}, 401},
		{testToken, []string{bearer + "x"}, 401},
		{testToken, []string{"Cookie: token=" + testToken}, 401},
		{"", nil, 403},
		{"", []string{"Authorization: Bearer "}, 403},
	} {
		e := &drained{}
		w := ask(newTestConsole(Config{Token: c.token}, e), "PUT", drain, body, append(c.fields, asJSON)...)
		if w.Code != c.status || (e.drain != nil) != (c.status == 200) {
			t.Errorf("token %q, %v: status %d, drain %v", c.token, c.fields, w.Code, e.drain)
		}
		if c.status == 401 && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%v: no challenge", c.fields)
		}
	}
}

// The token that a reload brings is the one that counts.
func TestSet(t *testing.T) {
	c := newTestConsole(Config{Token: testToken}, &drained{})
	c.Set(Config{Token: "another", Hosts: []string{"admin.example"}})
	if w := ask(c, "DELETE", drain, "", bearer); w.Code != 401 {
		t.Errorf("the old token: %d", w.Code)
	}
	if w := ask(c, "DELETE", "http://admin.example/api/v1/pathways/main/alpha/drain", "", "Authorization: Bearer another"); w.Code != 200 {
		t.Errorf("the new token: %d", w.Code)
	}
}

// No name of a foreign page's own leads to the API (DNS rebinding).
func TestHosts(t *testing.T) {
	c := newTestConsole(Config{Hosts: []string{"Admin.example"}}, &drained{})
	for host, good := range map[string]bool{
		"localhost": true, "localhost:9090": true, "edge.localhost:9090": true, "127.0.0.1:9090": true, "10.1.2.3": true,
		"[::1]:9090": true, "[fe80::1]": true, "admin.example:80": true, "ADMIN.EXAMPLE": true,
		"evil.example": false, "localhost.evil.example": false, "xlocalhost": false, "admin.example.evil": false, "": false, "127.0.0.1.evil.example": false,
	} {
		r := httptest.NewRequest("GET", "http://x/healthz", nil)
		r.Host = host
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		if (w.Code == 200) != good || !good && w.Code != http.StatusMisdirectedRequest {
			t.Errorf("host %q: status %d", host, w.Code)
		}
	}
}

func TestDrain(t *testing.T) {
	e := &drained{}
	c := newTestConsole(Config{Token: testToken}, e)
	w := ask(c, "PUT", drain, `{"who":"ann","why":"works at the CDN","until":"2026-11-23T21:00:00Z"}`, bearer, asJSON)
	if w.Code != 200 || e.drain == nil || e.drain.Who != "ann" || e.drain.Until.Hour() != 21 {
		t.Fatalf("%d %s: %+v", w.Code, w.Body, e.drain)
	}
	if since := e.drain.Since; since.Location() != time.UTC || since.Hour() != 19 {
		t.Errorf("since %v, want the clock's time, in UTC", since)
	}
	var list []proxy.PathwayStatus
	if w = ask(c, "GET", "http://localhost/api/v1/pathways", ""); json.Unmarshal(w.Body.Bytes(), &list) != nil || len(list) != 1 || list[0].Drain.Why != "works at the CDN" {
		t.Errorf("%s", w.Body)
	}
	if w = ask(c, "DELETE", drain, "", bearer); w.Code != 200 || e.drain != nil {
		t.Errorf("undone: %d, %+v", w.Code, e.drain)
	}
	for _, q := range []struct {
		body   string
		status int
	}{
		{`{"who":"ann"}`, 422},
		{`{"who":" ","why":"x"}`, 422},
		{`{"who":"ann","why":"` + strings.Repeat("x", 600) + `"}`, 422},
		{`{"who":"ann","why":"x","until":"2026-11-23T18:00:00Z"}`, 422},
		{`{"who":"ann","why":"x","until":"tomorrow"}`, 400},
	} {
		if w := ask(c, "PUT", drain, q.body, bearer, asJSON); w.Code != q.status || e.drain != nil {
			t.Errorf("%.40s: %d, want %d", q.body, w.Code, q.status)
		}
	}
	if w := ask(c, "PUT", "http://localhost/api/v1/pathways/main/beta/drain", `{"who":"a","why":"b"}`, bearer, asJSON); w.Code != 404 {
		t.Errorf("an unknown pathway: %d", w.Code)
	}
}

// A body is one JSON value that is read in one way only.
func TestBodies(t *testing.T) {
	for _, q := range []struct {
		name, body, kind string
		status           int
		says             string
	}{
		{"good", `{"who":"a","why":"b"}`, asJSON, 200, ""},
		{"with a parameter", `{"who":"a","why":"b"}`, asJSON + "; charset=utf-8", 200, ""},
		{"spaces around", " {\"who\":\"a\",\n\"why\":\"b\"} \n", asJSON, 200, ""},
		{"a form", `who=a&why=b`, "Content-Type: application/x-www-form-urlencoded", 415, "application/json"},
		{"plain text", `{"who":"a","why":"b"}`, "Content-Type: text/plain", 415, "application/json"},
		{"no kind", `{"who":"a","why":"b"}`, "X: y", 415, "application/json"},
		{"empty", ``, asJSON, 400, "empty"},
		{"unknown name", `{"who":"a","why":"b","when":"c"}`, asJSON, 400, "when"},
		{"a name twice", `{"who":"a","why":"b","who":"c"}`, asJSON, 400, `"who" is there twice`},
		{"two values", `{"who":"a","why":"b"}{}`, asJSON, 400, "follows"},
		{"rubbish behind", `{"who":"a","why":"b"} x`, asJSON, 400, "follows"},
		{"cut", `{"who":"a"`, asJSON, 400, "unexpected EOF"},
		{"wrong kind", `[]`, asJSON, 400, "cannot"},
		{"too large", `{"who":"a","why":"` + strings.Repeat("x", maxBody) + `"}`, asJSON, 413, "too large"},
		{"deep", strings.Repeat("[", 20_000), asJSON, 400, "cannot"},
	} {
		w := ask(newTestConsole(Config{Token: testToken}, &drained{}), "PUT", drain, q.body, bearer, q.kind)
		var told struct{ Error string }
		if q.status != 200 {
			if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil {
				t.Errorf("%s: the error is not JSON: %s", q.name, w.Body)
			}
		}
		if w.Code != q.status || !strings.Contains(told.Error, q.says) {
			t.Errorf("%s: %d %s, want %d with %q", q.name, w.Code, told.Error, q.status, q.says)
		}
	}
}

func TestReady(t *testing.T) {
	e := &drained{}
	c := newTestConsole(Config{}, e)
	for _, q := range []struct {
		path   string
		err    error
		status int
	}{
		{"/readyz", nil, 200}, {"/readyz", errors.New("no configuration"), 503},
		{"/healthz", errors.New("no configuration"), 200},
	} {
		e.ready = q.err
		if w := ask(c, "GET", "http://localhost"+q.path, ""); w.Code != q.status {
			t.Errorf("%s with %v: %d", q.path, q.err, w.Code)
		}
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
		if got := ask(c, "GET", "http://localhost/healthz", "").Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, method := range []string{"POST", "OPTIONS", "GET"} {
		w := ask(c, method, drain, "", "Origin: https://evil.example", "Access-Control-Request-Method: PUT")
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d, %v", method, w.Code, w.Header())
		}
	}
}

// reloading is a reload that ends as the test wants it.
type reloading struct {
	report any
	err    error
}

func (r reloading) Reload() (any, error) { return r.report, r.err }

type spelled struct{}

func (spelled) Error() string                { return "plain" }
func (spelled) MarshalJSON() ([]byte, error) { return []byte(`{"error":"spelled","line":7}`), nil }

func TestReload(t *testing.T) {
	for _, q := range []struct {
		end    reloading
		status int
		body   string
	}{
		{reloading{report: map[string]int{"changed": 2}}, 200, `{"changed":2}`},
		{reloading{err: errors.New("no such file")}, 422, `{"error":"no such file"}`},
		{reloading{err: spelled{}}, 422, `{"error":"spelled","line":7}`},
	} {
		c := newTestConsole(Config{Token: testToken}, &drained{})
		c.AddReload(q.end)
		w := ask(c, "POST", "http://localhost/api/v1/reload", "", bearer)
		body, _ := io.ReadAll(w.Body)
		if w.Code != q.status || string(bytes.TrimSpace(body)) != q.body {
			t.Errorf("%+v: %d %s", q.end, w.Code, body)
		}
		if w := ask(c, "POST", "http://localhost/api/v1/reload", ""); w.Code != 401 {
			t.Errorf("without the token: %d", w.Code)
		}
	}
}
