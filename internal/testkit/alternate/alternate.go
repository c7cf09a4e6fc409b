package alternate

import (
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
)

// Entry is one answered request.
type Entry struct {
	// Backend is the index of who answered.
	Backend int
	Method  string
	// Path is the request's, as sent, without the query.
	Path   string
	Status int
}

// Proxy is the balancer. Use it as the handler of a server.
type Proxy struct {
	backends []*httputil.ReverseProxy

	mu      sync.Mutex
	turn    int
	entries []Entry
}

// New makes a balancer before backends, each "http://host:port". The client's
// Host is handed on.
func New(backends ...string) (*Proxy, error) {
	p := &Proxy{}
	for _, b := range backends {
		u, err := url.Parse(b)
		if err != nil {
			return nil, err
		}
		transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32}
		p.backends = append(p.backends, &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(u)
				r.Out.Host = r.In.Host
			},
			Transport: transport,
			ErrorLog:  log.New(io.Discard, "", 0), // the answer is 502, and the log has it
		})
	}
	return p, nil
}

// ServeHTTP hands the request to the backend whose turn it is.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	i := p.turn
	p.turn = (p.turn + 1) % len(p.backends)
	p.mu.Unlock()
	sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	p.backends[i].ServeHTTP(sw, r)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries = append(p.entries, Entry{Backend: i, Method: r.Method, Path: r.URL.EscapedPath(), Status: sw.status})
}

// Log gives the requests answered so far.
func (p *Proxy) Log() []Entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.entries)
}

// statusWriter notes the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the reverse proxy flush.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
