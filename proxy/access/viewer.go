package access

import (
	"net/netip"
	"strings"
	"time"

	"manifold/proxy/access/token"
	"manifold/session"
)

// Viewer is who one request is for, and how far they may go: set at the entry
// by [Policy.Enter] and at a session address by [Policy.Return], from its zero
// value. With an error it is not to be
// used.
type Viewer struct {
	// Claims are those of the session address. At the entry they are filled
	// but for what others find out (Cohort, Device, Country, Consent, Limits);
	// the proxy sets those before it writes the address.
	Claims session.Claims
	// Address is the client's address.
	Address netip.Addr
	// Scope is the directory below the origin's root that the viewer may read:
	// "" for all, else "movie1/". It may share memory with the request's path.
	Scope string
	// Bound is the address prefix that the viewer is bound to, if valid.
	Bound netip.Prefix
	// Tier is the tier's name at the entry; at a session address only
	// Claims.Tier is known.
	Tier string
}

// Enter makes the viewer of a request at the entry that Check allowed. The
// session's id and times are derived: who asks again gets the same ones. The
// error is an *Error.
func (p *Policy) Enter(v *Viewer, g *Grant, r *Request) error {
	dir, ok := g.scope(p.channel.Prefix, r.Path)
	if !ok {
		return ErrPath
	}
	scope, ok := p.sessions.Scope(dir)
	if !ok {
		return ErrPath
	}
	*v = Viewer{Address: r.Remote.Unmap().WithZone(""), Scope: dir, Bound: g.Address, Tier: g.Tier}
	player := r.Player
	if g.Session != "" {
		player = g.Session
	}
	var notAfter time.Time
	if g.Expires != 0 {
		notAfter = time.Unix(g.Expires, 0)
	}
	c := &v.Claims
	c.ID = p.sessions.Derive(session.Entry{Channel: p.channel.Name, TokenID: g.TokenID, Address: v.Address, Player: player, UserAgent: r.UserAgent})
	c.Issued, c.Expires = session.Window(c.ID, r.Now, p.cfg.SessionBucket, p.cfg.Session, notAfter)
	c.Scope = scope
	c.Tier = session.NameOf(g.Tier)
	c.Subject = p.sessions.Subject(g.Subject)
	c.Token = p.sessions.Token(g.TokenID)
	c.Bound = p.sessions.Address(g.Address)
	return nil
}

// AppendAddress adds the session's text to dst: what stands after "~".
func (p *Policy) AppendAddress(dst []byte, c *session.Claims) []byte {
	return p.sessions.Append(dst, c, p.channel.Name, p.channel.Prefix)
}

// Return makes the viewer of a request at a session address, and checks again
// all that bound them at the entry: time, path and address. The error is an
// *Error. It does not allocate.
func (p *Policy) Return(v *Viewer, text string, r *Request) error {
	c := &v.Claims
	if err := p.sessions.Parse(c, text, p.channel.Name, p.channel.Prefix, r.Now); err != nil {
		return sessionError(err)
	}
	if p.NeedsToken() && c.Token.IsZero() {
		return ErrSessionToken
	}
	var ok bool
	if v.Scope, ok = p.sessions.InScope(c.Scope, r.Path); !ok {
		return ErrPath
	}
	v.Address = r.Remote.Unmap().WithZone("")
	if !p.sessions.AtAddress(c.Bound, v.Address) {
		return ErrAddress
	}
	v.Bound, _ = c.Bound.Prefix(v.Address)
	return nil
}

// Steer makes the viewer of a request at the steering server, which opens no
// path: Scope is not set. A session that has ended is still steered, for a
// player that is refused once may never ask again, and its media ends with the
// tokens of the CDNs. The error is an *Error. It does not allocate.
func (p *Policy) Steer(v *Viewer, text string, r *Request) error {
	c := &v.Claims
	if err := p.sessions.Parse(c, text, p.channel.Name, p.channel.Prefix, r.Now); err != nil && err != session.ErrExpired {
		return sessionError(err)
	}
	v.Address = r.Remote.Unmap().WithZone("")
	v.Bound, _ = c.Bound.Prefix(v.Address)
	return nil
}

// CDNScope sets s to what the viewer may have of one CDN: its token ends when
// the viewer's right does or sooner, holds for the asset's directory below
// the origin's root ("movie1/", "" for all) as far as the viewer may read it,
// and is bound to the client's address if the viewer is. What that CDN then
// accepts, the viewer's grant accepts. The error is [ErrPath], or [ErrUnbound]
// where the CDN sees viewers in the other address family. It does not allocate.
func (p *Policy) CDNScope(s *token.Scope, v *Viewer, m *token.Minter, asset string, now time.Time) error {
	*s = token.Scope{Dir: asset, Expires: m.Expiry(now, v.Claims.Expires)}
	if !strings.HasPrefix(asset, v.Scope) {
		if !strings.HasPrefix(v.Scope, asset) {
			return ErrPath
		}
		s.Dir = v.Scope
	}
	if !v.Bound.IsValid() {
		return nil
	}
	if !m.CanBind(v.Address) {
		if p.cfg.UnboundCDN {
			return nil
		}
		return ErrUnbound
	}
	s.Client = netip.PrefixFrom(v.Address, v.Bound.Bits())
	return nil
}
