package access

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"manifold/session"
)

// Channel is what a policy is for.
type Channel struct {
	// Name is the channel's name, Prefix its path prefix without a trailing
	// slash ("/news", or "" for the root).
	Name, Prefix string
}

// Policy is a channel's rule of access, ready for use. It is immutable but
// for its cache, and safe for concurrent use.
type Policy struct {
	cfg      Config
	channel  Channel
	keys     []verifyKey
	sessions *session.Keys
	cache    *cache
	leeway   int64
}

// New makes a channel's policy: its keys come from src, the keys of session
// addresses are sessions.
func New(cfg Config, channel Channel, src KeySource, sessions *session.Keys) (*Policy, error) {
	if err := cfg.Validate().Err(); err != nil {
		return nil, fmt.Errorf("cannot make the access policy of channel %s: %w", channel.Name, err)
	}
	cfg = cfg.withDefaults()
	cfg.Issuers = slices.Clone(cfg.Issuers)
	p := &Policy{cfg: cfg, channel: channel, sessions: sessions, cache: newCache(cfg.Cached), leeway: int64(cfg.Leeway / time.Second)}
	if p.NeedsToken() {
		keys, err := loadKeys(cfg.Issuers, src)
		if err != nil {
			return nil, fmt.Errorf("cannot make the access policy of channel %s: %w", channel.Name, err)
		}
		p.keys = keys
	}
	return p, nil
}

// NeedsToken tells whether a viewer must show a token at the entry.
func (p *Policy) NeedsToken() bool { return p.cfg.Token != "none" }

// Request is what is known of one request.
type Request struct {
	// Token is the viewer's token as Find found it, "" for none.
	Token string
	// Path is the canonical origin path: below the channel's prefix at the
	// entry, below the pathway at a session address. No slash in front.
	Path string
	// Remote is the client's address.
	Remote netip.Addr
	// Player is the CMCD session id, UserAgent the User-Agent; they tell the
	// players of one viewer apart.
	Player, UserAgent string
	Now               time.Time
}

// anyone is the grant of a channel that asks for no token.
var anyone = &Grant{}

// Check verifies the token of a request at the entry and whether it allows
// it. The error is an *Error. It does not allocate for a token that is known.
func (p *Policy) Check(r *Request) (*Grant, error) {
	if !p.NeedsToken() {
		return anyone, nil
	}
	g, err := p.grant(r.Token, r.Now.Unix())
	if err != nil {
		return nil, err
	}
	if err := g.check(r.Remote, r.Now.Unix()); err != nil {
		return nil, err
	}
	if _, ok := g.scope(p.channel.Prefix, r.Path); !ok {
		return nil, ErrPath
	}
	return g, nil
}

// grant gives the grant of a token, verified now or lately.
func (p *Policy) grant(token string, now int64) (*Grant, error) {
	switch {
	case token == "":
		return nil, ErrMissing
	case len(token) > p.cfg.MaxToken:
		return nil, ErrTooLarge
	}
	sum := sha256.Sum256(unsafe.Slice(unsafe.StringData(token), len(token)))
	if g := p.cache.get(&sum, now); g != nil {
		return g, nil
	}
	c, issuer, err := p.verify(token)
	if err != nil {
		return nil, err
	}
	switch {
	case c.expires == 0 && !p.cfg.AllowNoExpiry:
		return nil, ErrNoExpiry
	case c.expires != 0 && now >= c.expires:
		return nil, ErrExpired
	case now < c.notBefore-p.leeway || now < c.issued-p.leeway:
		return nil, ErrNotYet
	}
	g := &Grant{
		Issuer: c.issuer, Subject: c.subject, Tier: c.tier, Session: c.session, TokenID: c.id,
		Paths: c.paths, Expires: c.expires, NotBefore: max(c.notBefore, c.issued) - p.leeway, Address: c.address,
	}
	if g.Issuer == "" {
		g.Issuer = issuer.Name
	}
	if g.TokenID == "" {
		g.TokenID = hex.EncodeToString(sum[:16])
	}
	p.cache.put(&sum, g, now)
	return g, nil
}
