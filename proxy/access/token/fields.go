package token

import "strings"

// fields reads the "~" separated fields of an Akamai or Media CDN token. A
// field that is not known, or comes twice, is refused: a check that we do not
// understand must not be passed over.
type fields struct {
	// signed is the text that the HMAC covers: all before the last field.
	signed string
	values map[string]string
	hmac   string
}

// parseFields splits text. Every name must be in known; bare names are known
// by "Name" alone in the text (FullPath) and have an empty value.
func parseFields(text string, known, bare []string) (*fields, error) {
	i := strings.LastIndexByte(text, '~')
	if i < 0 || !strings.HasPrefix(text[i+1:], "hmac=") {
		return nil, ErrMalformed
	}
	f := &fields{signed: text[:i], hmac: text[i+1+len("hmac="):], values: make(map[string]string, len(known))}
	for part := range strings.SplitSeq(f.signed, "~") {
		name, value, has := strings.Cut(part, "=")
		list := known
		if !has {
			list = bare
		} else if value == "" {
			return nil, ErrMalformed
		}
		if !contains(list, name) {
			return nil, ErrUnsupported
		}
		if _, twice := f.values[name]; twice {
			return nil, ErrMalformed
		}
		f.values[name] = value
	}
	return f, nil
}

func (f *fields) has(name string) bool { _, ok := f.values[name]; return ok }

// times reads the two times; the start is optional.
func (f *fields) times(starts, expires string) (from, until int64, err error) {
	until, ok := unixTime(f.values[expires])
	if !ok {
		return 0, 0, ErrMalformed
	}
	if text, have := f.values[starts]; have {
		if from, ok = unixTime(text); !ok {
			return 0, 0, ErrMalformed
		}
	}
	return from, until, nil
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
