package origin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"manifold/internal/dial"
)

// Reason is why there is no answer. Each is an error by itself, for
// errors.Is.
type Reason string

// Error makes a Reason usable with errors.Is.
func (r Reason) Error() string { return string(r) }

// The reasons.
const (
	ErrOriginDown  Reason = "the origin cannot be reached"
	ErrTimeout     Reason = "the origin is too slow"
	ErrIncomplete  Reason = "the origin broke off its answer"
	ErrProtocol    Reason = "the origin does not speak HTTP"
	ErrProhibited  Reason = "the origin's address is not allowed"
	ErrRedirect    Reason = "the origin redirects where it may not"
	ErrStatus      Reason = "the origin answered with an error"
	ErrTooLarge    Reason = "the origin's answer is too large"
	ErrBomb        Reason = "the origin's answer grows too much when decompressed"
	ErrEncoding    Reason = "the origin's answer is in an unknown encoding"
	ErrNotManifest Reason = "the origin's answer is not a manifest"
	ErrNotMedia    Reason = "the origin's answer is a web page"
	ErrOverload    Reason = "the shield is filling as much as it may"
	ErrPath        Reason = "the path is not canonical"
	ErrCancelled   Reason = "nobody waits for the answer"
	ErrClosed      Reason = "the shield is closed"
)

