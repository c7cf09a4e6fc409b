package keys

import "crypto/ecdsa"

// Key is one key: a Secret, or a Public key with or without its Private half.
type Key struct {
	// ID is the key's name; "" where it has none.
	ID      string
	Secret  []byte
	Public  *ecdsa.PublicKey
	Private *ecdsa.PrivateKey
}

// String tells what the key is and never what is in it.
func (k Key) String() string {
	kind := "secret"
	switch {
	case k.Private != nil:
		kind = "EC private key"
	case k.Public != nil:
		kind = "EC public key"
	}
	if k.ID == "" {
		return kind
	}
	return kind + " " + k.ID
}

// GoString keeps %#v from showing the key.
func (k Key) GoString() string { return "keys.Key(" + k.String() + ")" }

// MarshalText keeps JSON and structured logs from showing the key.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
