package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Page is one open page. Its methods fail the test instead of returning
// errors; they belong to the test's own goroutine.
type Page struct {
	b   *Browser
	ctx context.Context

	mu      sync.Mutex
	console []Message
	flushes int
	flushed chan struct{} // closed when the console's stream reached the last flush
	events  []Event
	changed chan struct{} // closed and replaced whenever events grows
}

// Message is one line of a page's console.
type Message struct {
	// Level is "error" (errors, uncaught exceptions, failed requests),
	// "warning", "info", "log" or "debug".
	Level string
	// Source is "network" for a request that failed, "exception" for what
	// nothing caught, "console" for a call by the page, else Chromium's word.
	Source string
	Text   string
}

// Event is one message a page sent to its test.
type Event struct {
	// Type is the word the page chose; the player page's are in play.go.
	Type string `json:"type"`
	// At is the page's clock in milliseconds (performance.now()).
	At float64 `json:"at"`
	// Data is the whole message as JSON.
	Data json.RawMessage `json:"-"`
}

// binding is the function every page has for sending an [Event]:
// rigEmit(JSON.stringify({type, at, ...})).
const binding = "rigEmit"

// prepare runs in every document before its own scripts: Chromium forgets
// resources after 250 entries unless told otherwise.
const prepare = `performance.setResourceTimingBufferSize(50000)`

// Open opens a page as somebody else's: in a new tab that shares no cache, no
// cookies and no connections with the others. It waits until the page is loaded.
func (b *Browser) Open(url string) *Page {
	b.tb.Helper()
	ctx, stop := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	p := &Page{b: b, ctx: ctx, changed: make(chan struct{})}
	messages := chromedp.Console(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for m, err := range messages {
			if err != nil {
				return
			}
			p.hear(message(m))
		}
	}()
	b.tb.Cleanup(func() {
		if b.tb.Failed() {
			p.keepEvidence()
		}
		stop()
		<-read
	})
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		b.tb.Fatalf("cannot open a tab: %v", err)
	}
	p.Do(
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			if _, err := cdp.Call(ctx, t, runtime.AddBinding, runtime.AddBindingParams{Name: binding}); err != nil {
				return err
			}
			_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: prepare})
			return err
		}),
		chromedp.Navigate(url),
	)
	return p
}

func message(m chromedp.ConsoleMessage) Message {
	out := Message{Level: string(m.Type), Source: m.Source, Text: m.Text}
	switch {
	case m.IsException():
		out.Level, out.Source = "error", "exception"
	case out.Source == "":
		out.Source = "console"
	}
	if m.URL != "" {
		out.Text += fmt.Sprintf(" (%s:%d)", m.URL, m.Line+1)
	}
	return out
}

// listen runs on the browser's reading goroutine: it only takes notes.
func (p *Page) listen(ev any) {
	call, ok := ev.(*runtime.EventBindingCalled)
	if !ok || call.Name != binding {
		return
	}
	event := Event{Data: json.RawMessage(call.Payload)}
	if err := json.Unmarshal(event.Data, &event); err != nil {
		event.Type = "malformed"
	}
	p.mu.Lock()
	p.events = append(p.events, event)
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
}

// Do runs chromedp's actions (clicks, keys, navigation), within the browser's
// timeout all together.
func (p *Page) Do(actions ...chromedp.Action[chromedp.Void]) {
	p.b.tb.Helper()
	ctx, done := context.WithTimeout(p.ctx, p.b.timeout)
	defer done()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.b.tb.Fatalf("the page failed an action: %v", err)
	}
}

// Eval evaluates JavaScript in the page, waits for its promise if it is one,
// and decodes the result's JSON.
func Eval[T any](p *Page, js string) T {
	p.b.tb.Helper()
	v, err := eval[T](p, js, p.b.timeout)
	if err != nil {
		p.b.tb.Fatalf("the page failed to evaluate %s: %v", clip(js), err)
	}
	return v
}

func eval[T any](p *Page, js string, limit time.Duration) (T, error) {
	ctx, done := context.WithTimeout(p.ctx, limit)
	defer done()
	return chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
}

// WaitFor waits until a JavaScript expression is true. It is looked at when the
// document changes and when media or the page's own events fire, not by a timer.
func (p *Page) WaitFor(js string) {
	p.b.tb.Helper()
	wait := `new Promise(done => {
		const look = () => { if (!(` + js + `)) return; watch.disconnect(); types.forEach(t => removeEventListener(t, look, true)); done(true) };
		const types = ["load", "input", "change", "click", "focus", "playing", "timeupdate", "ended", "error", "transitionend", "hashchange", "popstate"];
		const watch = new MutationObserver(look);
		watch.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
		types.forEach(t => addEventListener(t, look, true));
		look();
	})`
	if _, err := eval[bool](p, wait, p.b.timeout); err != nil {
		p.b.tb.Fatalf("the page did not reach %s within %v: %v\n%s", clip(js), p.b.timeout, err, p.lastErrors(5))
	}
}

