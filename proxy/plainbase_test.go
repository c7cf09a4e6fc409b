package proxy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// A player that misreads "&" in a BaseURL is given one without, where a CDN has
// one; others, and HLS, keep the order.
func TestPlainBaseURL(t *testing.T) {
	s := newStage(t, nil)
	moved := 0
	for i := range 40 {
		token := s.viewerToken(jwt.MapClaims{"jti": fmt.Sprint("token-", i)})
		first := func(device string) string {
			body := s.get("/news/manifest.mpd?device=" + device + "&token=" + token).ok(t).body
			_, rest, _ := strings.Cut(body, "<BaseURL")
			_, rest, _ = strings.Cut(rest, ">")
			base, _, _ := strings.Cut(rest, "</BaseURL>")
			return base
		}
		plain, usual := first("ffmpeg"), first("gstreamer")
		if strings.Contains(plain, "&") {
			t.Fatalf("the first BaseURL is %s", plain)
		}
		if strings.Contains(usual, "&") {
			moved++
		} else if plain != usual {
			t.Errorf("%s for no reason, instead of %s", plain, usual)
		}
	}
	if moved == 0 || moved == 40 {
		t.Errorf("%d of 40 viewers were moved", moved)
	}
}
