package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"manifold/internal/dial"
)

// tour is the demo that takes itself through its paces, with viewers that are
// programs, and says what it saw.
type tour struct {
	d       *Demo
	out     io.Writer
	began   time.Time
	viewers []*viewer
	failed  []string
}

// MinTour is the shortest tour in which every step has time to be seen.
const MinTour = 40 * time.Second

// Tour runs for the given time: start, play, drain, outage, recovery. It
// prints what happens and a summary; the error says what did not hold.
func (d *Demo) Tour(ctx context.Context, length time.Duration, out io.Writer) error {
	if length < MinTour {
		return fmt.Errorf("a tour takes at least %s", MinTour)
	}
	t := &tour{d: d, out: out, began: time.Now()}
	ctx, cancel := context.WithTimeout(ctx, length+30*time.Second)
	defer cancel()
	viewing, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer func() { stop(); group.Wait() }()
	if err := t.start(viewing, &group); err != nil {
		return err
	}
	step := length / 6
	t.play(ctx, step)
	t.drain(ctx, step)
	t.outage(ctx, step)
	t.recovery(ctx, step, length)
	stop()
	group.Wait()
	return t.summary()
}

func (t *tour) check(ok bool, format string, args ...any) {
	mark := "ok  "
	text := fmt.Sprintf(format, args...)
	if !ok {
		mark = "FAIL"
		t.failed = append(t.failed, text)
	}
	fmt.Fprintf(t.out, "  %5.1f s  %s  %s\n", time.Since(t.began).Seconds(), mark, text)
}

// start begins three viewers, one over each protocol, whose first choice is
// alpha, so that each of them has something to lose.
func (t *tour) start(ctx context.Context, group *sync.WaitGroup) error {
	fmt.Fprintln(t.out, "start: three viewers of the live programme, steered to alpha at first")
	for _, c := range []struct {
		protocol string
		client   *http.Client
		tls      bool
	}{
		{"HTTP/1.1", t.d.client("h1"), false},
		{"HTTP/2", t.d.client("h2"), true},
		{"HTTP/3", t.d.client("h3"), true},
	} {
		v, err := t.viewerOn(ctx, "alpha", c.protocol, c.client, c.tls)
		if err != nil {
			return err
		}
		t.viewers = append(t.viewers, v)
		group.Go(func() {
			if err := v.watch(ctx); err != nil {
				v.note(err)
			}
		})
	}
	return nil
}

