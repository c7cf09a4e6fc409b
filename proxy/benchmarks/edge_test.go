package benchmarks

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"manifold/origin"
	"manifold/proxy"
	"manifold/proxy/access"
	"manifold/proxy/access/token"
	"manifold/proxy/listen"
	"manifold/session"
)

const secret = "0123456789abcdef0123456789abcdef"

// keys gives one secret for everything.
type keys struct{}

func (keys) Secret(string) ([]byte, error) { return []byte(secret), nil }
func (keys) PublicKey(string) (*ecdsa.PublicKey, error) {
	return nil, errors.New("no public keys here")
}

// startEdge starts the product: listener, proxy and shield before an origin,
// a channel that asks for tokens, and three CDNs that each want one.
func startEdge(tb testing.TB, identity *listen.Identity) *listen.Listener {
	tb.Helper()
	files := map[string]*document{}
	for _, d := range documents {
		files["/"+d.path] = d
	}
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", d.contentType)
		w.Header().Set("Cache-Control", "max-age=2")
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(d.body)
	}))
	tb.Cleanup(source.Close)

	shield, err := origin.New(origin.Config{}, time.Now, rand.Float64)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(shield.Close)
	sessions, err := session.NewKeys(session.Secrets{Sign: [][]byte{[]byte(secret)}})
	if err != nil {
		tb.Fatal(err)
	}
	p := proxy.New(shield, slog.New(slog.DiscardHandler), time.Now)
	err = p.Load(&proxy.Config{
		Sessions: sessions,
		Keys:     keys{},
		Sets: []proxy.SetConfig{{Name: "public", Pathways: []proxy.PathwayConfig{
			{ID: "alpha", Base: "https://cdn-a.example", Weight: 50, Token: &token.Config{Format: "akamai", Keys: []string{"a"}}},
			{ID: "beta", Base: "https://cdn-b.example", Weight: 30, Token: &token.Config{Format: "akamai", Keys: []string{"b"}}},
			{ID: "gamma", Base: "https://cdn-c.example", Weight: 20, Token: &token.Config{Format: "akamai", Keys: []string{"c"}}},
		}}},
		Channels: []proxy.ChannelConfig{{
			Name: "news", Prefix: "/news", Set: "public", Steering: true,
			Origin: origin.GroupConfig{Name: "news", Origins: []origin.OriginConfig{{URL: source.URL + "/"}}, AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
			Access: access.Config{Token: "jwt", Issuers: []access.Issuer{{Name: "login", Keys: []access.Key{{Algorithm: "HS256", Key: "viewers"}}}}},
		}},
	})
	if err != nil {
		tb.Fatal(err)
	}

	certs, err := listen.NewStaticCerts(identity.Leaf)
	if err != nil {
		tb.Fatal(err)
	}
	l, err := listen.New(listen.Config{
		Plain: []string{"127.0.0.1:0"}, TLS: []string{"127.0.0.1:0"}, HTTP3: true,
		Certificate: certs.Certificate, DrainGrace: -1,
	}, p)
	if err != nil {
		tb.Fatal(err)
	}
	if err := l.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(l.Close)
	return l
}

// viewers is how many sessions take part.
const viewers = 64

// sessionPaths lets viewers come in at the entry, each with a token of their
// own, and gives their session addresses.
func sessionPaths(rt http.RoundTripper, base string, d *document) ([]string, error) {
	var paths []string
	for i := range viewers {
		now := time.Now()
		jwt, err := access.SigningKey{Secret: []byte(secret)}.Sign(&access.Grant{
			Issuer: "login", Subject: fmt.Sprint("account-", i), TokenID: fmt.Sprint("token-", i), Expires: now.Add(4 * time.Hour).Unix(),
		}, "", now)
		if err != nil {
			return nil, err
		}
		resp, body, err := ask(rt, base+"/news/"+d.path+"?device="+d.device+"&token="+jwt, nil)
		if err != nil {
			return nil, err
		}
		path, err := d.address(resp, body)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// ask is one GET, answered whole.
func ask(rt http.RoundTripper, url string, header http.Header) (*http.Response, []byte, error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}
