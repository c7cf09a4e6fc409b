package listen

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func writeIdentity(t *testing.T, names ...string) (CertFile, *Identity) {
	t.Helper()
	folder := t.TempDir()
	id, err := LoadIdentity(folder, time.Now(), names...)
	if err != nil {
		t.Fatal(err)
	}
	leaf := filepath.Join(folder, identityLeaf)
	return CertFile{leaf, leaf}, id
}

func hello(name string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{
		ServerName:        name,
		SupportedVersions: []uint16{tls.VersionTLS13},
		SignatureSchemes:  []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		SupportedCurves:   []tls.CurveID{tls.CurveP256},
	}
}

func TestCertStoreChoosesByName(t *testing.T) {
	a, _ := writeIdentity(t, "a.example", "192.0.2.1")
	b, _ := writeIdentity(t, "*.b.example", "b.example")
	s, err := NewCertStore(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"a.example": "a.example", "A.Example": "a.example", "a.example.": "a.example", "192.0.2.1": "a.example",
		"b.example": "*.b.example", "x.b.example": "*.b.example", "x.y.b.example": "a.example",
		"unknown.example": "a.example", "": "a.example", ".": "a.example", ".example": "a.example",
	} {
		c, err := s.Certificate(hello(name))
		if err != nil || c.Leaf.Subject.CommonName != want {
			t.Errorf("%q: %v %v, want %s", name, c.Leaf.Subject.CommonName, err, want)
		}
	}
	infos := s.Certificates()
	if len(infos) != 2 || !slices.Equal(infos[1].Names, []string{"*.b.example", "b.example"}) || infos[0].NotAfter.Before(time.Now()) {
		t.Errorf("certificates %+v", infos)
	}
}

// TestCertStoreReload: a reload is whole or not at all, and connections that
// come afterwards see it on all protocols.
func TestCertStoreReload(t *testing.T) {
	file, first := writeIdentity(t)
	s, err := NewCertStore(file)
	if err != nil {
		t.Fatal(err)
	}
	cfg := localConfig(t)
	cfg.Certificate = s.Certificate
	l := run(t, cfg, text200("ok"))
	serial := func(id *Identity) string {
		t.Helper()
		serials := map[string]bool{}
		for _, w := range ways(t, l)[1:] {
			setRoots(w.client, id)
			resp, _ := w.get(t, "/")
			serials[resp.TLS.PeerCertificates[0].SerialNumber.String()] = true
		}
		if len(serials) != 1 {
			t.Fatalf("different certificates: %v", serials)
		}
		for s := range serials {
			return s
		}
		return ""
	}
	before := serial(first)
	if before != first.Leaf.Leaf.SerialNumber.String() {
		t.Error("another certificate")
	}
	good, err := os.ReadFile(file.Cert)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file.Cert, []byte("-----BEGIN CERTIFICATE-----\nbroken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "cannot load certificate "+file.Cert) {
		t.Errorf("a broken file: %v", err)
	}
	if serial(first) != before {
		t.Error("a broken file changed the certificate")
	}
	second, err := NewIdentity(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, chain, err := newIdentity(time.Now(), LocalNames)
	if err != nil || len(good) == 0 {
		t.Fatal(err)
	}
	if err := os.WriteFile(file.Cert, chain, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	got, err := s.Certificate(hello("localhost"))
	if err != nil || got.Leaf.SerialNumber.String() == before {
		t.Errorf("not reloaded: %v", err)
	}
	static, err := NewStaticCerts(second.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	if err := static.Reload(); err != nil {
		t.Errorf("reload of certificates in memory: %v", err)
	}
}

func TestCertStoreErrors(t *testing.T) {
	if _, err := NewCertStore(); err == nil {
		t.Error("no file taken for some")
	}
	if _, err := NewStaticCerts(); err == nil {
		t.Error("no certificate taken for some")
	}
	_, err := NewCertStore(CertFile{"/nowhere/a.pem", "/nowhere/a.key"}, CertFile{"/nowhere/b.pem", "/nowhere/b.key"})
	if err == nil || !strings.Contains(err.Error(), "/nowhere/a.pem") || !strings.Contains(err.Error(), "/nowhere/b.pem") {
		t.Errorf("missing files: %v", err)
	}
}

func TestIdentity(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	folder := filepath.Join(t.TempDir(), "state")
	id, err := LoadIdentity(folder, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "cdn-a.localhost", "127.0.0.1", "::1"} {
		if _, err := id.Leaf.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: id.Pool(), CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if sum, err := base64.StdEncoding.DecodeString(id.SPKI); err != nil || len(sum) != 32 {
		t.Errorf("SPKI %q: %v", id.SPKI, err)
	}
	if info, err := os.Stat(filepath.Join(folder, identityLeaf)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
	same := func(at time.Time, names ...string) bool {
		t.Helper()
		again, err := LoadIdentity(folder, at, names...)
		if err != nil {
			t.Fatal(err)
		}
		kept := again.SPKI == id.SPKI
		id = again
		return kept
	}
	if !same(now.AddDate(0, 0, 50)) {
		t.Error("made anew though it is good")
	}
	if same(now.AddDate(0, 0, 70)) {
		t.Error("kept though it ends soon")
	}
	if same(now.AddDate(0, 0, 70), "edge.example") {
		t.Error("kept though a name is missing")
	}
	if same(now.AddDate(-1, 0, 0), "edge.example") {
		t.Error("kept though it is of the future")
	}
	if err := os.WriteFile(filepath.Join(folder, identityLeaf), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if same(now) {
		t.Error("kept though it is broken")
	}
	if _, err := LoadIdentity(filepath.Join(folder, identityCA, "below"), now); err == nil || !strings.Contains(err.Error(), "cannot keep a certificate in") {
		t.Errorf("a folder that cannot be: %v", err)
	}
}
