package origin

import (
	"strconv"
	"time"

	"manifold/exchange"
)

// Respond makes a the answer of ex: status, the origin's end-to-end fields,
// Age, Date and Cache-Status, and the body as it arrives. It takes a over: the
// exchange releases it.
func (a *Answer) Respond(ex *exchange.Exchange) {
	ex.Status = a.Status()
	for _, f := range a.Fields() {
		ex.AddField(f.Name, f.Value)
	}
	if age := a.Age(); age >= time.Second {
		ex.SetField("Age", strconv.FormatInt(int64(age/time.Second), 10))
	}
	ex.SetField("Cache-Status", string(a.AppendCacheStatus(nil)))
	if a.Status() == 206 || a.Status() == 416 {
		ex.SetField("Content-Range", string(a.AppendContentRange(nil)))
	}
	if a.Status() == 304 {
		ex.Body = ex.Body[:0]
		a.Release()
		return
	}
	ex.Stream, ex.StreamSize = a.Reader(), a.Size()
}
