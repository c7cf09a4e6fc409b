package demo

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"time"

	"manifold/assets"
	"manifold/console"
)

//go:embed page
var pageFiles embed.FS

var index = template.Must(template.ParseFS(pageFiles, "page/index.html"))

// setup is what the page is told of the demo.
type setup struct {
	Edge      string     `json:"edge"`
	PlainEdge string     `json:"plainEdge"`
	CDNs      []setupCDN `json:"cdns"`
}

type setupCDN struct {
	ID        string `json:"id"`
	Port      uint16 `json:"port"`
	PlainPort uint16 `json:"plainPort"`
}

// cdnState is a CDN as the page's API shows and takes it.
type cdnState struct {
	ID       string `json:"id,omitempty"`
	Token    string `json:"token,omitempty"`
	Requests int    `json:"requests,omitempty"`
	Refuse   bool   `json:"refuse"`
	Status   int    `json:"status"`
	Latency  string `json:"latency"`
}

// AddTo adds the page and the faults of the CDNs to the admin side.
func (d *Demo) AddTo(c *console.Console) {
	c.Read("GET /api/v1/demo/cdns", d.listCDNs)
	c.Write("PUT /api/v1/demo/cdns/{id}", d.changeCDN)
	c.Read("GET /api/v1/demo/viewer", d.newViewer)
	c.Read("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/demo/", http.StatusFound)
	})
	c.Read("GET /demo/{$}", d.page)
	own, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // "page" is a constant and a valid path
	}
	c.Read("GET /demo/", http.StripPrefix("/demo/", http.FileServerFS(own)).ServeHTTP)
	c.Read("GET /demo/assets/", http.StripPrefix("/demo/assets/", http.FileServerFS(assets.FS())).ServeHTTP)
}

func (d *Demo) page(w http.ResponseWriter, _ *http.Request) {
	if err := assets.Ready(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	s := setup{Edge: d.edgeURL(true), PlainEdge: d.edgeURL(false)}
	for _, c := range d.CDNs {
		plain, secure := c.Ports()
		s.CDNs = append(s.CDNs, setupCDN{c.ID, secure, plain})
	}
	var out bytes.Buffer
	err := index.Execute(&out, map[string]any{"Token": d.adminToken, "Setup": s, "Chromium": d.ChromiumCommand()})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'self'; connect-src http: https:; media-src blob:; worker-src blob: 'self'; img-src 'self' data:; frame-ancestors 'none'")
	_, _ = out.WriteTo(w)
}

// newViewer is the login service: a token for a new viewer.
func (d *Demo) newViewer(w http.ResponseWriter, _ *http.Request) {
	console.JSON(w, http.StatusOK, map[string]string{"token": d.viewerToken(d.cfg.Now(), "demo")})
}

func (d *Demo) listCDNs(w http.ResponseWriter, _ *http.Request) {
	list := make([]cdnState, len(d.CDNs))
	for i, c := range d.CDNs {
		f := c.Fault()
		list[i] = cdnState{ID: c.ID, Token: c.format, Requests: c.Requests(), Refuse: f.Refuse, Status: f.Status, Latency: f.Latency.String()}
	}
	console.JSON(w, http.StatusOK, list)
}

func (d *Demo) changeCDN(w http.ResponseWriter, r *http.Request) {
	c := d.CDN(r.PathValue("id"))
	if c == nil {
		console.Error(w, http.StatusNotFound, fmt.Errorf("there is no CDN %q", r.PathValue("id")))
		return
	}
	var s cdnState
	if !console.ReadJSON(w, r, &s) {
		return
	}
	f := Fault{Refuse: s.Refuse, Status: s.Status}
	if s.Latency != "" {
		l, err := time.ParseDuration(s.Latency)
		if err != nil || l < 0 || l > time.Minute {
			console.Error(w, http.StatusUnprocessableEntity, errors.New(`"latency" is a span up to a minute, like 300ms`))
			return
		}
		f.Latency = l
	}
	if f.Status != 0 && (f.Status < 400 || f.Status > 599) {
		console.Error(w, http.StatusUnprocessableEntity, errors.New(`"status" is 0, or an error from 400 to 599`))
		return
	}
	if err := c.SetFault(f); err != nil {
		console.Error(w, http.StatusConflict, err)
		return
	}
	d.cfg.Log.Info("CDN fault set", "cdn", c.ID, "refuse", f.Refuse, "status", f.Status, "latency", f.Latency)
	d.listCDNs(w, r)
}
