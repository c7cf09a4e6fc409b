package watch

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"manifold/bench/client"
	"manifold/bench/finding"
	"manifold/bench/read"
)

// throughput is what the watch says it measured: enough for any variant.
const throughput = 20_000_000

// steerer polls a steering server as a player does and holds its answers
// against draft-pantos-content-steering, ETSI TS 103 998, and what real players
// do with answers that leave something out.
type steerer struct {
	w        *watcher
	doc      *doc
	protocol string // HLS or DASH
	initial  string // the pathway that the manifest begins with
	known    []string
	line     finding.Line

	current string
	prev    *read.SteeringAnswer
	prevN   int
}

func (s *steerer) run(ctx context.Context) {
	s.current = s.initial
	address := s.doc.url
	for {
		answer, at := s.ask(ctx, address)
		ttl := 10 * time.Second
		if answer != nil {
			if n, err := answer.TTL.Int64(); err == nil && n >= 1 {
				ttl = time.Duration(min(n, 300)) * time.Second
			}
			if answer.ReloadURI != nil && *answer.ReloadURI != "" {
				address = resolve(at, *answer.ReloadURI)
			}
			if len(answer.Priority) > 0 {
				s.current = answer.Priority[0]
			}
		}
		if !wait(ctx, ttl) {
			return
		}
	}
}

// ask asks once and judges the answer.
func (s *steerer) ask(ctx context.Context, address string) (*read.SteeringAnswer, *url.URL) {
	name, value := "_HLS_", s.current
	if s.protocol == "DASH" {
		name, value = "_DASH_", `"`+s.current+`"`
	}
	q := url.Values{name + "throughput": {fmt.Sprint(throughput)}}
	if s.current != "" {
		q.Set(name+"pathway", value)
	}
	res := s.w.cfg.Fetcher.Do(ctx, client.Request{URL: withQuery(address, q.Encode()), Header: http.Header{"Origin": {"https://player.example"}}, MaxBody: 1 << 20})
	if ctx.Err() != nil {
		return nil, nil
	}
	s.w.mu.Lock()
	s.doc.reloads.Add(1)
	s.w.bytes += res.Wire
	s.w.mu.Unlock()
	say := func(rule finding.ID, format string, args ...any) {
		s.w.add(rule, s.doc, s.prevN, evidence{url: address, said: fmt.Sprintf(format, args...), before: []finding.Line{s.line}, after: firstLines(res.Body)})
	}
	switch {
	case res.Err != nil:
		say("steering-unreachable", "%v", res.Err)
		return nil, nil
	case res.Status != http.StatusOK:
		retry := ""
		if v := res.Header.Get("Retry-After"); v != "" {
			retry = ", Retry-After " + v
		}
		say("steering-status", "%s%s", describe(res), retry)
		return nil, nil
	}
	s.header(res, say)
	a, err := read.ParseSteering(res.Body)
	if err != nil {
		say("steering-malformed", "%v", err)
		return nil, nil
	}
	s.judge(a, say)
	if len(a.Priority) > 0 {
		s.w.firstChoice(s.doc, a.Priority[0], "the steering answer")
	}
	s.prev, s.prevN = a, s.doc.version()
	return a, res.URL
}

type sayer = func(rule finding.ID, format string, args ...any)

func (s *steerer) header(res *client.Result, say sayer) {
	if t, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); t != "application/vnd.apple.steering-list" && t != "application/json" {
		say("steering-content-type", "Content-Type %q", res.Header.Get("Content-Type"))
	}
	if !strings.Contains(strings.ToLower(strings.Join(res.Header.Values("Cache-Control"), ",")), "no-store") {
		say("steering-cacheable", "Cache-Control is %q", res.Header.Get("Cache-Control"))
	}
	if allow := res.Header.Get("Access-Control-Allow-Origin"); allow != "*" && allow != "https://player.example" {
		say("steering-cors", "Access-Control-Allow-Origin is %q", allow)
	}
}

func (s *steerer) judge(a *read.SteeringAnswer, say sayer) {
	if a.Version.String() != "1" {
		say("steering-version", "VERSION is %q", a.Version.String())
	}
	if n, err := a.TTL.Int64(); err != nil || n < 1 {
		say("steering-ttl", "TTL is %q", a.TTL.String())
	}
	switch {
	case a.ReloadURI == nil || *a.ReloadURI == "":
		say("steering-reload-uri", "RELOAD-URI is missing")
	default:
		if u, err := url.Parse(*a.ReloadURI); err != nil || !u.IsAbs() {
			say("steering-reload-uri", "RELOAD-URI is %q", *a.ReloadURI)
		}
	}
	known := slices.Clone(s.known)
	for _, c := range a.Clones {
		switch {
		case c.ID == "" || c.Base == "" || c.Replacement == nil:
			say("steering-clone", "the clone %q of %q lacks BASE-ID, ID or URI-REPLACEMENT", c.ID, c.Base)
		case slices.Contains(s.known, c.ID):
			say("steering-clone", "the clone %q is a pathway of the manifest already", c.ID)
		case !slices.Contains(known, c.Base):
			say("steering-clone", "the clone %q has the unknown BASE-ID %q", c.ID, c.Base)
		}
		known = append(known, c.ID)
	}
	s.priority(a, known, say)
}

func (s *steerer) priority(a *read.SteeringAnswer, known []string, say sayer) {
	if len(a.Priority) == 0 {
		say("steering-priority-empty", "PATHWAY-PRIORITY is empty or missing")
		return
	}
	met := 0
	var strange, missing []string
	for i, p := range a.Priority {
		switch {
		case slices.Contains(a.Priority[:i], p):
			say("steering-priority-duplicate", "%s stands twice in %s", p, strings.Join(a.Priority, ", "))
		case slices.Contains(known, p):
			met++
		default:
			strange = append(strange, p)
		}
	}
	for _, k := range s.known {
		if !slices.Contains(a.Priority, k) {
			missing = append(missing, k)
		}
	}
	switch {
	case met == 0:
		say("steering-priority-disjoint", "PATHWAY-PRIORITY is %s, the manifest has %s", strings.Join(a.Priority, ", "), strings.Join(s.known, ", "))
		return
	case len(strange) > 0:
		say("steering-priority-unknown", "%s: the manifest has %s", strings.Join(strange, ", "), strings.Join(s.known, ", "))
	case len(missing) > 0:
		say("steering-priority-short", "%s is missing in %s", strings.Join(missing, ", "), strings.Join(a.Priority, ", "))
	}
	if s.prev == nil && s.initial != "" && a.Priority[0] != s.initial {
		say("steering-first-differs", "the manifest begins with %s, the first answer with %s", s.initial, a.Priority[0])
	}
	if s.prev != nil && len(s.prev.Priority) > 0 && s.prev.Priority[0] != a.Priority[0] {
		s.w.fact("steering moved from %s to %s, %s after the watch began", s.prev.Priority[0], a.Priority[0], s.w.cfg.Now().Sub(s.w.began).Round(time.Second))
	}
}
