package benchmarks

import (
	"fmt"
	"net/http"
	"regexp"

	"manifold/internal/testkit/sample"
)

// document is a manifest at the origin and how viewers get into a session
// with it.
type document struct {
	path, contentType string
	body              []byte
	device            string
	// address finds the session address in the answer at the entry.
	address func(*http.Response, []byte) (string, error)
}

var (
	live6   = document{"live/index.m3u8", "application/vnd.apple.mpegurl", sample.Playlist(6, false), "hlsjs", redirectTarget}
	vod500  = document{"vod/index.m3u8", "application/vnd.apple.mpegurl", sample.Playlist(500, true), "hlsjs", redirectTarget}
	liveMPD = document{"manifest.mpd", "application/dash+xml", sample.MPD(1, 30), "dashjs", location}
)

var documents = []*document{&live6, &vod500, &liveMPD}

// kase is what is asked for, and how.
type kase struct {
	name, about string
	document    *document
	gzip        bool
}

var cases = []kase{
	{"Live6", "live playlist, 6 segments", &live6, false},
	{"Live6Gzip", "live playlist, 6 segments, gzip", &live6, true},
	{"VOD500", "VOD playlist, 500 segments", &vod500, false},
	{"VOD500Gzip", "VOD playlist, 500 segments, gzip", &vod500, true},
	{"LiveMPD", "live MPD", &liveMPD, false},
	{"LiveMPDGzip", "live MPD, gzip", &liveMPD, true},
}

// redirectTarget is where a media playlist's entry sends the player.
func redirectTarget(r *http.Response, _ []byte) (string, error) {
	if r.StatusCode != 302 || r.Header.Get("Location") == "" {
		return "", fmt.Errorf("the entry answered %s without a Location", r.Status)
	}
	return r.Header.Get("Location"), nil
}

var locationElement = regexp.MustCompile(`<Location>https?://[^/<]+(/[^<]+)</Location>`)

// location is where an MPD says that it is to be reloaded.
func location(r *http.Response, body []byte) (string, error) {
	m := locationElement.FindSubmatch(body)
	if m == nil {
		return "", fmt.Errorf("the entry answered %s without a Location element", r.Status)
	}
	return string(m[1]), nil
}
