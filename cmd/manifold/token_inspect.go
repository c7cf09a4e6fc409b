package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	"github.com/spf13/cobra"

	"manifold/device"
	"manifold/keys"
	"manifold/session"
)

func tokenInspect() *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:   "inspect TOKEN|URL",
		Short: "Say what a token or a signed URL holds; no key is needed",
		Long: `Say what stands in a viewer's JWT, in a CDN's token (alone, or in a URL with it) or in a session
address. "-" reads standard input. No key is needed and nothing is checked, unless --key is
given: then a JWT's signature is.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := args[0]
			if text == "-" {
				data, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxTokenText+1))
				if err != nil {
					return fmt.Errorf("cannot read standard input: %w", err)
				}
				text = string(data)
			}
			return inspectToken(cmd.OutOrStdout(), strings.TrimSpace(text), key, time.Now())
		},
	}
	c.Flags().StringVar(&key, "key", "", `key to check a JWT with, as "file:PATH" or "env:NAME"`)
	return c
}

// maxTokenText bounds what is looked at, in bytes.
const maxTokenText = 64 << 10

// facts is what is printed: names and values in columns.
type facts struct {
	title string
	rows  [][2]string
	now   time.Time
}

func (f *facts) add(name, value string) {
	if value != "" {
		f.rows = append(f.rows, [2]string{name, value})
	}
}

func (f *facts) time(name string, unix int64) {
	t := time.Unix(unix, 0).UTC()
	f.add(name, t.Format(time.RFC3339)+", "+when(t, f.now))
}

func (f *facts) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, f.title)
	for _, r := range f.rows {
		fmt.Fprintf(w, "  %s\t%s\n", printable(r[0]), printable(r[1]))
	}
	return w.Flush()
}

// printable keeps a token's text from moving the cursor of a terminal.
func printable(s string) string {
	for _, r := range s {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	return s
}

// inspectToken finds out what text is and says what it holds.
func inspectToken(out io.Writer, text, key string, now time.Time) error {
	if len(text) > maxTokenText {
		return coded{fmt.Errorf("the token is larger than %d bytes", maxTokenText), exitUsage}
	}
	for _, try := range []func(string, time.Time) *facts{inspectSession, inspectFields, inspectBunny} {
		if f := try(text, now); f != nil {
			if key != "" {
				return coded{errors.New("--key is for JWTs: what this is cannot be checked without its URL and configuration"), exitUsage}
			}
			return f.print(out)
		}
	}
	if u, err := url.Parse(text); err == nil && u.RawQuery != "" { // a JWT in a URL
		for _, values := range u.Query() {
			if len(values) > 0 && strings.Count(values[0], ".") == 2 {
				text = values[0]
			}
		}
	}
	return inspectJWT(out, text, key, now)
}

// claimNames are the claims that mean something here.
var claimNames = map[string]string{
	"iss": "issuer", "sub": "subject", "aud": "audience", "exp": "expires", "nbf": "not before", "iat": "issued",
	"jti": "id", "path": "paths", "tier": "tier", "sid": "session", "ip": "address",
}

func inspectJWT(out io.Writer, text, key string, now time.Time) error {
	text = strings.TrimPrefix(text, "Bearer ")
	claims := jwt.MapClaims{}
	t, _, err := jwt.NewParser(jwt.WithJSONNumber()).ParseUnverified(text, claims)
	if err != nil {
		return coded{errors.New("this is no token that is known here: neither a JWT, nor a CDN's token, nor a session address"), exitUsage}
	}
	f := &facts{title: fmt.Sprintf("JWT, %v", t.Header["alg"]), now: now}
	if kid, ok := t.Header["kid"].(string); ok {
		f.add("key id", kid)
	}
	names := make([]string, 0, len(claims))
	for name := range claims {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(claimOrder(a), claimOrder(b)) })
	for _, name := range names {
		f.claim(name, claims[name])
	}
	if _, have := claims["exp"]; !have {
		f.add("expires", "never: it has no exp")
	}
	if key != "" {
		verdict, err := verifyJWT(text, t.Method.Alg(), key)
		if err != nil {
			return err
		}
		f.add("signature", verdict)
	} else {
		f.add("signature", "not checked (--key does)")
	}
	return f.print(out)
}

// claimOrder puts those who before those when before all else.
func claimOrder(name string) string {
	const order = "iss sub aud jti sid tier path ip iat nbf exp"
	if i := strings.Index(" "+order+" ", " "+name+" "); i >= 0 {
		return fmt.Sprintf("%03d", i)
	}
	return "~" + name
}

func (f *facts) claim(name string, value any) {
	label := claimNames[name]
	if label == "" {
		label = name
	}
	if n, ok := value.(json.Number); ok && (name == "exp" || name == "nbf" || name == "iat") {
		if x, err := n.Float64(); err == nil && x > 0 && x < 253402300800 {
			f.time(label, int64(x))
			return
		}
	}
	if s, ok := value.(string); ok {
		f.add(label, s)
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value) // it came from JSON
	f.add(label, strings.TrimSpace(b.String()))
}

// verifyJWT says whether a signature is good; its times are another matter.
func verifyJWT(text, algorithm, ref string) (string, error) {
	list, err := keys.Source{}.Keys(ref)
	if err != nil {
		return "", err
	}
	p := jwt.NewParser(jwt.WithValidMethods([]string{"HS256", "ES256"}), jwt.WithoutClaimsValidation())
	for _, k := range list {
		var material any
		switch {
		case algorithm == "HS256" && k.Secret != nil:
			material = k.Secret
		case algorithm == "ES256" && k.Public != nil:
			material = k.Public
		default:
			continue
		}
		if _, err := p.Parse(text, func(*jwt.Token) (any, error) { return material, nil }); err == nil {
			return "good", nil
		}
	}
	return "", coded{errors.New("the signature is not by this key"), exitThreshold}
}

// inspectSession reads a session address, alone or in a URL.
func inspectSession(text string, now time.Time) *facts {
	if i := strings.Index(text, "/~"); i >= 0 {
		text, _, _ = strings.Cut(text[i+2:], "/")
	}
	text, _, _ = strings.Cut(text, "?")
	c, ok := session.Peek(text)
	if !ok {
		return nil
	}
	f := &facts{title: "session address of manifold; signature not checked", now: now}
	f.add("key id", fmt.Sprintf("%04x", uint16(c.KeyID)))
	f.add("session", c.ID.String())
	f.time("issued", c.Issued)
	f.time("expires", c.Expires)
	f.add("country", c.Country.String())
	for _, p := range device.Shipped() {
		if p.ID == c.Device {
			f.add("device", p.Name)
		}
	}
	if c.Scope.Depth > 0 {
		f.add("scope", fmt.Sprintf("one directory, %d deep (its hash %x)", c.Scope.Depth, c.Scope.Hash))
	}
	if c.Tier != 0 {
		f.add("tier", fmt.Sprintf("%04x (hash)", uint16(c.Tier)))
	}
	if !c.Subject.IsZero() {
		f.add("subject", fmt.Sprintf("%x (keyed hash)", c.Subject))
	}
	if !c.Token.IsZero() {
		f.add("token", fmt.Sprintf("%x (keyed hash)", c.Token))
	}
	if bits, six, ok := c.Bound.Bits(); ok {
		f.add("bound to", fmt.Sprintf("a /%d of %s (keyed hash)", bits, map[bool]string{true: "IPv6", false: "IPv4"}[six]))
	}
	return f
}

// fieldNames are those of Akamai's and Media CDN's tokens.
var fieldNames = map[string]string{
	"ip": "address", "st": "not before", "exp": "expires", "acl": "paths", "id": "session", "data": "data", "hmac": "signature",
	"PathGlobs": "paths", "URLPrefix": "below", "FullPath": "paths", "Starts": "not before", "Expires": "expires",
	"SessionID": "session", "Data": "data", "IPRanges": "addresses",
}

// inspectFields reads a token of fields with "~" between them: Akamai's and
// Media CDN's.
func inspectFields(text string, now time.Time) *facts {
	element := fieldsIn(text)
	if element == "" {
		return nil
	}
	title, f := "Akamai token", &facts{now: now}
	for i, part := range strings.Split(element, "~") {
		name, value, has := strings.Cut(part, "=")
		if i == 0 { // the parameter's own name may stand in front: hdnts=exp=…
			if n, v, more := strings.Cut(value, "="); has && (more || fieldNames[name] == "") {
				f.add("name", name)
				name, value = n, v
			}
		}
		switch name {
		case "Expires", "PathGlobs", "URLPrefix", "FullPath":
			title = "Media CDN token"
		}
		f.field(name, value)
	}
	f.title = title + "; signature not checked"
	return f
}

// fieldsIn finds the token in a URL's query or path; text that is no URL is the
// token itself.
func fieldsIn(text string) string {
	const mark = "~hmac="
	path, query, _ := strings.Cut(text, "?")
	for part := range strings.SplitSeq(query, "&") {
		if strings.Contains(part, mark) {
			return part
		}
	}
	if strings.Contains(path, "://") || strings.HasPrefix(path, "/") {
		for part := range strings.SplitSeq(path, "/") {
			if strings.Contains(part, mark) {
				return part
			}
		}
		return ""
	}
	if strings.Contains(path, mark) {
		return path
	}
	return ""
}

func (f *facts) field(name, value string) {
	label := fieldNames[name]
	if label == "" {
		label = name
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil && (label == "expires" || label == "not before") && n < 253402300800 {
		f.time(label, n)
		return
	}
	if name == "URLPrefix" || name == "IPRanges" {
		if raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "=")); err == nil {
			value = string(raw)
		}
	}
	if name == "FullPath" {
		value = "that of the URL alone"
	}
	if plain, err := url.PathUnescape(value); err == nil {
		value = plain
	}
	f.add(label, value)
}

// inspectBunny reads Bunny's parameters, of a query or of a path element.
func inspectBunny(text string, now time.Time) *facts {
	element := text
	if _, rest, ok := strings.Cut(text, "bcdn_token="); ok {
		element, _, _ = strings.Cut("bcdn_token="+rest, "/")
	} else if _, query, ok := strings.Cut(text, "?"); ok {
		element = query
	}
	if !strings.Contains("&"+element, "token=") {
		return nil
	}
	params, err := url.ParseQuery(element)
	if err != nil || params.Get("expires") == "" {
		return nil
	}
	f := &facts{title: "Bunny token; signature not checked", now: now}
	for _, row := range [][2]string{{"token_path", "paths"}, {"expires", "expires"}, {"limit", "limit"}, {"token_countries", "countries"},
		{"token_countries_blocked", "countries blocked"}, {"bcdn_token", "signature"}, {"token", "signature"}} {
		value := params.Get(row[0])
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && row[0] == "expires" && n < 253402300800 {
			f.time("expires", n)
			continue
		}
		f.add(row[1], value)
	}
	return f
}
