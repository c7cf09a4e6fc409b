package origin

import (
	"strconv"
	"time"

	"manifold/exchange"
)

// Write makes the answer that of an exchange, as a cache passes it on: status,
// the origin's end-to-end fields, Age, Cache-Status, ranges, and the body as
// it arrives. The exchange's listener releases a when it closes the stream;
// the caller must not use a any more. Who adds fields of the same names does
// so after Write.
func (a *Answer) Write(ex *exchange.Exchange) {
	ex.Status = a.status
	for _, f := range a.entry.fields {
		if a.status == 304 && f.Name == "Content-Type" {
			continue
		}
		ex.AddField(f.Name, f.Value)
	}
	ex.SetField("Age", strconv.FormatInt(int64(a.Age()/time.Second), 10))
	ex.SetField("Cache-Status", string(a.AppendCacheStatus(nil)))
	ex.SetField("Accept-Ranges", "bytes")
	if a.status == 206 || a.status == 416 {
		ex.SetField("Content-Range", string(a.AppendContentRange(nil)))
	}
	ex.Body = ex.Body[:0]
	if a.status == 304 || a.status == 416 {
		a.Release()
		return
	}
	ex.StreamSize = a.Size()
	ex.Stream = a.Reader()
}
