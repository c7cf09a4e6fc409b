package e2e

import (
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"manifold/internal/testkit/browser"
)

// viewer is one player at work.
type viewer struct {
	*browser.Playback
	name    string
	session string // its CMCD session id, by which the CDNs' logs know it
}

// watching is how somebody watches.
type watching struct {
	player       browser.Player
	device, file string
	base         string // of the edge; empty stands for the one over TLS
	first        string // the session's first choice; empty stands for alpha
	// unnamed leaves the session's name out of the viewer's token: the edge
	// then knows the player by its CMCD session id.
	unnamed bool
}

// watch starts a player on a session with the wanted first choice.
func (s *stage) watch(t *testing.T, b *browser.Browser, p programme, w watching) *viewer {
	t.Helper()
	v := &viewer{name: string(w.player) + " as " + w.device + " at " + strings.ReplaceAll(w.file, "/", "-"), session: random()}
	if w.base == "" {
		w.base = s.base(true)
	}
	if w.first == "" {
		w.first = "alpha"
	}
	if p.live {
		s.awaitWindow(t, p.delay+10*time.Second)
	}
	token := s.sessionOn(t, p.channel, v.session, w.first, w.unnamed)
	v.Playback = b.Play(browser.Play{
		Player: w.player, URL: entry(w.base, "/"+p.channel+"/"+w.file, w.device, token),
		Buffer: p.buffer, LiveDelay: p.delay, Lowest: true, Config: cmcd(w.player, v.session),
	})
	browser.Eval[bool](v.Page, heart)
	t.Cleanup(func() { keepEvents(t, v) })
	return v
}

// cmcd makes a player send its session id with every request, which is how the
// CDNs' logs tell players apart. hls.js sends it in headers: to put it into a
// query, it writes the whole query anew, which no CDN takes that signs its
// token byte for byte.
func cmcd(player browser.Player, session string) map[string]any {
	switch player {
	case browser.HLSJS:
		return map[string]any{"cmcd": map[string]any{"sessionId": session, "contentId": "e2e", "useHeaders": true}}
	case browser.DashJS:
		return map[string]any{"streaming": map[string]any{"cmcd": map[string]any{"enabled": true, "sid": session, "cid": "e2e", "mode": "query"}}}
	default:
		return map[string]any{"cmcd": map[string]any{"enabled": true, "sessionId": session, "contentId": "e2e", "useHeaders": false}}
	}
}

// manifests counts what a player asked for at the entry and at its session
// address, which must be one.
func (s *stage) manifests(t *testing.T, p programme, list []browser.Resource) (entries, reloads int) {
	t.Helper()
	session := ""
	for _, r := range list {
		u, err := url.Parse(r.URL)
		if err != nil || !ofHost(r, s.secureHosts()[0]) || path.Ext(u.Path) != ".m3u8" && path.Ext(u.Path) != ".mpd" {
			continue
		}
		under, ok := strings.CutPrefix(u.Path, "/"+p.channel+"/~")
		if !ok {
			entries++
			continue
		}
		reloads++
		id, _, _ := strings.Cut(under, "/")
		if session == "" {
			session = id
		}
		if id != session {
			t.Errorf("the session changed: %s", u.Path)
		}
	}
	return entries, reloads
}

// ofHost tells whether a resource is an answer of host:port over TLS.
func ofHost(r browser.Resource, host string) bool {
	return r.Status != 0 && strings.HasPrefix(r.URL, "https://"+host+"/")
}
