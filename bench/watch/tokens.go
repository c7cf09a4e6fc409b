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
}

// Patterns are the token and session forms that are known from the start:
// declared here and nowhere else, and printed by the command's help.
var Patterns = []Pattern{
	{"JWT", `eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`, true},
	{"session path element", `/~[\w.-]{16,}`, true},
	{"session query", `(?i)\b(?:aws\.)?(?:playback)?session_?id=[^&/#"\s]*`, true},
	{"Akamai EdgeAuth", `\bhdn(?:ts|tl|ea)=(?:[^&?#"\s]*?\bhmac=[0-9A-Fa-f]+|[^&/?#"\s]*)`, false},
	{"Google Media CDN", `(?i)\bedge-cache-token=(?:[^&?#"\s]*?\b(?:hmac|signature)=[\w-]+|[^&/?#"\s]*)`, false},
	{"Bunny path", `\bbcdn_token=[^/?#"\s]*`, false},
	{"CloudFront", `\b(?:Policy|Signature|Key-Pair-Id|Expires)=[^&/#"\s]*`, false},
	{"URI signing", `\bURISigningPackage=[^&;/#"\s]*`, false},
	{"S3", `\bX-Amz-[\w-]+=[^&#"\s]*`, false},
	{"Google signed URL", `\b(?:X-Goog-[\w-]+|KeyName|URLPrefix)=[^&#"\s]*`, false},
	{"common query names", `(?i)[?&](?:token|token_path|access_token|auth|cat|expires|expiry|exp|sig|signature|hash|hmac|md5|policy|sid|session|wmsauthsign)=[^&#"\s]*`, false},
	{"CMCD", `\bCMCD=[^&#"\s]*`, false},
}

// tokens knows the patterns of a watch.
type tokens struct {
	mu       sync.Mutex
	cache    map[string]string // of strip
	ignore   []*regexp.Regexp
	personal []*regexp.Regexp
}

func newTokens(ignore, personal []string) *tokens {
	t := &tokens{}
	for _, p := range Patterns {
		re := regexp.MustCompile(p.Form)
		t.ignore = append(t.ignore, re)
		if p.Personal {
			t.personal = append(t.personal, re)
		}
	}
	for _, s := range ignore {
		t.ignore = append(t.ignore, regexp.MustCompile(s))
	}
	for _, s := range personal {
		re := regexp.MustCompile(s)
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
	for _, re := range t.ignore {
		if re.MatchString(s) {
			s = re.ReplaceAllString(s, "")
		}
	}
	return s
}

// redact replaces secrets by the first 8 hex digits of their SHA-256, so that
// they can be told apart and not used.
func (t *tokens) redact(s string) string {
	for _, re := range t.ignore {
		if !re.MatchString(s) {
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
	for _, re := range t.personal {
		if m := re.FindString(s); m != "" {
			return m
		}
	}
	return ""
}

// has tells whether an address carries a token.
func (t *tokens) has(s string) bool {
	for _, re := range t.ignore {
		if re.MatchString(s) {
			return true
		}
	}
	return false
}
