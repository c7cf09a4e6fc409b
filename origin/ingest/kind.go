package ingest

import (
	"bytes"
	"path"
	"strconv"
	"strings"
	"time"
)

// kind is what an extension says of an object.
type kind struct {
	contentType string
	manifest    bool
	media       bool
}

// kinds by lower-case extension. Types as registered with IANA: HLS in RFC
// 8216, section 10; DASH in ISO/IEC 23009-1, annex C; WebVTT by W3C.
var kinds = map[string]kind{
	".m3u8":   {contentType: "application/vnd.apple.mpegurl", manifest: true},
	".m3u":    {contentType: "application/vnd.apple.mpegurl", manifest: true},
	".mpd":    {contentType: "application/dash+xml", manifest: true},
	".mp4":    {contentType: "video/mp4", media: true},
	".m4v":    {contentType: "video/mp4", media: true},
	".cmfv":   {contentType: "video/mp4", media: true},
	".m4a":    {contentType: "audio/mp4", media: true},
	".cmfa":   {contentType: "audio/mp4", media: true},
	".cmft":   {contentType: "application/mp4", media: true},
	".m4s":    {contentType: "video/iso.segment", media: true},
	".ts":     {contentType: "video/mp2t", media: true},
	".aac":    {contentType: "audio/aac", media: true},
	".vtt":    {contentType: "text/vtt; charset=utf-8", media: true},
	".webvtt": {contentType: "text/vtt; charset=utf-8", media: true},
	".jpg":    {contentType: "image/jpeg", media: true},
	".png":    {contentType: "image/png", media: true},
	".json":   {contentType: "application/json"},
	".txt":    {contentType: "text/plain; charset=utf-8"},
}

func kindOf(name string) kind {
	if k, ok := kinds[strings.ToLower(path.Ext(name))]; ok {
		return k
	}
	return kind{contentType: "application/octet-stream"}
}

func lastElement(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// The Cache-Control of objects that do not change, and of those that may.
const (
	immutable    = "public, max-age=31536000, immutable" // RFC 8246
	vodManifest  = "public, max-age=3600"
	multivariant = "public, max-age=60"
	ended        = "public, max-age=10"
	other        = "public, max-age=60"
	alwaysCheck  = "no-cache"
)

// Lifetime is the Cache-Control of an object: media a year and immutable (a
// name is never used again for other bytes), a manifest that does not change
// an hour, a multivariant playlist a minute, a live manifest at most half of
// its target duration or update period, in whole seconds. The content is
// needed of manifests only; without it they are to be checked at each use.
func Lifetime(name string, content []byte) string {
	k := kindOf(name)
	switch {
	case k.media:
		return immutable
	case !k.manifest:
		return other
	case len(content) == 0:
		return alwaysCheck
	case strings.HasSuffix(strings.ToLower(name), ".mpd"):
		return mpdLifetime(content)
	}
	return playlistLifetime(content)
}

func playlistLifetime(p []byte) string {
	if bytes.Contains(p, []byte("#EXT-X-ENDLIST")) {
		return vodManifest
	}
	_, rest, live := bytes.Cut(p, []byte("#EXT-X-TARGETDURATION:"))
	if !live {
		return multivariant
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(line)), 64)
	if err != nil {
		return alwaysCheck
	}
	return half(seconds)
}

func mpdLifetime(p []byte) string {
	_, tag, ok := bytes.Cut(p, []byte("<MPD"))
	if !ok {
		return alwaysCheck
	}
	tag, _, _ = bytes.Cut(tag, []byte(">"))
	if typ, _ := attribute(tag, "type"); typ != "dynamic" {
		return vodManifest
	}
	period, ok := attribute(tag, "minimumUpdatePeriod")
	if !ok {
		return ended
	}
	d, ok := parseDuration(period)
	if !ok {
		return alwaysCheck
	}
	return half(d.Seconds())
}

func half(seconds float64) string {
	if s := int(min(seconds/2, 3600)); s > 0 {
		return "public, max-age=" + strconv.Itoa(s)
	}
	return alwaysCheck
}

// attribute finds an attribute in the inside of a start tag.
func attribute(tag []byte, name string) (string, bool) {
	for rest := tag; ; {
		before, after, ok := bytes.Cut(rest, []byte(name))
		if !ok {
			return "", false
		}
		rest = after
		if n := len(before); n > 0 && !isSpace(before[n-1]) {
			continue
		}
		value := bytes.TrimLeft(after, " \t\r\n")
		if len(value) == 0 || value[0] != '=' {
			continue
		}
		value = bytes.TrimLeft(value[1:], " \t\r\n")
		if len(value) == 0 || value[0] != '"' && value[0] != '\'' {
			continue
		}
		end := bytes.IndexByte(value[1:], value[0])
		if end < 0 {
			return "", false
		}
		return string(value[1 : 1+end]), true
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// parseDuration reads the time part of an xs:duration (PT1H2M3.5S).
func parseDuration(s string) (time.Duration, bool) {
	s, ok := strings.CutPrefix(strings.TrimSpace(s), "PT")
	if !ok || s == "" {
		return 0, false
	}
	d, err := time.ParseDuration(strings.ToLower(s))
	return d, err == nil && d >= 0
}
