package proxy

import "strings"

// keepPrivate makes what the origin says of a segment's life its life with the
// viewer alone: the address names a session, or came with a token, and a cache
// on the way would go on giving the answer when neither is good any more
// (RFC 9111, section 5.2.2.7). What all of a cohort may have stays as it is.
func (r *request) keepPrivate() {
	if r.shared() {
		return
	}
	ex := r.ex
	from := len(ex.Text)
	ex.Text = append(ex.Text, "private"...)
	for _, f := range ex.Fields() {
		if f.Name != "Cache-Control" {
			continue
		}
		for directive := range strings.SplitSeq(f.Value, ",") {
			name, _, quoted := strings.Cut(strings.TrimSpace(directive), `"`)
			name, value, _ := strings.Cut(name, "=")
			switch strings.ToLower(name) {
			case "immutable", "no-cache", "no-store", "no-transform", "must-revalidate":
				ex.Text = append(append(ex.Text, ", "...), name...)
			case "max-age", "stale-while-revalidate", "stale-if-error":
				if !quoted {
					ex.Text = append(append(append(append(ex.Text, ", "...), name...), '='), value...)
				}
			}
		}
	}
	ex.DelField("Cache-Control")
	ex.SetField("Cache-Control", ex.Piece(from))
}
