package keys

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// jwk is what is read of a JSON Web Key (RFC 7517; parameters by RFC 7518,
// section 6).
type jwk struct {
	Kty  string            `json:"kty"`
	Kid  string            `json:"kid"`
	K    string            `json:"k"`
	Crv  string            `json:"crv"`
	X    string            `json:"x"`
	Y    string            `json:"y"`
	D    string            `json:"d"`
	Keys []json.RawMessage `json:"keys"`
}

var errKind = errors.New("a JWK of this kty or crv is not known (oct and EC P-256 are)")

// parseJWK reads a JWK, or a JWK set, of which keys of unknown kinds are left
// out (RFC 7517, section 5).
func parseJWK(data []byte) ([]Key, error) {
	var j jwk
	if json.Unmarshal(data, &j) != nil {
		return nil, errors.New("it is not a JWK")
	}
	if j.Keys == nil {
		k, err := j.key()
		return []Key{k}, err
	}
	var list []Key
	ids := map[string]bool{}
	for i, raw := range j.Keys {
		var one jwk
		if json.Unmarshal(raw, &one) != nil {
			return nil, fmt.Errorf("key %d of the set is not a JWK", i+1)
		}
		k, err := one.key()
		if err == errKind {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("key %d of the set: %w", i+1, err)
		}
		if k.ID != "" && ids[k.ID] {
			return nil, fmt.Errorf("key %d of the set has the kid of another one", i+1)
		}
		ids[k.ID] = true
		list = append(list, k)
	}
	if len(list) == 0 {
		return nil, errors.New("the JWK set has no key of a known kind")
	}
	return list, nil
}

func (j *jwk) key() (Key, error) {
	switch {
	case j.Kty == "oct":
		secret, err := base64.RawURLEncoding.Strict().DecodeString(j.K)
		if err != nil || len(secret) == 0 {
			return Key{}, errors.New("its k is not base64url")
		}
		return Key{ID: j.Kid, Secret: secret}, nil
	case j.Kty == "EC" && j.Crv == "P-256":
		return j.ec()
	}
	return Key{}, errKind
}

func (j *jwk) ec() (Key, error) {
	point := []byte{4} // SEC 1: uncompressed
	for _, text := range [...]string{j.X, j.Y} {
		b, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err != nil || len(b) != 32 {
			return Key{}, errors.New("its x and y are not 32 bytes of base64url each")
		}
		point = append(point, b...)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return Key{}, errors.New("its x and y are not a point of P-256")
	}
	if j.D == "" {
		return Key{ID: j.Kid, Public: public}, nil
	}
	d, err := base64.RawURLEncoding.Strict().DecodeString(j.D)
	if err != nil {
		return Key{}, errors.New("its d is not base64url")
	}
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil || !private.PublicKey.Equal(public) {
		return Key{}, errors.New("its d does not belong to its x and y")
	}
	return Key{ID: j.Kid, Private: private, Public: public}, nil
}
