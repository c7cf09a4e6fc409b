package listen

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Identity is a private certification authority and one server certificate by
// it, for a host that has no certificate of its own: a demonstration, a test,
// an edge that is just being set up.
type Identity struct {
	CA   []byte // PEM: what clients are told to trust
	Leaf tls.Certificate
	SPKI string // base64 of SHA-256 over the leaf's SubjectPublicKeyInfo, as Chromium's --ignore-certificate-errors-spki-list wants it
}

// Pool gives a certificate pool that trusts the authority.
func (i *Identity) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(i.CA)
	return p
}

// Names and files of an Identity, and how long it holds.
const (
	identityCA   = "ca.pem"
	identityLeaf = "leaf.pem" // chain and key
	caYears      = 10
	leafDays     = 90
	renewDays    = 30
)

// LocalNames are the names of this host to itself.
var LocalNames = []string{"localhost", "*.localhost", "127.0.0.1", "::1"}

// NewIdentity makes a new authority and a certificate for names (host names,
// wildcards, addresses; none means [LocalNames]), both ECDSA P-256.
func NewIdentity(now time.Time, names ...string) (*Identity, error) {
	if len(names) == 0 {
		names = LocalNames
	}
	id, _, err := newIdentity(now, names)
	return id, err
}

func newIdentity(now time.Time, names []string) (*Identity, []byte, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a key: %w", err)
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a key: %w", err)
	}
	serial := func() *big.Int {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails
		b[0] &= 0x7f
		return new(big.Int).SetBytes(b[:])
	}
	from := now.Add(-time.Hour) // for clocks that are behind
	ca := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Manifold local authority"},
		NotBefore: from, NotAfter: from.AddDate(caYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	leaf := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: names[0]},
		NotBefore: from, NotAfter: from.AddDate(0, 0, leafDays),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, n)
		}
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot sign the authority: %w", err)
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &leafKey.PublicKey, caKey)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot sign the certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot write the key: %w", err)
	}
	var chain bytes.Buffer
	for _, b := range []*pem.Block{{Type: "CERTIFICATE", Bytes: leafDER}, {Type: "CERTIFICATE", Bytes: caDER}, {Type: "PRIVATE KEY", Bytes: keyDER}} {
		_ = pem.Encode(&chain, b) // to memory
	}
	id, err := readIdentity(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), chain.Bytes())
	return id, chain.Bytes(), err
}

func readIdentity(ca, chain []byte) (*Identity, error) {
	cert, err := tls.X509KeyPair(chain, chain)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(cert.Leaf.RawSubjectPublicKeyInfo)
	return &Identity{CA: ca, Leaf: cert, SPKI: base64.StdEncoding.EncodeToString(sum[:])}, nil
}

// LoadIdentity reads the Identity kept in a folder (ca.pem, and leaf.pem with
// the key), or makes one and keeps it there: also when the one that is there
// ends within 30 days or lacks one of names.
func LoadIdentity(folder string, now time.Time, names ...string) (*Identity, error) {
	if len(names) == 0 {
		names = LocalNames
	}
	fail := func(err error) (*Identity, error) {
		return nil, fmt.Errorf("cannot keep a certificate in %s: %w", folder, err)
	}
	ca, err := os.ReadFile(filepath.Join(folder, identityCA))
	var chain []byte
	if err == nil {
		chain, err = os.ReadFile(filepath.Join(folder, identityLeaf))
	}
	switch {
	case err == nil:
		if id, err := readIdentity(ca, chain); err == nil && id.serves(now, names) {
			return id, nil
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fail(err)
	}
	id, chain, err := newIdentity(now, names)
	if err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fail(err)
	}
	if err := replaceFile(filepath.Join(folder, identityLeaf), chain, 0o600); err != nil {
		return fail(err)
	}
	if err := replaceFile(filepath.Join(folder, identityCA), id.CA, 0o644); err != nil {
		return fail(err)
	}
	return id, nil
}

func (i *Identity) serves(now time.Time, names []string) bool {
	leaf := i.Leaf.Leaf
	if now.Before(leaf.NotBefore) || now.AddDate(0, 0, renewDays).After(leaf.NotAfter) {
		return false
	}
	has := map[string]bool{}
	for _, n := range leaf.DNSNames {
		has[n] = true
	}
	for _, ip := range leaf.IPAddresses {
		has[ip.String()] = true
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			n = ip.String()
		}
		if !has[n] {
			return false
		}
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: i.Pool(), CurrentTime: now})
	return err == nil
}

func replaceFile(path string, content []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
