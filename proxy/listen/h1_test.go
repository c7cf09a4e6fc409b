package listen

import (
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"manifold/exchange"
)

// TestSmuggling sends what a proxy in front of us could read differently. No
// request may reach the handler that is not meant to, and after a refusal
// nothing more of the connection is read as a request.
func TestSmuggling(t *testing.T) {
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	var mu sync.Mutex
	var seen []string
	l := run(t, localConfig(t), exchange.HandlerFunc(func(ex *exchange.Exchange) {
		content := ""
		if ex.RequestBody != nil {
			b, err := io.ReadAll(ex.RequestBody)
			if content = string(b); err != nil {
				ex.Fail(400, err.Error())
				return
			}
		}
		mu.Lock()
		seen = append(seen, ex.Method+" "+ex.Host+ex.Path+" "+content)
		mu.Unlock()
		ex.Status = 200
		ex.Body = append(ex.Body, "ok"...)
	}))
	addr := addrOf(t, l, Plain)
	for _, c := range []struct {
		name     string
		raw      string
		statuses []int
		seen     []string
	}{
		// What is refused, and ends the connection.
		{"CL and TE", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400}, nil},
		{"TE and CL", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n0\r\n\r\n" + smuggled, []int{400}, nil},
		{"TE identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n" + smuggled, []int{400}, nil},
		{"TE identity and CL", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n" + smuggled, []int{400}, nil},
		{"TE gzip, chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 501}, nil},
		{"TE chunked, chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 501}, nil},
		{"TE xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 501}, nil},
		{"TE quoted", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 501}, nil},
		{"TE with vertical tab", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400}, nil},
		{"two TE", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled, []int{400}, nil},
		{"TE folded", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400}, nil},
		{"TE name with a space", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400}, nil},
		{"TE name with a space within", "POST / HTTP/1.1\r\nHost: a\r\nTransfer Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + smuggled, []int{400}, nil},
		{"TE on HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []int{400, 501}, nil},
		{"two CL", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n" + smuggled, []int{400}, nil},
		{"two equal CL", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n" + smuggled, []int{400}, nil},
		{"CL list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n\r\n" + smuggled, []int{400}, nil},
		{"CL signed", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n" + smuggled, []int{400}, nil},
		{"CL negative", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n" + smuggled, []int{400}, nil},
		{"CL hex", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\n" + smuggled, []int{400}, nil},
		{"CL huge", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n" + smuggled, []int{400, 413}, nil},
		{"CL empty", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n" + smuggled, []int{400}, nil},
		{"CL name with a tab", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 0\r\n\r\n" + smuggled, []int{400}, nil},
		{"fold", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n" + smuggled, []int{400}, nil},
		{"fold with a tab", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n" + smuggled, []int{400}, nil},
		{"fold at the beginning", "GET / HTTP/1.1\r\n X: b\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"bare LF in the header", "GET / HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n" + smuggled, []int{400}, nil},
		{"bare LF before the end", "GET / HTTP/1.1\r\nHost: a\r\nX: b\n\r\n\r\n" + smuggled, []int{400}, nil},
		{"bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rY: c\r\n\r\n" + smuggled, []int{400}, nil},
		{"NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\x00c\r\n\r\n" + smuggled, []int{400}, nil},
		{"NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\x00: b\r\n\r\n" + smuggled, []int{400}, nil},
		{"line without colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n" + smuggled, []int{400}, nil},
		{"empty name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n" + smuggled, []int{400}, nil},
		{"name with a bracket", "GET / HTTP/1.1\r\nHost: a\r\nX[]: b\r\n\r\n" + smuggled, []int{400}, nil},
		{"name beyond ASCII", "GET / HTTP/1.1\r\nHost: a\r\nX\xe9: b\r\n\r\n" + smuggled, []int{400}, nil},

		{"no Host", "GET / HTTP/1.1\r\n\r\n" + smuggled, []int{400}, nil},
		{"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n" + smuggled, []int{400}, nil},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + smuggled, []int{400}, nil},
		{"two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n" + smuggled, []int{400}, nil},
		{"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" + smuggled, []int{400}, nil},
		{"Host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n" + smuggled, []int{400}, nil},
		{"Host with a bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n" + smuggled, []int{400}, nil},
		{"Host with a port too high", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n" + smuggled, []int{400}, nil},
		{"Host escaped", "GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n" + smuggled, []int{400}, nil},
		{"Host beyond ASCII", "GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n" + smuggled, []int{400}, nil},
		{"Host broken IPv6", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n" + smuggled, []int{400}, nil},
		{"Host IPv6 zone", "GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n" + smuggled, []int{400}, nil},
		{"absolute form, other Host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"absolute form, user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"absolute form, other port", "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"absolute form, other scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"absolute form, hostile path", "GET http://a/../b HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"authority form for GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},

		{"HTTP/0.9", "GET /\r\n\r\n" + smuggled, []int{400, 505}, nil},
		{"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n" + smuggled, []int{505}, nil},
		{"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n" + smuggled, []int{505}, nil},
		{"HTTP/0.9 spelt", "GET / HTTP/0.9\r\nHost: a\r\n\r\n" + smuggled, []int{505}, nil},
		{"HTTP/11", "GET / HTTP/11\r\nHost: a\r\n\r\n" + smuggled, []int{400, 505}, nil},
		{"http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400, 505}, nil},
		{"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"tab in the request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"method of brackets", "G[T / HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{400}, nil},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400, 505}, nil},
		{"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400}, nil},

		{"chunk size with sign", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n" + smuggled, []int{400}, nil},
		{"chunk size 0x", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n" + smuggled, []int{400}, nil},
		{"chunk size too large", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n" + smuggled, []int{400}, nil},
		{"chunk ended by bare LF", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n" + smuggled, []int{400}, nil},
		{"chunk without end", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx0\r\n\r\n" + smuggled, []int{400}, nil},
		{"LF in a chunk extension", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n" + smuggled, []int{400}, nil},

		{"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n" + smuggled, []int{405}, nil},
		{"CONNECT to a path", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n" + smuggled, []int{405}, nil},

		// What is allowed, and keeps the connection in step.
		{"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n", []int{405, 200}, []string{"GET a/next "}},
		{"asterisk for OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n", []int{204, 200}, []string{"GET a/next "}},
		{"pipelined", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", []int{200, 200}, []string{"GET a/1 ", "GET a/2 "}},
		{"content, then a request", "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345GET /2 HTTP/1.1\r\nHost: a\r\n\r\n", []int{200, 200}, []string{"POST a/1 12345", "GET a/2 "}},
		{"chunks, then a request", "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", []int{200, 200}, []string{"POST a/1 abcde", "GET a/2 "}},
		{"GET with content", "GET /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxyGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", []int{200, 200}, []string{"GET a/1 xy", "GET a/2 "}},
		{"absolute form", "GET http://A:80/x?y HTTP/1.1\r\nHost: a:80\r\n\r\n", []int{200}, []string{"GET a:80/x "}},
		{"absolute form without path", "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", []int{200}, []string{"GET a/ "}},
		{"HTTP/1.0", "GET /1 HTTP/1.0\r\nHost: a\r\n\r\n" + smuggled, []int{200}, []string{"GET a/1 "}},
		{"HTTP/1.0 without Host", "OPTIONS / HTTP/1.0\r\n\r\n" + smuggled, []int{200}, []string{"OPTIONS " + addr + "/ "}},
		{"Connection: close", "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + smuggled, []int{200}, []string{"GET a/1 "}},
		{"IPv6 Host", "GET /1 HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", []int{200}, []string{"GET [::1]:8443/1 "}},
		{"lines before the request", "\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n", []int{200}, []string{"GET a/1 "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			mu.Lock()
			seen = nil
			mu.Unlock()
			answers := rawH1(t, addr, c.raw)
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(seen, c.seen) {
				t.Errorf("the handler saw %q, want %q", seen, c.seen)
			}
			var got []int
			for _, a := range answers {
				got = append(got, a.status)
			}
			if len(c.seen) > 0 || strings.HasPrefix(c.name, "TRACE") {
				if !slices.Equal(got, c.statuses) {
					t.Errorf("answers %v, want %v", got, c.statuses)
				}
			} else if len(got) != 1 || !slices.Contains(c.statuses, got[0]) {
				t.Errorf("answers %v, want one of %v and then the end", got, c.statuses)
			}
		})
	}
}
