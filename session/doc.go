// Package session is the codec of the session address: the signed, compact
// text that stands after "~" in an edge's URLs and carries everything a later
// request needs, so that any edge with the key serves it and nothing is stored.
// (What was verified lately is remembered, to be faster: see verified.go.)
//
// It knows the bytes and their authentication. It does not know who may have
// a session (proxy/access decides), nor where keys come from. It has no locks.
package session
