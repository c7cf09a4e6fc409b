package origin

import (
	"strconv"
	"time"

	"manifold/exchange"
)

// Respond makes a the answer of ex, as a cache passes it on: status, the
// origin's end-to-end fields, Age, Cache-Status, ranges, and the body as it
// arrives. It takes a over: the exchange releases it. Who has fields of the
// same names of its own sets them afterwards.
func (a *Answer) Respond(ex *exchange.Exchange) {
	ex.Status = a.status
	for _, f := range a.entry.fields {
		if a.status == 304 && f.Name == "Content-Type" {
			continue
		}
		ex.AddField(f.Name, f.Value)
	}
	from := len(ex.Text)
	// An Age says that the origin was not asked (RFC 9111, section 5.1).
	if age := a.Age(); age >= time.Second || a.state == Hit || a.state == Stale || a.state == StaleError {
		ex.Text = strconv.AppendInt(ex.Text, int64(age/time.Second), 10)
		ex.SetField("Age", ex.Piece(from))
		from = len(ex.Text)
	}
	ex.Text = a.AppendCacheStatus(ex.Text)
	ex.SetField("Cache-Status", ex.Piece(from))
	ex.SetField("Accept-Ranges", "bytes")
	if a.status == 206 || a.status == 416 {
		from = len(ex.Text)
		ex.Text = a.AppendContentRange(ex.Text)
		ex.SetField("Content-Range", ex.Piece(from))
	}
	ex.Body = ex.Body[:0]
	if a.status == 304 || a.status == 416 {
		a.Release()
		return
	}
	ex.StreamSize = a.Size()
	ex.Stream = a.Reader()
}
