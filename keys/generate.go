package keys

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// EnsureSecret sees to it that path holds a secret of n bytes in base64url
// ("file:PATH#base64url"), readable by its owner only: a file that is there is
// left alone, and of two processes that make it at one time, one wins.
func EnsureSecret(path string, n int, random io.Reader) error {
	if exists(path) {
		return nil
	}
	secret := make([]byte, n)
	if _, err := io.ReadFull(random, secret); err != nil {
		return fmt.Errorf("cannot make key %s: %w", path, err)
	}
	return create(path, append(base64.RawURLEncoding.AppendEncode(nil, secret), '\n'), 0o600)
}

// EnsureES256 sees to it that path holds a P-256 private key in PEM and
// path.pub its public half. The public file is made again where it is missing.
func EnsureES256(path string, random io.Reader) error {
	if !exists(path) {
		key, err := newP256(random)
		if err != nil {
			return fmt.Errorf("cannot make key %s: %w", path, err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return fmt.Errorf("cannot make key %s: %w", path, err)
		}
		if err := create(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
			return err
		}
	}
	if exists(path + ".pub") {
		return nil
	}
	data, err := Source{}.readFile(path) // it may be another process's key
	if err != nil {
		return fmt.Errorf("cannot write public key of %s: %w", path, err)
	}
	key, err := parsePEM(data)
	if err != nil {
		return fmt.Errorf("cannot write public key of %s: %w", path, err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public)
	if err != nil {
		return fmt.Errorf("cannot write public key of %s: %w", path, err)
	}
	return create(path+".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644)
}

// newP256 draws a private key: 32 bytes, again where they are not below the
// order of the curve (FIPS 186-5, A.2.2).
func newP256(random io.Reader) (*ecdsa.PrivateKey, error) {
	var d [32]byte
	for range 64 {
		if _, err := io.ReadFull(random, d[:]); err != nil {
			return nil, err
		}
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:]); err == nil {
			return key, nil
		}
	}
	return nil, errors.New("the random numbers are not random")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// create makes a file as a whole or not at all: written under another name,
// then linked, which fails where the name is taken.
func create(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return fmt.Errorf("cannot write key: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot write key: %w", err)
	}
	return nil
}