// Error is why there is no answer, with what a gateway needs to say so. It is
// immutable and shared by all who wait for one fill.
type Error struct {
	Reason Reason
	// Status is what the origin answered with, where it did (ErrStatus), or 0.
	Status int
	// Origin is the origin's host, or "". It is for logs, not for viewers.
	Origin string
	// RetryAfter is what the origin asked for, or 0.
	RetryAfter time.Duration
	// Err is the cause, or nil. It is for logs, not for viewers.
	Err error

	state     State
	fwd       fwd
	collapsed bool
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Reason))
	if e.Status != 0 {
		b.WriteString(": status " + strconv.Itoa(e.Status))
	}
	if e.Origin != "" {
		b.WriteString(" (" + e.Origin + ")")
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches a Reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

// HTTPStatus is the status a gateway answers its viewer with: 404, 410, 425,
// 429, 503 and 504 are valid answers of the origin and passed on, a slow origin
// is 504, a shield that has enough to do 503, and all else 502: an origin that
// cannot be reached, or answers what it should not (RFC 9110, section 15.6).
func (e *Error) HTTPStatus() int {
	switch e.Reason {
	case ErrPath:
		return 400
	case ErrTimeout:
		return 504
	case ErrOverload, ErrClosed:
		return 503
	case ErrStatus:
		switch e.Status {
		case 404, 410, 425, 429, 503, 504:
			return e.Status
		}
	}
	return 502
}

// State is how the cache took part: Negative for a remembered error.
func (e *Error) State() State { return e.state }

// AppendCacheStatus appends the value of Cache-Status (RFC 9211).
func (e *Error) AppendCacheStatus(dst []byte, name string) []byte {
	dst = append(dst, name...)
	if e.state == Negative {
		return append(dst, "; hit; detail=negative"...)
	}
	dst = e.fwd.append(dst)
	if e.Status != 0 {
		dst = append(dst, "; fwd-status="...)
		dst = strconv.AppendInt(dst, int64(e.Status), 10)
	}
	if e.collapsed {
		dst = append(dst, "; collapsed"...)
	}
	return dst
}

// AppendProxyStatus appends the value of Proxy-Status: the proxy's name, the
// error type of RFC 9209, section 2.3, and the origin's status. A status that
// is passed on is the origin's word, and no error of the exchange with it.
func (e *Error) AppendProxyStatus(dst []byte, name string) []byte {
	dst = append(dst, name...)
	if e.Status == 0 || e.HTTPStatus() != e.Status {
		dst = append(append(dst, "; error="...), e.Token()...)
	}
	if e.Status != 0 {
		dst = append(dst, "; received-status="...)
		dst = strconv.AppendInt(dst, int64(e.Status), 10)
	}
	return dst
}

// Token is the error type of RFC 9209, section 2.3.
func (e *Error) Token() string {
	switch e.Reason {
	case ErrOriginDown:
		var dns *net.DNSError
		switch {
		case errors.As(e.Err, &dns) && dns.IsTimeout:
			return "dns_timeout"
		case errors.As(e.Err, &dns):
			return "dns_error"
		case errors.Is(e.Err, syscall.ECONNREFUSED):
			return "connection_refused"
		case isCertificate(e.Err):
			return "tls_certificate_error"
		case isTLS(e.Err):
			return "tls_protocol_error"
		case errors.Is(e.Err, syscall.EHOSTUNREACH), errors.Is(e.Err, syscall.ENETUNREACH):
			return "destination_ip_unroutable"
		}
		return "destination_unavailable"
	case ErrTimeout:
		if isDialing(e.Err) {
			return "connection_timeout"
		}
		return "http_response_timeout"
	case ErrIncomplete:
		return "http_response_incomplete"
	case ErrProtocol, ErrRedirect, ErrNotManifest, ErrNotMedia, ErrStatus:
		return "http_protocol_error"
	case ErrProhibited:
		return "destination_ip_prohibited"
	case ErrTooLarge:
		return "http_response_body_size"
	case ErrBomb, ErrEncoding:
		return "http_response_content_coding"
	case ErrOverload:
		return "connection_limit_reached"
	case ErrPath:
		return "http_request_error"
	}
	return "proxy_internal_error"
}

// AsError gives the *Error in err, for those who got it through others.
func AsError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// stalls tells the errors upon which a stale answer may be served and another
// origin asked (RFC 5861, section 4): whatever says that this origin cannot
// answer now, not that the resource is not there.
func (e *Error) stalls() bool {
	switch e.Reason {
	case ErrStatus:
		return e.Status >= 500 || e.Status == 429
	case ErrPath, ErrCancelled:
		return false
	}
	return true
}

// again tells whether another origin may do better.
func (e *Error) again() bool {
	return e.stalls() && e.Reason != ErrOverload && e.Reason != ErrTooLarge && e.Reason != ErrClosed
}

// broke tells whether the same origin may do better at once: the connection
// broke, which says little of the next one.
func (e *Error) broke() bool { return e.Reason == ErrIncomplete }

// errDeadline is the cause of a context that one of our deadlines ended.
type errDeadline struct {
	what string
	d    time.Duration
}

func (e *errDeadline) Error() string { return fmt.Sprintf("%s deadline of %s passed", e.what, e.d) }

// Timeout makes it a timeout for whoever asks.
func (e *errDeadline) Timeout() bool { return true }

// transportError sorts what net/http gave. ctx is the exchange's own context.
func transportError(ctx context.Context, host string, err error, answered bool) *Error {
	e := &Error{Origin: host, Err: err}
	var (
		prohibited *dial.ProhibitedError
		deadline   *errDeadline
		timeout    interface{ Timeout() bool }
		dns        *net.DNSError
		op         *net.OpError
	)
	switch cause := context.Cause(ctx); {
	case errors.As(err, &prohibited):
		e.Reason = ErrProhibited
	case errors.As(cause, &deadline):
		e.Reason, e.Err = ErrTimeout, cause
	case errors.Is(cause, ErrClosed):
		e.Reason, e.Err = ErrClosed, nil
	case cause != nil:
		e.Reason, e.Err = ErrCancelled, nil
	case errors.As(err, &dns), isCertificate(err), isTLS(err):
		e.Reason = ErrOriginDown
	case errors.As(err, &op) && op.Op == "dial" && !op.Timeout():
		e.Reason = ErrOriginDown
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Reason = ErrTimeout
	case answered || isBroken(err):
		e.Reason = ErrIncomplete
	default:
		e.Reason = ErrProtocol
	}
	return e
}

// isBroken tells an error of the connection itself.
func isBroken(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) {
		return true
	}
	for _, s := range []error{errEOF, errUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed} {
		if errors.Is(err, s) {
			return true
		}
	}
	return strings.Contains(err.Error(), "server closed idle connection")
}

func isDialing(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func isCertificate(err error) bool {
	var (
		verify *tls.CertificateVerificationError
		host   x509.HostnameError
		auth   x509.UnknownAuthorityError
		inv    x509.CertificateInvalidError
	)
	return errors.As(err, &verify) || errors.As(err, &host) || errors.As(err, &auth) || errors.As(err, &inv)
}

func isTLS(err error) bool {
	var (
		record tls.RecordHeaderError
		alert  tls.AlertError
	)
	return errors.As(err, &record) || errors.As(err, &alert)
}
