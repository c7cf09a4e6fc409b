package browser

// Resource is one finished request of a page, as the Resource Timing standard
// reports it.
type Resource struct {
	URL string `json:"name"`
	// Protocol is the ALPN id: "http/1.1", "h2", "h3". Empty when the server
	// of another origin sent no Timing-Allow-Origin, or the request failed.
	Protocol string `json:"nextHopProtocol"`
	// Initiator is "fetch", "xmlhttprequest", "script", …
	Initiator string `json:"initiatorType"`
	// Status is the answer's status code; 0 when there was none or it is hidden.
	Status int `json:"responseStatus"`
	// Start and End are the page's clock in milliseconds.
	Start float64 `json:"startTime"`
	End   float64 `json:"responseEnd"`
	// Bytes is the body's size on the wire; 0 when hidden or from the cache.
	Bytes int64 `json:"encodedBodySize"`
}

// Resources are the page's requests so far, in order of their start.
func (p *Page) Resources() []Resource {
	p.b.tb.Helper()
	return Eval[[]Resource](p, `performance.getEntriesByType("resource").map(r => r.toJSON())`)
}
