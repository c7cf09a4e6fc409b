package keys

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"manifold/internal/file"
)

// Source reads key references. A reference is
//
//	file:PATH[#FORMAT]
//	env:NAME[#FORMAT]
//
// with FORMAT one of raw, hex, base64url, pem and jwk. Without a format, PEM
// and JSON are recognised by how they begin; all else is raw: the bytes as
// they are, but for one line end after printable text.
type Source struct {
	// Dir is where relative paths begin. Empty is the working directory.
	Dir string
	// LookupEnv reads the environment. Nil is os.LookupEnv.
	LookupEnv func(name string) (string, bool)
}

// maxSize bounds a file or variable in bytes; a JWK set of many keys fits.
const maxSize = 64 << 10

// CheckRef tells whether ref has the form of a reference. The error does not
// show it: what stands there may be a key.
func CheckRef(ref string) error {
	_, _, _, err := split(ref)
	return err
}

func split(ref string) (scheme, place string, format Format, err error) {
	scheme, rest, ok := strings.Cut(ref, ":")
	if !ok || scheme != "file" && scheme != "env" {
		return "", "", "", errors.New(`it is not a reference: write "file:/path" or "env:NAME", for a key never stands in a configuration itself`)
	}
	place = rest
	if i := strings.LastIndexByte(rest, '#'); i >= 0 {
		place, format = rest[:i], Format(rest[i+1:])
		if !format.known() {
			return "", "", "", fmt.Errorf("unknown key format (one of %s)", formatNames)
		}
	}
	if place == "" {
		return "", "", "", fmt.Errorf("nothing stands after %q", scheme+":")
	}
	return scheme, place, format, nil
}

// Keys loads all keys behind a reference: one, or those of a JWK set.
func (s Source) Keys(ref string) ([]Key, error) {
	scheme, place, format, err := split(ref)
	if err != nil {
		return nil, fmt.Errorf("cannot load key: %w", err)
	}
	var data []byte
	if scheme == "env" {
		data, err = s.readEnv(place)
	} else {
		data, err = s.readFile(place)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load key: %w", err)
	}
	list, err := Parse(data, format)
	if err != nil {
		return nil, fmt.Errorf("cannot load key from %s:%s: %w", scheme, place, err)
	}
	return list, nil
}

func (s Source) readEnv(name string) ([]byte, error) {
	lookup := s.LookupEnv
	if lookup == nil {
		lookup = os.LookupEnv
	}
	value, ok := lookup(name)
	switch {
	case !ok:
		return nil, fmt.Errorf("the environment variable %s is not set", name)
	case len(value) > maxSize:
		return nil, fmt.Errorf("the environment variable %s is larger than %d bytes", name, maxSize)
	}
	return []byte(value), nil
}

func (s Source) readFile(path string) ([]byte, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.Dir, path)
	}
	return file.Read(path, maxSize)
}

// one loads the only key behind a reference.
func (s Source) one(ref string) (Key, error) {
	list, err := s.Keys(ref)
	if err != nil {
		return Key{}, err
	}
	if len(list) != 1 {
		return Key{}, fmt.Errorf("cannot use key set: it has %d keys where one is needed", len(list))
	}
	return list[0], nil
}

// Secret loads a symmetric key. A PEM or JWK of another kind is refused, so
// that nobody signs with a public key by mistake.
func (s Source) Secret(ref string) ([]byte, error) {
	k, err := s.one(ref)
	if err != nil {
		return nil, err
	}
	if k.Secret == nil {
		return nil, errors.New("cannot use key: it is an EC key where a secret is needed")
	}
	return k.Secret, nil
}

// Secrets loads symmetric keys, in order.
func (s Source) Secrets(refs ...string) ([][]byte, error) {
	out := make([][]byte, len(refs))
	for i, ref := range refs {
		var err error
		if out[i], err = s.Secret(ref); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PublicKey loads an EC public key; of a private one, its public half.
func (s Source) PublicKey(ref string) (*ecdsa.PublicKey, error) {
	k, err := s.one(ref)
	if err != nil {
		return nil, err
	}
	if k.Public == nil {
		return nil, errors.New("cannot use key: it is a secret where an EC public key is needed")
	}
	return k.Public, nil
}

// PrivateKey loads an EC private key.
func (s Source) PrivateKey(ref string) (*ecdsa.PrivateKey, error) {
	k, err := s.one(ref)
	if err != nil {
		return nil, err
	}
	if k.Private == nil {
		return nil, errors.New("cannot use key: it is not an EC private key")
	}
	return k.Private, nil
}
