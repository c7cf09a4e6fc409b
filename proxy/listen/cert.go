package listen

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"manifold/internal/file"
)

// CertFile names a certificate chain and its key, both PEM. They may be one
// file.
type CertFile struct{ Cert, Key string }

// CertStore holds certificates that can be changed while connections come.
// [CertStore.Certificate] is for Config.Certificate. It has no locks: a reload
// puts a new set in place of the old one.
type CertStore struct {
	files []CertFile
	set   atomic.Pointer[certSet]
}

// certSet maps lower-case names ("a.example", "*.example") to certificates,
// in the order of the files.
type certSet struct {
	all    []*tls.Certificate
	byName map[string][]*tls.Certificate
}

// NewCertStore loads all files, or says of each that cannot be loaded why.
func NewCertStore(files ...CertFile) (*CertStore, error) {
	s := &CertStore{files: files}
	if len(files) == 0 {
		return nil, errors.New("cannot load certificates: no file named")
	}
	return s, s.Reload()
}

// NewStaticCerts makes a store of certificates that are in memory.
func NewStaticCerts(certs ...tls.Certificate) (*CertStore, error) {
	if len(certs) == 0 {
		return nil, errors.New("cannot hold certificates: none given")
	}
	set := &certSet{byName: map[string][]*tls.Certificate{}}
	for i := range certs {
		if err := set.add(&certs[i]); err != nil {
			return nil, fmt.Errorf("cannot read certificate %d: %w", i+1, err)
		}
	}
	s := &CertStore{}
	s.set.Store(set)
	return s, nil
}

// Reload reads the files again. Where any of them cannot be used all stay as
// they were, and the error says which and why. A store made of certificates in
// memory stays as it is.
func (s *CertStore) Reload() error {
	if len(s.files) == 0 {
		return nil
	}
	set := &certSet{byName: map[string][]*tls.Certificate{}}
	var errs []error
	for _, f := range s.files {
		c, err := f.load()
		if err == nil {
			err = set.add(c)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot load certificate %s with key %s: %w", f.Cert, f.Key, err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	s.set.Store(set)
	return nil
}

// maxPEM bounds a file of certificates or of a key, in bytes.
const maxPEM = 1 << 20

func (f *CertFile) load() (*tls.Certificate, error) {
	chain, err := file.Read(f.Cert, maxPEM)
	if err != nil {
		return nil, err
	}
	key, err := file.Read(f.Key, maxPEM)
	if err != nil {
		return nil, err
	}
	c, err := tls.X509KeyPair(chain, key)
	return &c, err
}

func (s *certSet) add(c *tls.Certificate) error {
	if c.Leaf == nil {
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			return err
		}
		c.Leaf = leaf
	}
	s.all = append(s.all, c)
	names := c.Leaf.DNSNames
	for _, ip := range c.Leaf.IPAddresses {
		names = append(names, ip.String())
	}
	for _, n := range names {
		n = strings.ToLower(n)
		s.byName[n] = append(s.byName[n], c)
	}
	return nil
}

// Certificate chooses by the name that the client asks for: exactly, then by
// wildcard; among several the first that the client's algorithms can verify.
// A client that names nobody known gets the first certificate: it can see for
// itself that it is not the one it wants.
func (s *CertStore) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	set := s.set.Load()
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if name == "" && hello.Conn != nil { // no SNI: it may have come by address
		name = localIP(hello)
	}
	candidates := set.byName[name]
	if len(candidates) == 0 {
		if i := strings.IndexByte(name, '.'); i > 0 {
			candidates = set.byName["*"+name[i:]]
		}
	}
	if len(candidates) == 0 {
		candidates = set.all
	}
	for _, c := range candidates {
		if hello.SupportsCertificate(c) == nil {
			return c, nil
		}
	}
	return candidates[0], nil
}

func localIP(hello *tls.ClientHelloInfo) string {
	return remoteOf(hello.Conn.LocalAddr()).Addr().String()
}

// CertInfo is what an operator wants to know of a certificate.
type CertInfo struct {
	Names    []string
	NotAfter time.Time
}

// Certificates tells which certificates are in force.
func (s *CertStore) Certificates() []CertInfo {
	var infos []CertInfo
	for _, c := range s.set.Load().all {
		names := append([]string(nil), c.Leaf.DNSNames...)
		for _, ip := range c.Leaf.IPAddresses {
			names = append(names, ip.String())
		}
		infos = append(infos, CertInfo{names, c.Leaf.NotAfter})
	}
	return infos
}
