package inspect

import (
	"bytes"
	"slices"
)

// Blotting out: a kept manifest says nothing of who watched. What is blotted
// keeps its length, so that the case still shows what it is to show.

// minSecret is the shortest value that is taken for a secret.
const minSecret = 6

// redact gives a manifest with the secrets, everything behind "/~" up to the
// next "/", the values of all queries and the user of all URLs blotted out.
func redact(text []byte, secrets [][]byte) []byte {
	out := slices.Clone(text)
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		blotAll(out, s)
		if esc := bytes.ReplaceAll(s, []byte("&"), []byte("&amp;")); len(esc) > len(s) {
			blotAll(out, esc)
		}
	}
	for i := 0; i < len(out); i++ {
		switch {
		case out[i] == '?':
			i = blotQuery(out, i+1)
		case out[i] == '~' && i > 0 && out[i-1] == '/' && !bytes.HasPrefix(out[i:], []byte("~c.")):
			for i++; i < len(out) && inURL(out[i]) && out[i] != '/'; i++ {
				out[i] = 'x'
			}
		case out[i] == '/' && bytes.HasPrefix(out[max(0, i-1):], []byte("//")):
			blotUser(out, i+1)
		}
	}
	return out
}

func blotAll(out, secret []byte) {
	for from := 0; ; {
		n := bytes.Index(out[from:], secret)
		if n < 0 {
			return
		}
		for i := range secret {
			out[from+n+i] = 'x'
		}
		from += n + len(secret)
	}
}

// inURL tells the characters that go on a URL inside a manifest.
func inURL(c byte) bool {
	return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '<' && c != '>' && c != '#' && c != ','
}

// blotQuery blots the values of a query that begins at i, and gives its end.
// What a player fills in itself ($Number$, {$name}) stays.
func blotQuery(out []byte, i int) int {
	value, dollar := false, false
	for ; i < len(out) && (inURL(out[i]) || out[i] == ','); i++ {
		switch c := out[i]; {
		case c == '$':
			dollar = !dollar
		case c == '}':
			dollar = false
		case dollar || c == '{':
		case c == '&':
			value = false
			if bytes.HasPrefix(out[i:], []byte("&amp;")) {
				i += len("&amp;") - 1
			}
		case c == '=' && !value:
			value = true
		case value && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'):
			out[i] = 'x'
		}
	}
	return i
}

// blotUser blots the user and password of a URL whose authority begins at i.
func blotUser(out []byte, i int) {
	end := i
	for end < len(out) && inURL(out[end]) && out[end] != '/' && out[end] != '?' {
		end++
	}
	if n := bytes.LastIndexByte(out[i:end], '@'); n > 0 {
		for j := range n {
			out[i+j] = 'x'
		}
	}
}
