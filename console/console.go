package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
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
	cfg  atomic.Pointer[Config]
	edge Edge
	mux  *http.ServeMux
	log  *slog.Logger
	now  func() time.Time
}

// New makes the admin side of an edge.
func New(cfg Config, edge Edge, log *slog.Logger, now func() time.Time) *Console {
	c := &Console{edge: edge, mux: http.NewServeMux(), log: log, now: now}
	c.cfg.Store(&cfg)
	c.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	c.mux.HandleFunc("GET /readyz", c.ready)
	c.mux.HandleFunc("GET /api/v1/pathways", c.pathways)
	c.Write("PUT /api/v1/pathways/{set}/{id}/drain", c.drain)
	c.Write("DELETE /api/v1/pathways/{set}/{id}/drain", c.undrain)
	return c
}

// Set changes the configuration, for the requests that come from now on.
func (c *Console) Set(cfg Config) { c.cfg.Store(&cfg) }

// Read adds a handler that anybody who reaches the listener may call.
func (c *Console) Read(pattern string, h http.HandlerFunc) { c.mux.HandleFunc(pattern, h) }

// Write adds a handler that needs the token. A token in a header cannot be
// sent by a foreign page without a preflight, which is never granted: that is
// the protection against cross-site requests.
func (c *Console) Write(pattern string, h http.HandlerFunc) {
	c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if c.cfg.Load().Token == "" {
			Error(w, http.StatusForbidden, errors.New("this call needs the admin token, and none is configured: name one by admin.token"))
			return
		}
		if !c.authorised(r) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="manifold admin"`)
			Error(w, http.StatusUnauthorized, errors.New("this call needs the admin token: send it as Authorization: Bearer …"))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h(w, r)
	})
}

func (c *Console) authorised(r *http.Request) bool {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	secret := c.cfg.Load().Token
	if !ok || !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return false
	}
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(secret))
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
	for _, h := range c.cfg.Load().Hosts {
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
	if d.Since = c.now().UTC(); !c.signed(w, d.Who, d.Why) {
		return
	}
	if !d.Until.IsZero() && !d.Until.After(d.Since) {
		Error(w, http.StatusUnprocessableEntity, errors.New(`"until" is in the past`))
		return
	}
	c.setDrain(w, r, &d)
}

// signed tells whether a change says by whom it is and why; false means that
// the answer, an error, was written.
func (c *Console) signed(w http.ResponseWriter, who, why string) bool {
	const longest = 500
	switch {
	case strings.TrimSpace(who) == "" || strings.TrimSpace(why) == "":
		Error(w, http.StatusUnprocessableEntity, errors.New(`a change names "who" and "why"`))
	case len(who) > longest || len(why) > longest:
		Error(w, http.StatusUnprocessableEntity, fmt.Errorf(`"who" and "why" have at most %d bytes each`, longest))
	default:
		return true
	}
	return false
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
