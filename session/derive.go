package session

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Entry is what a session id is derived from. Not every player stays at the
// session address it was given: one that asks the entry URL again and again
// must be given the same session each time, so the id is derived, not drawn.
type Entry struct {
	Channel string
	// TokenID is the id of the viewer's token; where it is empty, Address
	// takes its place (an IPv6 address counts by its /64, for hosts change the
	// rest).
	TokenID string
	Address netip.Addr
	// Player is what tells one player of a viewer from another: the token's
	// session claim, else the CMCD session id (CTA-5004, sid), else nothing.
	Player string
	// UserAgent takes the place of Player where that is empty.
	UserAgent string
}

// Derive gives the session id of a player that asks at the entry.
func (k *Keys) Derive(e Entry) ID {
	s := k.hash.get()
	s.text(labelSession)
	s.text(e.Channel)
	if e.TokenID != "" {
		s.msg = append(s.msg, 1)
		s.text(e.TokenID)
	} else {
		s.msg = append(s.msg, 2)
		addr := e.Address.Unmap().WithZone("")
		if addr.Is6() {
			if p, err := addr.Prefix(64); err == nil {
				addr = p.Addr()
			}
		}
		raw := addr.As16()
		s.msg = append(s.msg, raw[:]...)
	}
	if e.Player != "" {
		s.msg = append(s.msg, 1)
		s.text(e.Player)
	} else {
		s.msg = append(s.msg, 2)
		s.text(e.UserAgent)
	}
	id := ID(s.hash8())
	k.hash.put(s)
	return id
}

// Window gives the issue time and the expiry of a session asked for at now, in
// Unix seconds. Time is cut into buckets, so that whoever asks again within a
// bucket gets the same bytes; the borders differ from session to session, so
// that a channel's viewers do not all change at once. Expires is at least now +
// lifetime and less than now + lifetime + bucket, but never after notAfter (the
// grant's end; the zero time: none). Buckets shorter than a second count as one.
func Window(id ID, now time.Time, bucket, lifetime time.Duration, notAfter time.Time) (issued, expires int64) {
	width := max(1, int64(bucket/time.Second))
	phase := int64(binary.BigEndian.Uint64(id[:]) % uint64(width))
	unix := now.Unix()
	issued = unix - mod(unix-phase, width)
	expires = issued + width + int64((lifetime+time.Second-1)/time.Second)
	if !notAfter.IsZero() {
		expires = min(expires, notAfter.Unix())
	}
	return issued, expires
}

// mod is the remainder that is never negative.
func mod(a, b int64) int64 { return ((a % b) + b) % b }
