package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"manifold/proxy"
)

// Edge is what the console shows and changes of a running edge.
type Edge interface {
	Pathways() []proxy.PathwayStatus
	SetDrain(set, id string, d *proxy.Drain) error
	// Ready tells nil when the edge serves.
	Ready() error
}

// Config is the admin listener's.
type Config struct {
	// Token is what a write must carry as "Authorization: Bearer …"; empty
	// refuses all writes.
	Token string
	// Hosts are further host names under which the listener may be addressed,
	// beside localhost and addresses. Others are refused, so that no web page
	// can reach the API by rebinding its own name to this address.
	Hosts []string
}

// Console serves the admin side. Handle adds further parts of the API.
type Console struct {
	cfg  Config
	edge Edge
	mux  *http.ServeMux
	log  *slog.Logger
	now  func() time.Time
}

// New makes the admin side of an edge.
func New(cfg Config, edge Edge, log *slog.Logger, now func() time.Time) *Console {
	c := &Console{cfg: cfg, edge: edge, mux: http.NewServeMux(), log: log, now: now}
	c.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	c.mux.HandleFunc("GET /readyz", c.ready)
	c.mux.HandleFunc("GET /api/v1/pathways", c.pathways)
	c.Write("PUT /api/v1/pathways/{set}/{id}/drain", c.drain)
	c.Write("DELETE /api/v1/pathways/{set}/{id}/drain", c.undrain)
	return c
}

// Read adds a handler that anybody who reaches the listener may call.
func (c *Console) Read(pattern string, h http.HandlerFunc) { c.mux.HandleFunc(pattern, h) }

// Write adds a handler that needs the token. A token in a header cannot be
// sent by a foreign page without a preflight, which is never granted: that is
// the protection against cross-site requests.
func (c *Console) Write(pattern string, h http.HandlerFunc) {
	c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if !c.authorised(r) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="manifold admin"`)
			Error(w, http.StatusUnauthorized, errors.New("this call changes something: send the admin token as Authorization: Bearer …"))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		h(w, r)
	})
}

func (c *Console) authorised(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || c.cfg.Token == "" {
		return false
	}
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(c.cfg.Token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// ServeHTTP serves the admin side.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !c.hostAllowed(r.Host) {
		Error(w, http.StatusMisdirectedRequest, fmt.Errorf("host %q is not a name of this admin listener", r.Host))
		return
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	c.mux.ServeHTTP(w, r)
}

func (c *Console) hostAllowed(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil {
		return true
	}
	for _, h := range c.cfg.Hosts {
		if strings.EqualFold(h, host) {
			return true
		}
	}
	return false
}

func (c *Console) ready(w http.ResponseWriter, _ *http.Request) {
	if err := c.edge.Ready(); err != nil {
		Error(w, http.StatusServiceUnavailable, err)
		return
	}
	fmt.Fprintln(w, "ready")
}

func (c *Console) pathways(w http.ResponseWriter, _ *http.Request) {
	JSON(w, http.StatusOK, c.edge.Pathways())
}

func (c *Console) drain(w http.ResponseWriter, r *http.Request) {
	var d proxy.Drain
	if !ReadJSON(w, r, &d) {
		return
	}
	if d.Who == "" || d.Why == "" {
		Error(w, http.StatusUnprocessableEntity, errors.New(`a drain names "who" and "why"`))
		return
	}
	d.Since = c.now().UTC()
	c.setDrain(w, r, &d)
}

func (c *Console) undrain(w http.ResponseWriter, r *http.Request) { c.setDrain(w, r, nil) }

func (c *Console) setDrain(w http.ResponseWriter, r *http.Request, d *proxy.Drain) {
	set, id := r.PathValue("set"), r.PathValue("id")
	if err := c.edge.SetDrain(set, id, d); err != nil {
		Error(w, http.StatusNotFound, err)
		return
	}
	if d != nil {
		c.log.Info("pathway drained", "set", set, "pathway", id, "who", d.Who, "why", d.Why)
	} else {
		c.log.Info("pathway drain undone", "set", set, "pathway", id)
	}
	JSON(w, http.StatusOK, c.edge.Pathways())
}

// JSON writes v as the answer.
func JSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// Error writes an error as the answer: {"error": "…"}.
func Error(w http.ResponseWriter, status int, err error) {
	JSON(w, status, map[string]string{"error": err.Error()})
}

// ReadJSON reads the request's body into v, strictly; false means that the
// answer, an error, was written.
func ReadJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		Error(w, http.StatusUnsupportedMediaType, errors.New("send the body as application/json"))
		return false
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		Error(w, http.StatusBadRequest, fmt.Errorf("cannot read body: %w", err))
		return false
	}
	return true
}
