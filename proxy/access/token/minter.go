package token

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"manifold/exchange"
	"manifold/manifest"
)

// Secrets is the key material of one pathway's tokens.
type Secrets struct {
	// Keys are the live keys; the first one signs.
	Keys [][]byte
	// Salt is Akamai's salt, or nil.
	Salt []byte
}

// common is what minter and verifier share.
type common struct {
	format      *format
	query, path string // the element's names
	keys        []*signer
	salt        []byte
	plainHash   bool
}

func newCommon(cfg *Config, s Secrets) (common, error) {
	if err := cfg.Validate().Err(); err != nil {
		return common{}, err
	}
	f := formatOf(cfg.Format)
	c := common{format: f, query: f.query, path: f.path, salt: s.Salt, plainHash: cfg.Hash == "sha256"}
	if cfg.Name != "" {
		c.query, c.path = cfg.Name, cfg.Name
	}
	if len(s.Keys) == 0 {
		return common{}, errors.New("there is no key")
	}
	for i, key := range s.Keys {
		if len(key) < minKey {
			return common{}, fmt.Errorf("key %d has %d bytes, at least %d are needed", i+1, len(key), minKey)
		}
		c.keys = append(c.keys, newSigner(key))
	}
	return c, nil
}

// minKey is the least length of a key in bytes. CDNs hand out short ones
// (Akamai's are often 14 bytes); what is shorter than this is a mistake.
const minKey = 8

// Minter makes the tokens of one pathway. It is immutable but for its cache,
// and safe for concurrent use.
type Minter struct {
	common
	origin   string // scheme and authority of the base, no slash
	root     string // canonical path of the base
	base     string
	hls      manifest.Placement
	family   string
	lifetime int64 // seconds
	bucket   int64
	max      int64
	cache    cache
}

// New makes the minter of the pathway whose media is below base: an absolute
// URL that ends in "/" (manifest.Pathway.Base).
func New(cfg Config, base string, s Secrets) (*Minter, error) {
	c, err := newCommon(&cfg, s)
	if err != nil {
		return nil, fmt.Errorf("cannot make the token minter of %s: %w", base, err)
	}
	origin, root, err := splitBase(base)
	if err != nil {
		return nil, fmt.Errorf("cannot make the token minter of %q: %w", base, err)
	}
	cfg = cfg.withDefaults()
	m := &Minter{
		common: c, origin: origin, root: root, base: base, hls: c.format.hls, family: cfg.Family,
		lifetime: int64((cfg.Lifetime + time.Second - 1) / time.Second),
		bucket:   int64(cfg.Bucket / time.Second),
		max:      int64(cfg.Max / time.Second),
	}
	switch cfg.HLS {
	case "query":
		m.hls = manifest.InQuery
	case "path":
		m.hls = manifest.InPath
	}
	m.cache.init()
	return m, nil
}

// splitBase takes an absolute base URL apart: its scheme and authority as
// written, and its canonical path.
func splitBase(base string) (origin, root string, err error) {
	scheme, rest, ok := strings.Cut(base, "://")
	slash := strings.IndexByte(rest, '/')
	switch {
	case !ok || scheme != "http" && scheme != "https":
		return "", "", errors.New("it must begin with http:// or https://")
	case slash <= 0 || strings.ContainsAny(rest[:slash], "@?#"):
		return "", "", errors.New("it needs a host and a path")
	case !strings.HasSuffix(rest, "/") || strings.ContainsAny(rest, "?#"):
		return "", "", errors.New(`it must end with "/", without a query`)
	}
	path, _, err := exchange.Canonical(nil, rest[slash:])
	if err != nil {
		return "", "", err
	}
	return scheme + "://" + rest[:slash], string(path), nil
}

// Root is the canonical path of the base at the CDN, below which scopes lie.
func (m *Minter) Root() string { return m.root }

// Form says how the token is written in a manifest of the given kind: in the
// place that survives there, escaped for XML in an MPD.
func (m *Minter) Form(k manifest.Kind) Form {
	if k == manifest.DASH {
		return Form{Place: manifest.InPath, XML: true}
	}
	return Form{Place: m.hls}
}

// Ampersand tells whether the token as it stands in manifests of a kind has "&"
// in it.
func (m *Minter) Ampersand(k manifest.Kind) bool {
	return m.format.list || m.Form(k).Place == manifest.InQuery
}

// At is where the path element goes: the index into the base before which the
// element and a "/" are inserted (manifest.Pathway.TokenAt).
func (m *Minter) At() int {
	if m.format.atEnd {
		return len(m.base)
	}
	return len(m.origin) + 1
}

// CanBind tells whether a token can be bound to a viewer whom the edge sees at
// addr: whether the CDN will see that viewer at the same address.
func (m *Minter) CanBind(addr netip.Addr) bool {
	switch m.family {
	case "ipv4":
		return addr.Unmap().Is4()
	case "ipv6":
		return addr.Unmap().Is6()
	}
	return addr.IsValid()
}

// Expiry gives the expiry of a token made at now, in Unix seconds: at least
// the configured lifetime away, rounded up to the bucket, but never after
// notAfter, the end of the viewer's grant (0: none), nor later than the CDN
// allows.
func (m *Minter) Expiry(now time.Time, notAfter int64) int64 {
	unix := now.Unix()
	expires := unix + m.lifetime
	expires += m.bucket - 1
	expires -= expires % m.bucket
	if m.max > 0 {
		expires = min(expires, unix+m.max)
	}
	if notAfter > 0 {
		expires = min(expires, notAfter)
	}
	return expires
}

// Append adds the token of the scope to dst: in a query as name=value, in a
// path as the element without slashes. It does not allocate where dst has
// room. The error is [ErrScope]: the scope cannot be written so.
func (m *Minter) Append(dst []byte, s *Scope, form Form) ([]byte, error) {
	if err := s.check(); err != nil {
		return dst, err
	}
	start := len(dst)
	out, err := m.format.mint(m, dst, s, form.Place)
	if err != nil {
		return dst[:start], err
	}
	if form.XML {
		out = escapeAmpersands(out, start)
	}
	return out, nil
}

func (s *Scope) check() error {
	dir := s.Dir
	if s.File != "" {
		dir = s.File
	} else if dir != "" && dir[len(dir)-1] != '/' {
		return ErrScope
	}
	if dir != "" && dir[0] == '/' || s.File != "" && s.Dir != "" || s.Expires <= 0 || s.Starts < 0 {
		return ErrScope
	}
	for i := range len(s.Session) {
		if !unreserved[s.Session[i]] {
			return ErrScope
		}
	}
	return nil
}

// escapeAmpersands writes each "&" in b[from:] as "&amp;".
func escapeAmpersands(b []byte, from int) []byte {
	n := 0
	for _, c := range b[from:] {
		if c == '&' {
			n++
		}
	}
	for i := len(b) - 1; n > 0; i-- {
		if b[i] != '&' {
			continue
		}
		end := len(b)
		b = append(b, "amp;"...)
		copy(b[i+5:], b[i+1:end])
		copy(b[i+1:], "amp;")
		n--
	}
	return b
}

// Len is the length in bytes of every token of this scope in this form,
// whatever its signature and expiry; 0 where it varies from viewer to viewer,
// because the token shows the address it is bound to.
func (m *Minter) Len(s *Scope, form Form) (int, error) {
	if s.Client.IsValid() && m.format.openAddress {
		return 0, nil
	}
	text, err := m.Append(nil, s, form)
	return len(text), err
}

// Format names the token's format, as in Config.
func (m *Minter) Format() string { return m.format.name }