// viewerOn makes a viewer whose session is steered to a CDN first: sessions
// are asked for until one is.
func (t *tour) viewerOn(ctx context.Context, cdn, name string, client *http.Client, secure bool) (*viewer, error) {
	for i := range 200 {
		v := &viewer{
			name: name, client: client, buffer: 10 * time.Second, cdnOf: t.d.cdnOf,
			entry: t.d.edgeURL(secure) + "/live/master.m3u8?device=hlsjs&token=" + t.d.viewerToken(t.d.cfg.Now(), fmt.Sprintf("tour-%s-%d", name, i)),
		}
		if err := v.open(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if v.order[0] == cdn {
			return v, nil
		}
	}
	return nil, fmt.Errorf("of 200 sessions none was sent to %s first", cdn)
}

func (t *tour) play(ctx context.Context, d time.Duration) {
	t.wait(ctx, d)
	for _, v := range t.viewers {
		r := v.report()
		t.check(r.Last == "alpha" && r.Played > 0, "%-8s plays from %s (segments over %s)", r.Name, r.Last, r.Proto)
	}
}

func (t *tour) drain(ctx context.Context, d time.Duration) {
	fmt.Fprintln(t.out, "drain: the operator takes alpha out of service, gently")
	if err := t.admin(ctx, http.MethodPut, "/api/v1/pathways/demo/alpha/drain", map[string]string{"who": "the tour", "why": "to show a drain"}); err != nil {
		t.check(false, "%v", err)
		return
	}
	t.wait(ctx, d)
	for _, v := range t.viewers {
		r := v.report()
		t.check(r.Last != "alpha" && r.Last != "", "%-8s moved to %s", r.Name, r.Last)
	}
	if err := t.admin(ctx, http.MethodDelete, "/api/v1/pathways/demo/alpha/drain", nil); err != nil {
		t.check(false, "%v", err)
	}
	t.wait(ctx, d)
	for _, v := range t.viewers {
		r := v.report()
		t.check(r.Last == "alpha", "%-8s came back to %s after the drain", r.Name, r.Last)
	}
}

func (t *tour) outage(ctx context.Context, d time.Duration) {
	fmt.Fprintln(t.out, "outage: alpha's sockets close; connections are reset and refused")
	alpha := t.d.CDN("alpha")
	if err := alpha.SetFault(Fault{Refuse: true}); err != nil {
		t.check(false, "%v", err)
		return
	}
	t.wait(ctx, d)
	for _, v := range t.viewers {
		r := v.report()
		t.check(r.Last != "alpha", "%-8s goes on from %s, the picture stood still for %.1f s", r.Name, r.Last, r.Stall.Seconds())
	}
	first, err := t.firstChoices(ctx)
	t.check(err == nil && !slices.Contains(first, "alpha"), "new sessions are sent to %s", strings.Join(first, ", "))
	if err := alpha.SetFault(Fault{}); err != nil {
		t.check(false, "%v", err)
	}
}

// firstChoices asks for some new sessions and tells where they are sent.
func (t *tour) firstChoices(ctx context.Context) ([]string, error) {
	var seen []string
	for i := range 20 {
		v := &viewer{name: "probe", client: t.d.client("h1"), cdnOf: t.d.cdnOf, entry: t.d.edgeURL(false) + "/live/master.m3u8?device=hlsjs&token=" + t.d.viewerToken(t.d.cfg.Now(), fmt.Sprintf("choice-%d", i))}
		if err := v.open(ctx); err != nil {
			return nil, err
		}
		if !slices.Contains(seen, v.order[0]) {
			seen = append(seen, v.order[0])
		}
	}
	slices.Sort(seen)
	return seen, nil
}

func (t *tour) recovery(ctx context.Context, d, length time.Duration) {
	fmt.Fprintln(t.out, "recovery: alpha is back")
	t.wait(ctx, d)
	v, err := t.viewerOn(ctx, "alpha", "a new session", t.d.client("h3"), true)
	if err != nil {
		t.check(false, "the edge ranks alpha first again: %v", err)
		return
	}
	t.check(true, "the edge ranks alpha first again")
	watching, stop := context.WithTimeout(ctx, max(4*time.Second, length-time.Since(t.began)))
	defer stop()
	if err := v.watch(watching); err != nil {
		t.check(false, "%v", err)
		return
	}
	r := v.report()
	t.check(r.Counts["alpha"] > 0 && len(r.Counts) == 1, "%s plays from %s", r.Name, r.Last)
}

func (t *tour) summary() error {
	fmt.Fprintf(t.out, "\n  %-10s %8s %8s   %s\n", "viewer", "played", "stalled", "segments by CDN")
	for _, v := range t.viewers {
		r := v.report()
		var by []string
		for _, c := range t.d.CDNs {
			by = append(by, fmt.Sprintf("%s %d", c.ID, r.Counts[c.ID]))
		}
		fmt.Fprintf(t.out, "  %-10s %6.1f s %6.2f s   %s\n", r.Name, r.Played.Seconds(), r.Stall.Seconds(), strings.Join(by, ", "))
		if r.Stall > 0 {
			t.failed = append(t.failed, fmt.Sprintf("%s stalled for %s", r.Name, r.Stall))
		}
		for _, e := range r.Errors {
			t.failed = append(t.failed, r.Name+": "+e)
		}
	}
	if len(t.failed) > 0 {
		fmt.Fprintln(t.out)
		return errors.New("the tour failed:\n  " + strings.Join(t.failed, "\n  "))
	}
	fmt.Fprintf(t.out, "\nThe tour held: nobody's picture stopped.\n")
	return nil
}

func (t *tour) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case err := <-t.d.failed:
		t.check(false, "%v", err)
	}
}

// admin calls the admin API.
func (t *tour) admin(ctx context.Context, method, path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("http://%s%s", t.d.edge.AdminAddr(), path), bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+t.d.adminToken)
	req.Header.Set("Content-Type", "application/json")
	res, err := t.d.client("h1").Do(req)
	if err != nil {
		return fmt.Errorf("cannot call the admin API: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		return fmt.Errorf("the admin API answered %d: %s", res.StatusCode, text)
	}
	return nil
}

// cdnOf tells whose URL it is.
func (d *Demo) cdnOf(u *url.URL) string {
	for _, c := range d.CDNs {
		plain, secure := c.Ports()
		if p := u.Port(); p == fmt.Sprint(plain) || p == fmt.Sprint(secure) {
			return c.ID
		}
	}
	return u.Host
}

// client is a client of one protocol that trusts the demo's certificate.
func (d *Demo) client(protocol string) *http.Client {
	trust := &tls.Config{RootCAs: d.cert.Pool()}
	if protocol == "h3" {
		// Who does not answer to a QUIC handshake is given up before the buffer
		// is empty; a browser would have tried TCP meanwhile.
		return &http.Client{Transport: &http3.Transport{TLSClientConfig: trust, QUICConfig: &quic.Config{HandshakeIdleTimeout: 3 * time.Second}}}
	}
	t := &http.Transport{TLSClientConfig: trust, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return dial.Localhost(ctx, network, addr)
	}}
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(protocol == "h1")
	t.Protocols.SetHTTP2(protocol == "h2")
	return &http.Client{Transport: t}
}
