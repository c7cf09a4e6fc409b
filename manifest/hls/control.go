package hls

import "bytes"

// serverControl marks what an EXT-X-SERVER-CONTROL offers and the edge does not
// do: it answers every request for a playlist at once and whole, so blocking
// reloads and delta updates (rfc8216bis, sections 6.2.5.1 and 6.2.5.2) are not
// offered. A tag that says nothing else leaves with them.
func (c *compiler) serverControl(attrs int) error {
	var dropped []mark
	kept, last := 0, uint32(attrs)
	err := c.attributes(tagServerControl, attrs, func(a *attribute) error {
		if n := len(dropped); n > 0 && kept == 0 {
			dropped[n-1].to = a.at // with the comma behind it
		}
		switch {
		case !a.named(c.src, "CAN-BLOCK-RELOAD") && !a.named(c.src, "CAN-SKIP-UNTIL") && !a.named(c.src, "CAN-SKIP-DATERANGES"):
			kept++
		case kept == 0:
			dropped = append(dropped, mark{from: a.at, to: a.end, tag: tagServerControl})
		default:
			comma := uint32(bytes.LastIndexByte(c.src[last:a.at], ',')) // there is one: it ended the attribute before
			dropped = append(dropped, mark{from: last + comma, to: a.end, tag: tagServerControl})
		}
		last = a.end
		return nil
	})
	if err != nil {
		return err
	}
	if kept == 0 && len(dropped) > 0 {
		dropped = append(dropped[:0], mark{from: uint32(c.at), to: uint32(c.next), tag: tagServerControl})
	}
	c.t.marks = append(c.t.marks, dropped...)
	return nil
}
