package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"manifold/internal/testkit/bubble"
)

// young is a live programme of two-second segments that began begun before
// the test, over CDNs alpha and beta. From the outage on, alpha says nothing
// for five seconds and then fails, as QUIC to a closed port does.
type young struct {
	began, outage time.Time
}

func (y *young) RoundTrip(q *http.Request) (*http.Response, error) {
	now, body := time.Now(), ""
	switch {
	case strings.HasSuffix(q.URL.Path, "/master.m3u8"):
		body = "#EXTM3U\n#EXT-X-CONTENT-STEERING:SERVER-URI=\"/steer\",PATHWAY-ID=\"alpha\"\n" +
			"#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID=\"alpha\"\n/alpha.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1,PATHWAY-ID=\"beta\"\n/beta.m3u8\n"
	case q.URL.Path == "/steer":
		body = `{"VERSION":1,"TTL":3,"RELOAD-URI":"https://edge.example/steer","PATHWAY-PRIORITY":["alpha","beta"]}`
	case strings.HasSuffix(q.URL.Path, ".m3u8"):
		cdn := strings.TrimSuffix(strings.TrimPrefix(q.URL.Path, "/"), ".m3u8")
		body = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
		for i := range int(now.Sub(y.began) / (2 * time.Second)) {
			body += fmt.Sprintf("#EXTINF:2,\nhttps://%s.example/%d.m4s\n", cdn, i)
		}
	case q.URL.Host == "alpha.example" && !now.Before(y.outage):
		select {
		case <-time.After(5 * time.Second):
			return nil, errors.New("timeout: no recent network activity")
		case <-q.Context().Done():
			return nil, q.Context().Err()
		}
	}
	return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 3, Proto: "HTTP/3.0", Request: q, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// A viewer who comes when the programme has hardly begun has no shorter
// buffer than others, and a CDN that is silent for five seconds does not stop
// the picture.
func TestViewerOfYoungProgrammeOutlivesSilence(t *testing.T) {
	for _, begun := range []time.Duration{2 * time.Second, 5 * time.Second, 9 * time.Second, time.Minute} {
		t.Run(begun.String(), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				start := time.Now()
				y := &young{began: start.Add(-begun), outage: start.Add(20 * time.Second)}
				v := &viewer{
					client: &http.Client{Transport: y}, buffer: 10 * time.Second, entry: "https://edge.example/master.m3u8",
					cdnOf: func(u *url.URL) string { return strings.TrimSuffix(u.Host, ".example") },
				}
				ctx, stop := context.WithTimeout(t.Context(), 40*time.Second)
				defer stop()
				if err := v.watch(ctx); err != nil {
					t.Fatal(err)
				}
				r := v.report()
				if r.Stall > 0 || r.Played < 30*time.Second || r.Counts["alpha"] == 0 || r.Counts["beta"] == 0 || len(r.Errors) > 0 {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}
