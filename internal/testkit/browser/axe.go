package browser

// Violation is one rule of axe-core that the page breaks.
type Violation struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"`
	Help   string   `json:"help"`
	Nodes  []string `json:"nodes"` // the first elements, as CSS selectors
}

// Axe runs axe-core on the page as it stands. None is the aim, in light and in
// dark ([Page.ColorScheme]).
func (p *Page) Axe() []Violation {
	p.b.tb.Helper()
	script, err := npmFile("axe-core", "axe.min.js")
	if err != nil {
		p.b.tb.Fatalf("cannot read axe-core: run `make assets` (%v)", err)
	}
	Eval[bool](p, string(script)+";true")
	return Eval[[]Violation](p, `axe.run().then(r => r.violations.map(v => ({
		id: v.id, impact: v.impact || "", help: v.help, nodes: v.nodes.slice(0, 5).map(n => n.target.join(" ")),
	})))`)
}
