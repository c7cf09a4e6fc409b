package watch

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"sync"
)

// Pattern is a part of an address that does not say what is fetched, but who
// may, and until when.
type Pattern struct {
	Name string
	Form string
	// Personal tells that a manifest which carries it is one viewer's own.
	Personal bool
	// Signs are lower-case texts of which every match holds one, in any case of
	// letters: what has none is not searched.
	Signs []string
}

// Patterns are the token and session forms that are known from the start:
// declared here and nowhere else, and printed by the command's help.
var Patterns = []Pattern{
	{"JWT", `eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`, true, []string{"eyj"}},
	{"session path element", `/~[\w.-]{16,}`, true, []string{"/~"}},
	{"session query", `(?i)\b(?:aws\.)?(?:playback)?session_?id=[^&/#"\s]*`, true, []string{"session"}},
	{"Akamai EdgeAuth", `\bhdn(?:ts|tl|ea)=(?:[^&?#"\s]*?\bhmac=[0-9A-Fa-f]+|[^&/?#"\s]*)`, false, []string{"hdnts=", "hdntl=", "hdnea="}},
	{"Google Media CDN", `(?i)\bedge-cache-token=(?:[^&?#"\s]*?\b(?:hmac|signature)=[\w-]+|[^&/?#"\s]*)`, false, []string{"edge-cache-token="}},
	{"Bunny path", `\bbcdn_token=[^/?#"\s]*`, false, []string{"bcdn_token="}},
	{"CloudFront", `\b(?:Policy|Signature|Key-Pair-Id|Expires)=[^&/#"\s]*`, false, []string{"policy=", "signature=", "key-pair-id=", "expires="}},
	{"URI signing", `\bURISigningPackage=[^&;/#"\s]*`, false, []string{"urisigningpackage="}},
	{"S3", `\bX-Amz-[\w-]+=[^&#"\s]*`, false, []string{"x-amz-"}},
	{"Google signed URL", `\b(?:X-Goog-[\w-]+|KeyName|URLPrefix)=[^&#"\s]*`, false, []string{"x-goog-", "keyname=", "urlprefix="}},
	{"common query names", `(?i)[?&](?:token|token_path|access_token|auth|cat|expires|expiry|exp|sig|signature|hash|hmac|md5|policy|sid|session|wmsauthsign)=[^&#"\s]*`, false, []string{"?", "&"}},
	{"CMCD", `\bCMCD=[^&#"\s]*`, false, []string{"cmcd="}},
}

// tokens knows the patterns of a watch.
type tokens struct {
	mu       sync.Mutex
	cache    map[string]string // of strip
	ignore   []form
	personal []form
}

// form is a compiled pattern.
type form struct {
	*regexp.Regexp
	signs []string // none: everything is searched
}

// may tells whether a text, given in lower case, can match.
func (f form) may(lower string) bool {
	for _, s := range f.signs {
		if strings.Contains(lower, s) {
			return true
		}
	}
	return len(f.signs) == 0
}

func newTokens(ignore, personal []string) *tokens {
	t := &tokens{}
	for _, p := range Patterns {
		re := form{regexp.MustCompile(p.Form), p.Signs}
		t.ignore = append(t.ignore, re)
		if p.Personal {
			t.personal = append(t.personal, re)
		}
	}
	for _, s := range ignore {
		t.ignore = append(t.ignore, form{Regexp: regexp.MustCompile(s)})
	}
	for _, s := range personal {
		re := form{Regexp: regexp.MustCompile(s)}
		t.personal = append(t.personal, re)
		t.ignore = append(t.ignore, re)
	}
	return t
}

// strip removes what does not count. The same addresses come in every reload:
// what was found is kept.
func (t *tokens) strip(s string) string {
	if len(s) > 2048 {
		return t.stripped(s)
	}
	t.mu.Lock()
	out, ok := t.cache[s]
	t.mu.Unlock()
	if ok {
		return out
	}
	out = t.stripped(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cache == nil || len(t.cache) > 20_000 {
		t.cache = map[string]string{}
	}
	t.cache[s] = out
	return out
}

func (t *tokens) stripped(s string) string {
	lower := strings.ToLower(s)
	for _, re := range t.ignore {
		if re.may(lower) {
			s = re.ReplaceAllString(s, "")
		}
	}
	return s
}

// redact replaces secrets by the first 8 hex digits of their SHA-256, so that
// they can be told apart and not used.
func (t *tokens) redact(s string) string {
	lower := strings.ToLower(s)
	for _, re := range t.ignore {
		if !re.may(lower) {
			continue
		}
		s = re.ReplaceAllStringFunc(s, func(secret string) string {
			if strings.Contains(secret, "{") {
				return secret // was replaced already
			}
			sum := sha256.Sum256([]byte(secret))
			lead := ""
			if i := strings.IndexAny(secret, "=~"); i >= 0 && i < 24 {
				lead = secret[:i+1]
			}
			return lead + "{" + hex.EncodeToString(sum[:4]) + "}"
		})
	}
	return s
}

// personalIn finds what makes a document one viewer's own; empty when nothing
// does.
func (t *tokens) personalIn(s string) string {
	lower := strings.ToLower(s)
	for _, re := range t.personal {
		if !re.may(lower) {
			continue
		}
		if m := re.FindString(s); m != "" {
			return m
		}
	}
	return ""
}

// has tells whether an address carries a token.
func (t *tokens) has(s string) bool {
	lower := strings.ToLower(s)
	for _, re := range t.ignore {
		if re.may(lower) && re.MatchString(s) {
			return true
		}
	}
	return false
}
