package access

import (
	"crypto/sha256"
	"encoding/hex"

	"manifold/session"
)

// Error is a refusal. Its text is fit for the viewer: it names neither keys
// nor what is in the token.
type Error struct {
	status    int
	text      string
	challenge string
	cause     error
}

// Error is what the viewer is told.
func (e *Error) Error() string { return e.text }

// Status is 401 where another token would help (none, or a bad one was
// shown), and 403 where it was understood and does not allow this.
func (e *Error) Status() int { return e.status }

// Challenge is the value of WWW-Authenticate (RFC 6750, section 3), or "".
func (e *Error) Challenge() string { return e.challenge }

// Unwrap gives the error of package session behind a refused session address.
func (e *Error) Unwrap() error { return e.cause }

func invalid(text string) *Error {
	return &Error{status: 401, text: text, challenge: `Bearer error="invalid_token", error_description="` + text + `"`}
}

func invalidSession(text string, cause error) *Error {
	e := invalid(text)
	e.cause = cause
	return e
}

func forbidden(text string) *Error {
	return &Error{status: 403, text: text}
}

// The refusals. RFC 6750, section 3.1: a request without a token is told no
// error code.
var (
	ErrMissing   = &Error{status: 401, text: "a token is needed", challenge: "Bearer"}
	ErrMalformed = invalid("the token is malformed")
	ErrTooLarge  = invalid("the token is too large")
	ErrTwice     = invalid("the request has more than one token")
	ErrAlgorithm = invalid("the token is signed in a way that is not accepted")
	ErrKey       = invalid("the token is signed with an unknown key")
	ErrSignature = invalid("the token has a wrong signature")
	ErrIssuer    = invalid("the token comes from an issuer that is not accepted")
	ErrAudience  = invalid("the token is for somebody else")
	ErrNoExpiry  = invalid("the token never expires, which is not accepted")
	ErrExpired   = invalid("the token has expired")
	ErrNotYet    = invalid("the token is not valid yet")

	ErrPath    = &Error{status: 403, text: "the token does not allow this path", challenge: `Bearer error="insufficient_scope"`}
	ErrAddress = forbidden("the token does not allow this address")
	// ErrUnbound leaves one CDN out: the viewer is bound to an address, and
	// that CDN's tokens cannot be.
	ErrUnbound = forbidden("this CDN cannot bind the viewer to an address")

	ErrSessionBroken  = invalidSession("the session address is not valid here: open the stream again", session.ErrMalformed)
	ErrSessionKey     = invalidSession("the session address is no longer valid: open the stream again", session.ErrUnknownKey)
	ErrSessionForged  = invalidSession("the session address is not valid here: open the stream again", session.ErrSignature)
	ErrSessionExpired = invalidSession("the session has expired: open the stream again", session.ErrExpired)
	ErrSessionNotYet  = invalidSession("the session is not valid yet", session.ErrNotYet)
	ErrSessionToken   = invalid("the session was opened without a token: open the stream again")
)

// sessionError turns an error of package session into a refusal.
func sessionError(err error) *Error {
	for _, e := range [...]*Error{ErrSessionKey, ErrSessionForged, ErrSessionExpired, ErrSessionNotYet} {
		if e.cause == err {
			return e
		}
	}
	return ErrSessionBroken
}

// Redact is how a token is named in logs, metrics and traces: the first 8
// hexadecimal digits of its SHA-256.
func Redact(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:4])
}
