package benchmarks

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"manifold/internal/testkit/measure"
	"manifold/proxy/listen"
)

func TestMain(m *testing.M) {
	if os.Getenv(loadVar) != "" {
		os.Exit(loadMain())
	}
	flag.Parse()
	if !*table {
		os.Exit(m.Run())
	}
	if !printTable() {
		os.Exit(1)
	}
}

var protocols = []string{"h1", "h2", "h3"}

// contenders are the edge, and the bare handler without and with a copy of
// what it writes.
var contenders = []string{"manifold", "bare", "barecopy"}

// BenchmarkRequest has the viewers ask b.N times; time and allocations are the
// servers' alone.
func BenchmarkRequest(b *testing.B) {
	s := newStage(b)
	for _, p := range protocols {
		b.Run(p, func(b *testing.B) {
			for _, k := range cases {
				b.Run(k.name, func(b *testing.B) {
					t, err := s.prepare(p, &k)
					if err != nil {
						b.Fatal(err)
					}
					for _, c := range contenders {
						b.Run(c, func(b *testing.B) {
							if _, err := s.measure(t, c, connections); err != nil {
								b.Fatal(err)
							}
							b.ReportAllocs()
							b.ResetTimer()
							f, err := s.measure(t, c, b.N)
							if err != nil {
								b.Fatal(err)
							}
							b.ReportMetric(f.cpu, "cpu-ns/op")
						})
					}
				})
			}
		})
	}
}

// stage is the servers and the viewers.
type stage struct {
	edge map[string]string // addresses of ours, by protocol
	bare *bare
	load *load

	paths map[*document][]string
}

func newStage(tb testing.TB) *stage {
	tb.Helper()
	identity, err := listen.NewIdentity(time.Now())
	if err != nil {
		tb.Fatal(err)
	}
	s := &stage{edge: map[string]string{}, bare: startBare(tb, identity), load: startLoad(tb), paths: map[*document][]string{}}
	for _, a := range startEdge(tb, identity).Addrs() {
		switch a.Kind {
		case listen.Plain:
			s.edge["h1"] = a.Addr.String()
		case listen.TLS:
			s.edge["h2"], s.edge["h3"] = a.Addr.String(), a.Addr.String()
		}
	}
	for _, d := range documents {
		if s.paths[d], err = sessionPaths(transport("h1"), "http://"+s.edge["h1"], d); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// trial is one case over one protocol.
type trial struct {
	kase     *kase
	protocol string
	header   http.Header // of our answer
	size     int         // of our answers, on average over the viewers
}

// prepare asks once for every viewer: what is kept is then there, and the
// rivals learn what to write.
func (s *stage) prepare(protocol string, k *kase) (*trial, error) {
	t := &trial{kase: k, protocol: protocol}
	rt := transport(protocol)
	paths := s.paths[k.document]
	for _, path := range paths {
		resp, body, err := ask(rt, scheme(protocol)+"://"+s.edge[protocol]+path, browserHeader(k.gzip))
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK || (resp.Header.Get("Content-Encoding") == "gzip") != k.gzip {
			return nil, fmt.Errorf("%s: %s, Content-Encoding %q", path, resp.Status, resp.Header.Get("Content-Encoding"))
		}
		t.header = resp.Header
		t.size += len(body)
	}
	t.size /= len(paths)
	t.header.Set("Content-Length", fmt.Sprint(t.size))
	return t, nil
}

func scheme(protocol string) string {
	if protocol == "h1" {
		return "http"
	}
	return "https"
}

// figures are what one request cost: nanoseconds and allocations; and how the
// processor time of ours was to it.
type figures struct{ wall, cpu, allocs, ratio float64 }

// measure has the viewers ask n times.
func (s *stage) measure(t *trial, contender string, n int) (figures, error) {
	o := &order{Protocol: t.protocol, Address: s.edge[t.protocol], Paths: s.paths[t.kase.document], Gzip: t.kase.gzip, Requests: n}
	if contender != "manifold" {
		o.Address = s.bare.address[t.protocol]
		s.bare.answer.Store(newAnswer(t.header, t.size, contender == "barecopy"))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu := measure.CPU()
	wall, err := s.load.run(o)
	cpu = measure.CPU() - cpu
	runtime.ReadMemStats(&after)
	per := 1 / float64(n)
	return figures{wall: float64(wall) * per, cpu: float64(cpu) * per, allocs: float64(after.Mallocs-before.Mallocs) * per}, err
}
