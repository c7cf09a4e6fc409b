package media

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
)

// IV is the initialization vector of a segment: the attribute's, or its media
// sequence number (RFC 8216, section 5.2).
func IV(attribute string, msn uint64) [16]byte {
	var iv [16]byte
	if attribute == "" {
		binary.BigEndian.PutUint64(iv[8:], msn)
		return iv
	}
	digits := strings.TrimPrefix(strings.TrimPrefix(attribute, "0x"), "0X")
	if len(digits) > 32 {
		return iv
	}
	raw, err := hex.DecodeString(strings.Repeat("0", 32-len(digits)) + digits)
	if err == nil {
		copy(iv[:], raw)
	}
	return iv
}

// Decrypt opens AES-128 bytes in CBC mode, the last of which may be missing
// when the resource was not kept whole. It works on a copy.
func Decrypt(kept []byte, whole bool, key []byte, iv [16]byte) ([]byte, error) {
	if whole && (len(kept) == 0 || len(kept)%aes.BlockSize != 0) {
		return nil, &TruncatedError{"an AES-128 segment is no whole number of 16-octet blocks"}
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := append([]byte(nil), kept[:len(kept)/aes.BlockSize*aes.BlockSize]...)
	if len(out) == 0 {
		return nil, errors.New("nothing to decrypt")
	}
	cipher.NewCBCDecrypter(block, iv[:]).CryptBlocks(out, out)
	if !whole {
		return out, nil
	}
	pad := int(out[len(out)-1])
	if pad == 0 || pad > aes.BlockSize {
		return out, errors.New("the padding is not PKCS7: another key or IV")
	}
	return out[:len(out)-pad], nil
}