// WaitEvent waits for the first event from position `from` on that match likes
// and returns it with the position after it. It fails the test after limit.
func (p *Page) WaitEvent(from int, limit time.Duration, what string, match func(Event) bool) (Event, int) {
	p.b.tb.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		p.mu.Lock()
		events, changed := p.events, p.changed
		p.mu.Unlock()
		for ; from < len(events); from++ {
			if match(events[from]) {
				return events[from], from + 1
			}
		}
		select {
		case <-changed:
		case <-timer.C:
			p.b.tb.Fatalf("the page reported no %s within %v; it said last:\n%s%s", what, limit, tail(events, 12), p.lastErrors(5))
		case <-p.ctx.Done():
			p.b.tb.Fatalf("the page was closed while its test waited for %s", what)
		}
	}
}

// Events is everything the page sent so far.
func (p *Page) Events() []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clip(p.events)
}

// hear takes a line of the console, or the mark that flush made in it.
func (p *Page) hear(m Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.Level == "debug" && strings.HasPrefix(m.Text, flushMark) {
		if p.flushed != nil && strings.HasPrefix(m.Text, fmt.Sprint(flushMark, p.flushes, ".")) {
			close(p.flushed)
			p.flushed = nil
		}
		return
	}
	p.console = append(p.console, m)
}

const flushMark = "browser rig: flush "

// flush waits until all that the page's console showed before now was heard:
// its lines come on a stream of their own.
func (p *Page) flush() {
	reached := make(chan struct{})
	p.mu.Lock()
	p.flushes++
	p.flushed = reached
	mark := fmt.Sprint(flushMark, p.flushes, ".")
	p.mu.Unlock()
	limit := min(p.b.timeout, 5*time.Second)
	if _, err := eval[bool](p, fmt.Sprintf("console.debug(%q), true", mark), limit); err != nil {
		return // the page is gone: what was heard is all there is
	}
	select {
	case <-reached:
	case <-time.After(limit):
	}
}

// Console is everything the page's console showed so far.
func (p *Page) Console() []Message {
	p.flush()
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clip(p.console)
}

// Errors are the console's lines of level error. Failed requests are among
// them (source "network"): a test that breaks a server expects those.
func (p *Page) Errors() []Message {
	var out []Message
	for _, m := range p.Console() {
		if m.Level == "error" {
			out = append(out, m)
		}
	}
	return out
}

// ColorScheme makes the page believe the viewer prefers "light" or "dark".
func (p *Page) ColorScheme(scheme string) {
	p.b.tb.Helper()
	p.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// Screenshot is the visible part of the page as PNG.
func (p *Page) Screenshot() []byte {
	p.b.tb.Helper()
	png, err := p.screenshot()
	if err != nil {
		p.b.tb.Fatalf("cannot take a picture of the page: %v", err)
	}
	return png
}

func (p *Page) screenshot() ([]byte, error) {
	ctx, done := context.WithTimeout(p.ctx, p.b.timeout)
	defer done()
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}

// keepEvidence writes what a failed test's page showed and said.
func (p *Page) keepEvidence() {
	name := filepath.Join(root(), "build", "e2e", strings.NewReplacer("/", "_", " ", "_").Replace(p.b.tb.Name()))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		p.b.tb.Logf("cannot keep the page's evidence: %v", err)
		return
	}
	var log strings.Builder
	for _, m := range p.Console() {
		fmt.Fprintf(&log, "%-7s %-9s %s\n", m.Level, m.Source, m.Text)
	}
	log.WriteString("\nevents\n" + tail(p.Events(), 500))
	if err := os.WriteFile(name+".log", []byte(log.String()), 0o644); err == nil {
		p.b.tb.Logf("console and events: %s.log", name)
	}
	if png, err := p.screenshot(); err == nil && os.WriteFile(name+".png", png, 0o644) == nil {
		p.b.tb.Logf("picture: %s.png", name)
	}
}

func tail(events []Event, n int) string {
	var out strings.Builder
	for _, e := range events[max(0, len(events)-n):] {
		fmt.Fprintf(&out, "  %s\n", clip(string(e.Data)))
	}
	return out.String()
}

func (p *Page) lastErrors(n int) string {
	var out strings.Builder
	errors := p.Errors()
	for _, m := range errors[max(0, len(errors)-n):] {
		fmt.Fprintf(&out, "  console: %s: %s\n", m.Source, clip(m.Text))
	}
	return out.String()
}

func clip(s string) string {
	if len(s) > 300 {
		return s[:300] + "…"
	}
	return s
}
