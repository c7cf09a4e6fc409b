package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Format is a notation of keys.
type Format string

// The notations. Auto recognises PEM and JSON and takes all else as Raw.
const (
	Auto      Format = ""
	Raw       Format = "raw"
	Hex       Format = "hex"
	Base64URL Format = "base64url"
	PEM       Format = "pem"
	JWK       Format = "jwk"
)

const formatNames = "raw, hex, base64url, pem, jwk"

func (f Format) known() bool {
	switch f {
	case Raw, Hex, Base64URL, PEM, JWK:
		return true
	}
	return false
}

// Parse reads keys in the given notation. The error shows nothing of data.
func Parse(data []byte, format Format) ([]Key, error) {
	if format == Auto {
		switch start := bytes.TrimLeft(data, " \t\r\n"); {
		case bytes.HasPrefix(start, []byte("-----BEGIN ")):
			format = PEM
		case bytes.HasPrefix(start, []byte("{")):
			format = JWK
		default:
			format = Raw
		}
	}
	switch format {
	case PEM:
		k, err := parsePEM(data)
		return []Key{k}, err
	case JWK:
		return parseJWK(data)
	}
	secret, err := parseSecret(data, format)
	if err != nil {
		return nil, err
	}
	if len(secret) == 0 {
		return nil, errors.New("it is empty")
	}
	return []Key{{Secret: secret}}, nil
}

func parseSecret(data []byte, format Format) ([]byte, error) {
	text := strings.TrimSpace(string(data))
	switch format {
	case Raw:
		return trimLine(data), nil
	case Hex:
		b, err := hex.DecodeString(text)
		if err != nil {
			return nil, errors.New("it is not hexadecimal digits, two for a byte")
		}
		return b, nil
	case Base64URL:
		b, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
		if err != nil {
			return nil, errors.New("it is not base64url (RFC 4648, section 5)")
		}
		return b, nil
	}
	return nil, fmt.Errorf("unknown key format (one of %s)", formatNames)
}

// trimLine takes off the line end that editors and echo leave after a text. A
// key of arbitrary bytes is left as it is.
func trimLine(b []byte) []byte {
	trimmed := bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	for _, c := range trimmed {
		if c < ' ' || c > '~' {
			return b
		}
	}
	return trimmed
}

// parsePEM reads the first key of a PEM text (RFC 7468): SubjectPublicKeyInfo,
// PKCS #8 or SEC 1.
func parsePEM(data []byte) (Key, error) {
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		if block == nil {
			return Key{}, errors.New("it holds no PEM block with a key")
		}
		var parsed any
		var err error
		switch block.Type {
		case "EC PARAMETERS": // openssl writes them in front of the key
			continue
		case "PUBLIC KEY":
			parsed, err = x509.ParsePKIXPublicKey(block.Bytes)
		case "PRIVATE KEY":
			parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			parsed, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			return Key{}, fmt.Errorf("a PEM block of type %q is no key that is known (EC keys are)", block.Type)
		}
		if err != nil {
			return Key{}, fmt.Errorf("the PEM block %q cannot be read", block.Type)
		}
		switch k := parsed.(type) {
		case *ecdsa.PublicKey:
			return Key{Public: k}, nil
		case *ecdsa.PrivateKey:
			return Key{Private: k, Public: &k.PublicKey}, nil
		}
		return Key{}, fmt.Errorf("the PEM block %q holds a key of another kind than EC", block.Type)
	}
}
