package load

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/quic-go/quic-go/http3"

	"manifold/bench/scenario"
)

// Viewers over real sockets speak the protocol that their group says.
func TestProtocols(t *testing.T) {
	var (
		mu    sync.Mutex
		spoke = map[string]string{}
	)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		spoke[strings.TrimPrefix(r.URL.Path, "/")] = r.Proto
		mu.Unlock()
		fmt.Fprint(w, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.1,\na.ts\n#EXT-X-ENDLIST\n")
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h3 := &http3.Server{Handler: s.Config.Handler, TLSConfig: http3.ConfigureTLSConfig(s.TLS.Clone())}
	done := make(chan struct{})
	go func() { defer close(done); _ = h3.Serve(udp) }()
	defer func() { _ = h3.Close(); _ = udp.Close(); <-done }()
	quic := fmt.Sprintf("https://127.0.0.1:%d", udp.LocalAddr().(*net.UDPAddr).Port)
	sc, err := scenario.Parse("protocols.yml", []byte(`
for: 20s
arrivals: [{pattern: constant, viewers: 12, for: 100ms}]
connections: {insecure: true}
audience:
  - {protocol: h1, url: "`+s.URL+`/h1", session: none}
  - {protocol: h2, url: "`+s.URL+`/h2", session: none}
  - {protocol: h3, url: "`+quic+`/h3", session: none}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	run, err := Run(t.Context(), sc, Options{CPU: CPU})
	if err != nil {
		t.Fatal(err)
	}
	if v := run.Rounds[0].Viewers; v.Ended != 12 || run.Rounds[0].Seconds > 10 {
		t.Errorf("%+v in %v s", v, run.Rounds[0].Seconds)
	}
	if want := map[string]string{"h1": "HTTP/1.1", "h2": "HTTP/2.0", "h3": "HTTP/3.0"}; fmt.Sprint(spoke) != fmt.Sprint(want) {
		t.Errorf("spoke %v, want %v", spoke, want)
	}
	if want := "h1, own connections for each viewer; h2, own connections for each viewer; h3, own connections for each viewer"; run.Connections != want {
		t.Errorf("the model is %q", run.Connections)
	}
}
