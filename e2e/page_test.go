package e2e

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"manifold/internal/testkit/browser"
)

// The demo's page, as a person uses it: a session at the press of a button,
// segments in the colours of their CDNs, Drain and Take down, and a picture
// that goes on. It must be readable for everybody in light and in dark.
func (s *stage) page(t *testing.T, b *browser.Browser) {
	s.awaitWindow(t, liveProgramme.delay+10*time.Second)
	p := b.Open(s.demo.PageURL())
	p.WaitFor(`document.querySelectorAll("article.cdn button").length === 12`)
	accessible(t, p, "before a session")

	began := time.Now()
	press(p, `input[name=transport][value=tls]`)
	press(p, `#choice button`)
	p.WaitFor(`document.querySelectorAll("#segments li.video").length >= 5 && document.querySelector("video").currentTime > 0`)
	browser.Eval[bool](p, heart+`;`+watchPicture)

	feeding := s.pictureFrom(p)
	t.Log("the picture comes from ", feeding)
	if n := s.served(began, ""); n[feeding] < 5 || len(n) != 1 {
		t.Errorf("the page says %s, the CDNs' logs say %v", feeding, n)
	}
	pressOf(p, feeding, "Drain")
	moved := s.awaitPicture(t, p, feeding)
	pressOf(p, feeding, "Undo drain")
	pressOf(p, moved, "Take down")
	s.awaitPicture(t, p, moved)
	p.WaitFor(`document.querySelector("article.` + moved + ` .state").textContent === "refuses connections"`)
	accessible(t, p, "in an outage")
	p.ColorScheme("light")
	keepPicture(t, p, "page-light.png")
	p.ColorScheme("dark")
	keepPicture(t, p, "page-dark.png")
	pressOf(p, moved, "Bring back")
	s.recover(t, moved)

	type stood struct{ At, For float64 }
	late := browser.Eval[lateness](p, "window.late")
	for _, g := range browser.Eval[[]stood](p, "window.stood") {
		if g.For-float64(late.within(g.At, g.At+g.For).Milliseconds()) > 250 {
			t.Errorf("the picture stood still for %.0f ms", g.For)
		}
	}

	// A second session: the other player, the other transport, VOD.
	press(p, `input[name=transport][value=plain]`)
	press(p, `input[name=player][value=dashjs]`)
	press(p, `input[name=programme][value=vod]`)
	press(p, `#choice button`)
	p.WaitFor(`document.querySelector("video").currentTime > 1 && document.querySelectorAll("#segments li.video[data-protocol='HTTP/1.1']").length >= 5`)
	for _, m := range p.Errors() {
		if m.Source != "network" || !strings.Contains(m.Text, "net::ERR_") { // the outage's
			t.Errorf("console: %v", m)
		}
	}
	if problem := browser.Eval[string](p, `document.querySelector("#problem").textContent`); problem != "" {
		t.Errorf("the page has a problem: %s", problem)
	}
}

// The command that the demo prints starts a Chromium that reaches the edge over
// HTTP/3: here with what a machine without a screen needs as well.
func (s *stage) command(t *testing.T) {
	command, ok := strings.CutSuffix(s.demo.ChromiumCommand(), s.demo.PageURL())
	if !ok {
		t.Fatalf("the command does not open the page: %s", command)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-c", "exec "+command+"--headless=new --no-sandbox --disable-gpu --dump-dom "+s.base(true)+"/nothing")
	shell.WaitDelay = time.Second
	page, err := shell.Output()
	if err != nil || !strings.Contains(string(page), "no channel has this address") {
		t.Errorf("with the command\n%s\nthe edge is not reached: %v\n%s", command, err, page)
	}
}

// watchPicture notes when the page's picture stands still for long.
const watchPicture = `(() => {
	const video = document.querySelector("video");
	let position = video.currentTime, since = performance.now(), open = false;
	window.stood = [];
	setInterval(() => {
		const now = performance.now();
		if (video.currentTime !== position) { position = video.currentTime; since = now; open = false; return; }
		if (now - since <= 250) return;
		if (!open) stood.push({at: since, for: 0});
		open = true;
		stood[stood.length - 1].for = now - since;
	}, 50);
	return true;
})()`

// pictureFrom is the CDN that the page names.
func (s *stage) pictureFrom(p *browser.Page) string {
	text, _, _ := strings.Cut(browser.Eval[string](p, `document.querySelector("#fact-from").textContent`), ",")
	return text
}

// awaitPicture waits until the page and the CDNs' logs say that the picture
// comes from another CDN, and tells which.
func (s *stage) awaitPicture(t *testing.T, p *browser.Page, before string) string {
	t.Helper()
	since := time.Now()
	p.WaitFor(`!document.querySelector("#fact-from").textContent.startsWith("` + before + `,")`)
	now := s.pictureFrom(p)
	if n := s.served(since, ""); n[now] == 0 {
		t.Errorf("the page says that the picture moved to %s, the CDNs' logs say %v", now, n)
	}
	if n := browser.Eval[int](p, `document.querySelectorAll("#segments .lane.`+now+` li.video:not(.failed)").length`); n == 0 {
		t.Errorf("the lane of %s is empty", now)
	}
	return now
}

// press clicks an element.
func press(p *browser.Page, selector string) {
	browser.Eval[bool](p, `document.querySelector("`+selector+`").click(), true`)
}

// pressOf clicks the button of a CDN, once it is there.
func pressOf(p *browser.Page, cdn, button string) {
	find := `[...document.querySelectorAll("article.` + cdn + ` button")].find(b => b.textContent === "` + button + `")`
	p.WaitFor(`!!` + find)
	browser.Eval[bool](p, find+`.click(), true`)
}

// accessible fails the test for what axe-core finds, in light and in dark.
func accessible(t *testing.T, p *browser.Page, when string) {
	t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		p.ColorScheme(scheme)
		for _, v := range p.Axe() {
			t.Errorf("%s, %s: %s: %s %v", when, scheme, v.ID, v.Help, v.Nodes)
		}
	}
}

func keepPicture(t *testing.T, p *browser.Page, name string) {
	t.Helper()
	if err := os.WriteFile(evidence(t, name), p.Screenshot(), 0o644); err != nil {
		t.Error(err)
	}
}
