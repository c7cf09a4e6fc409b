package browser

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Options says how Chromium reaches the servers under test. The zero value is
// a browser for plain HTTP on loopback.
type Options struct {
	// SPKI are the certificates Chromium takes without a known root, each as
	// [SPKI] gives it. None: private certificates are refused.
	SPKI []string
	// ForceQUIC are the exact host:port pairs spoken to over HTTP/3 from the
	// first byte.
	ForceQUIC []string
	// UpgradeQUIC are host names whose private certificate is accepted for
	// HTTP/3 when they offer it by Alt-Svc: the way of a real first visit.
	UpgradeQUIC []string
	// Timeout bounds every single call that names no limit itself.
	// Zero: 30 s.
	Timeout time.Duration
}

// Browser is one Chromium process with its own empty profile. It ends with the
// test that started it.
type Browser struct {
	tb      testing.TB
	ctx     context.Context
	timeout time.Duration
	// players serves the player page and the players' files; made on first use.
	players func() *httptest.Server
}

// Start starts Chromium. The test fails at once, with the remedy, when it is
// not installed or does not start.
func Start(tb testing.TB, o Options) *Browser {
	tb.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		tb.Fatalf("cannot find chromium: run `make e2e`, which installs it, or `apt-get install chromium` (%v)", err)
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), flags(path, o)...)
	ctx, stop := chromedp.NewContext(alloc)
	tb.Cleanup(func() {
		bound, done := context.WithTimeout(ctx, 10*time.Second)
		defer done()
		if err := chromedp.Cancel(bound); err != nil { // asks first, kills when the bound is over
			tb.Logf("chromium did not stop by itself: %v", err)
		}
		stop()
		stopAlloc()
	})

	started := make(chan error, 1)
	go func() { started <- chromedp.Do(ctx) }() // ctx has no deadline: it bounds the browser's life, not its start
	select {
	case err = <-started:
	case <-time.After(o.Timeout):
		stop()
		err = <-started
	}
	if err != nil {
		tb.Fatalf("cannot start chromium: %v", err)
	}
	b := &Browser{tb: tb, ctx: ctx, timeout: o.Timeout}
	b.players = sync.OnceValue(func() *httptest.Server {
		s := httptest.NewServer(playerHandler(tb))
		tb.Cleanup(s.Close)
		return s
	})
	return b
}

// For is the same browser for a subtest: what it opens ends with that one, and
// failures are its own.
func (b *Browser) For(tb testing.TB) *Browser {
	sub := *b
	sub.tb = tb
	return &sub
}

// SPKI is the form in which Chromium wants to be told of a private
// certificate: base64 of SHA-256 over the SubjectPublicKeyInfo.
func SPKI(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func flags(path string, o Options) []chromedp.ExecAllocatorOption {
	list := append(chromedp.DefaultExecAllocatorOptions[:], // quiet, headless, own profile, timers never throttled
		chromedp.ExecPath(path),
		chromedp.WindowSize(1280, 800),
		chromedp.Flag("no-sandbox", true), // root and containers have no user namespaces to build one from
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		// One loopback address for every name, and no way out: without these
		// QUIC goes to ::1 and the browser looks for the internet.
		chromedp.Flag("host-resolver-rules", "MAP localhost 127.0.0.1,MAP *.localhost 127.0.0.1,EXCLUDE 127.0.0.1,MAP * ~NOTFOUND"),
		chromedp.Flag("enable-quic", true),
	)
	if len(o.SPKI) > 0 {
		list = append(list, chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(o.SPKI, ",")))
	}
	quic := append([]string(nil), o.ForceQUIC...)
	for _, host := range o.UpgradeQUIC {
		// Chromium trusts a private root for QUIC only where QUIC is forced;
		// forcing it on a port nobody uses whitelists the host.
		quic = append(quic, host+":1")
	}
	if len(quic) > 0 {
		list = append(list, chromedp.Flag("origin-to-force-quic-on", strings.Join(quic, ",")))
	}
	return list
}
