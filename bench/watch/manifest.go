package watch

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/read"
)

// manifest fetches a version of d; it reports what keeps it from being read,
// and what its header lacks.
func (w *watcher) manifest(ctx context.Context, d *doc, req client.Request) (*client.Result, bool) {
	if req.MaxBody == 0 {
		req.MaxBody = w.cfg.MaxManifest
	}
	res := w.cfg.Fetcher.Do(ctx, req)
	if ctx.Err() != nil && res.Err != nil {
		return res, false // the watch is over
	}
	w.mu.Lock()
	d.reloads.Add(1)
	w.bytes += res.Wire
	w.mu.Unlock()
	if e := w.refusal(res, req.URL); e != nil {
		w.add(e.rule, d, 0, evidence{said: e.said, url: req.URL, after: firstLines(res.Body)})
		return res, false
	}
	w.personal(d, res)
	return res, true
}

// refused is why a fetch brought nothing.
type refused struct {
	rule finding.ID
	said string
}

// refusal tells why a manifest was not had, or nil.
func (w *watcher) refusal(res *client.Result, asked string) *refused {
	var (
		large    *client.TooLargeError
		redirect *client.RedirectError
	)
	switch {
	case errors.As(res.Err, &large):
		return &refused{rule: "manifest-too-large", said: res.Err.Error()}
	case errors.As(res.Err, &redirect):
		return &refused{rule: "redirect-loop", said: fmt.Sprintf("%v: %s", res.Err, hops(redirect.Hops))}
	case res.Err != nil:
		return &refused{rule: "manifest-unreachable", said: res.Err.Error()}
	case tokenRefused(res.Status) && w.tokens.has(asked):
		return &refused{rule: "token-refused", said: fmt.Sprintf("%s for an address with a token%s", describe(res), w.expiry(asked))}
	case !res.OK():
		return &refused{rule: "manifest-status", said: describe(res)}
	}
	return nil
}

func tokenRefused(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

func hops(list []client.Hop) string {
	var s []string
	for _, h := range list[:min(len(list), 4)] {
		s = append(s, fmt.Sprintf("%d to %s", h.Status, h.Location))
	}
	return strings.Join(s, ", ")
}

// describe is an answer in a few words.
func describe(res *client.Result) string {
	if res.Status == 0 {
		return fmt.Sprintf("no answer: %v", res.Err)
	}
	return fmt.Sprintf("%d %s (%s, %d bytes)", res.Status, http.StatusText(res.Status), res.Proto, res.Size)
}

// contentType holds the header against the document.
func (w *watcher) contentType(d *doc, res *client.Result, kind read.Kind) {
	said := res.Header.Get("Content-Type")
	got, _, _ := mime.ParseMediaType(said)
	got = strings.ToLower(got)
	path := res.URL.Path
	switch kind {
	case read.Multivariant, read.MediaList:
		if slices.Contains([]string{"application/vnd.apple.mpegurl", "audio/mpegurl"}, got) {
			return
		}
		// RFC 8216, section 4: by its type, or by the end of its path.
		if (strings.HasSuffix(path, ".m3u8") || strings.HasSuffix(path, ".m3u")) && (got == "" || got == "application/x-mpegurl" || got == "application/octet-stream" || got == "audio/x-mpegurl") {
			return
		}
	case read.MPDDocument:
		if got == "application/dash+xml" || strings.HasSuffix(path, ".mpd") && (got == "" || got == "application/xml" || got == "text/xml" || got == "application/octet-stream") {
			return
		}
	}
	w.add("content-type", d, 0, evidence{said: fmt.Sprintf("%s as %q", kind, said)})
}

// slow reports a manifest that takes longer than half its reload interval, two
// times in a row.
func (w *watcher) slow(d *doc, res *client.Result, interval time.Duration) {
	if interval == 0 || res.Total <= interval/2 {
		d.slow = 0
		return
	}
	if d.slow++; d.slow > 1 {
		w.add("manifest-slow", d, 0, evidence{said: fmt.Sprintf("%s, and it is reloaded every %s", res.Total.Round(time.Millisecond), interval)})
	}
}

// personal: what is one viewer's own must not be stored for others (RFC 9111,
// section 3).
func (w *watcher) personal(d *doc, res *client.Result) {
	if uncacheable(res.Header) {
		return
	}
	mark, why := w.tokens.personalIn(string(res.Body)), "it carries"
	if mark == "" && res.Header.Get("Set-Cookie") != "" {
		mark, why = "Set-Cookie", "it comes with"
	}
	if mark == "" {
		return
	}
	w.add("personal-cacheable", d, 0, evidence{said: fmt.Sprintf("Cache-Control is %q, and %s %s", res.Header.Get("Cache-Control"), why, mark)})
}

func uncacheable(h http.Header) bool {
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(strings.ToLower(line), ",") {
			switch strings.TrimSpace(directive) {
			case "private", "no-store":
				return true
			}
		}
	}
	return false
}

// twoViewers asks for the entry as two viewers, one after the other and the
// first again: what the first gets twice and the second does not is personal.
func (w *watcher) twoViewers(ctx context.Context, d *doc) {
	if w.cfg.Second == nil {
		return
	}
	ask := func(f Fetcher) *client.Result {
		res := f.Do(ctx, client.Request{URL: w.cfg.URL, MaxBody: w.cfg.MaxManifest})
		return res
	}
	a, b, again := ask(w.cfg.Fetcher), ask(w.cfg.Second), ask(w.cfg.Fetcher)
	if !a.OK() || !b.OK() || !again.OK() || string(a.Body) != string(again.Body) || string(a.Body) == string(b.Body) {
		return
	}
	if uncacheable(a.Header) && uncacheable(b.Header) || strings.Contains(strings.ToLower(a.Header.Get("Vary")), "user-agent") {
		return
	}
	before, after := firstDifference(a.Body, b.Body)
	w.add("personal-cacheable", d, 0, evidence{said: fmt.Sprintf("two viewers asked for one address and got different bytes; Cache-Control is %q", a.Header.Get("Cache-Control")), before: before, after: after})
}

func firstDifference(a, b []byte) (before, after []finding.Line) {
	la, lb := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(la), len(lb)) {
		if la[i] != lb[i] {
			return []finding.Line{{Number: i + 1, Text: la[i]}}, []finding.Line{{Number: i + 1, Text: lb[i]}}
		}
	}
	return nil, nil
}
