package config

import (
	"crypto/ecdsa"
	"path/filepath"
	"slices"
	"strings"

	"manifold/keys"
)

// secrets reads what references stand for, each once for a configuration: a
// thousand channels share a key, and all of them the same state of its file.
// When the configuration has been built nothing is added any more.
type secrets struct {
	src    keys.Source
	cached map[string]secret
	public map[string]publicKey
	files  []string
}

type secret struct {
	bytes []byte
	err   error
}

type publicKey struct {
	key *ecdsa.PublicKey
	err error
}

func newSecrets(dir string, lookup func(string) (string, bool)) *secrets {
	return &secrets{src: keys.Source{Dir: dir, LookupEnv: lookup}, cached: map[string]secret{}, public: map[string]publicKey{}}
}

// Secret gives a symmetric key (access.KeySource).
func (s *secrets) Secret(ref string) ([]byte, error) {
	c, have := s.cached[ref]
	if !have {
		c.bytes, c.err = s.src.Secret(ref)
		s.cached[ref] = c
		s.note(ref)
	}
	return slices.Clone(c.bytes), c.err
}

// PublicKey gives an EC public key (access.KeySource).
func (s *secrets) PublicKey(ref string) (*ecdsa.PublicKey, error) {
	c, have := s.public[ref]
	if !have {
		c.key, c.err = s.src.PublicKey(ref)
		s.public[ref] = c
		s.note(ref)
	}
	return c.key, c.err
}

// note keeps the name of a file that was read.
func (s *secrets) note(ref string) {
	name, ok := strings.CutPrefix(ref, "file:")
	if !ok {
		return
	}
	if i := strings.LastIndexByte(name, '#'); i >= 0 {
		name = name[:i]
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.src.Dir, name)
	}
	s.files = append(s.files, name)
}

// secret reads a secret that a key of the file refers to; "" gives nil.
func (b *builder) secret(path string, ref Ref) []byte {
	if ref == "" {
		return nil
	}
	s, err := b.secrets.Secret(string(ref))
	if err != nil {
		b.problems.Add(path, "%v", err)
		return nil
	}
	return s
}
