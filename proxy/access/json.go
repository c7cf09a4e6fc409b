package access

import "encoding/json"

// members calls f with each member of a JSON object, which must be all there
// is in b, have no name twice and at most maxMembers. encoding/json would take
// the last of two members, and "EXP" for "exp"; here names are compared as
// they are once their escapes are decoded. json.Valid has checked the grammar
// before, so that the walk needs only to find where a value ends.
func members(b []byte, f func(name string, raw []byte) error) error {
	if !json.Valid(b) {
		return errClaims
	}
	i := space(b, 0)
	if b[i] != '{' {
		return errClaims
	}
	var buf [maxMembers]string
	seen := buf[:0]
	for i = space(b, i+1); b[i] != '}'; i = space(b, i) {
		if b[i] == ',' {
			i = space(b, i+1)
		}
		end := valueEnd(b, i)
		name, ok := unquote(b[i:end])
		if !ok || len(seen) == maxMembers || contains(seen, name) {
			return errClaims
		}
		seen = append(seen, name)
		i = space(b, space(b, end)+1) // over the colon
		end = valueEnd(b, i)
		if err := f(name, b[i:end]); err != nil {
			return err
		}
		i = end
	}
	return nil
}

// maxMembers bounds the members of a header or payload.
const maxMembers = 128

func space(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r' {
		i++
	}
	return i
}

// valueEnd finds the end of the value that begins at b[i], in valid JSON.
func valueEnd(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // the end of what holds a number or a word
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// unquote gives the text of a JSON string.
func unquote(raw []byte) (s string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	for _, c := range raw {
		if c == '\\' || c >= 0x80 {
			return s, json.Unmarshal(raw, &s) == nil
		}
	}
	return string(raw[1 : len(raw)-1]), true
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
