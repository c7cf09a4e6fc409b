package token

import (
	"errors"
	"net/netip"

	"manifold/manifest"
)

// The errors of verification: what the CDN would say to itself. A client is
// told no more than 403.
var (
	ErrMissing     = errors.New("there is no token")
	ErrMalformed   = errors.New("the token is malformed")
	ErrSignature   = errors.New("the token has a wrong signature")
	ErrExpired     = errors.New("the token has expired")
	ErrNotYet      = errors.New("the token is not valid yet")
	ErrPath        = errors.New("the token is for another path")
	ErrAddress     = errors.New("the token is for another address")
	ErrUnsupported = errors.New("the token asks for a check that is not supported")
)

// ErrScope means that a scope cannot be written in the format without being
// widened: a wildcard or separator of the format stands in the path, the format
// has no such field, or cannot bind as closely. That CDN is then to be left out
// for the viewer.
var ErrScope = errors.New("the scope cannot be written in this token format")

// Scope is how far a token reaches. It is comparable.
type Scope struct {
	// Dir is the directory below the pathway's base that may be read:
	// canonical (decoded), without a leading slash, ending in "/" ("movie1/").
	// Empty is all that is below the base.
	Dir string
	// File, where not empty, is the one file below the base that may be read;
	// Dir is then empty.
	File string
	// Starts and Expires are Unix seconds. Starts 0 is none.
	Starts, Expires int64
	// Client binds the token to an address, where valid: the client's own
	// address with the length of the prefix that the grant allows. Formats
	// that know no prefixes bind to the address.
	Client netip.Prefix
	// Session, where not empty, is a name for the CDN's logs: letters, digits,
	// "-", "_" and ".". Formats without such a field leave it out.
	Session string
}

// Form is how a token is written.
type Form struct {
	// Place is in the query or in the path.
	Place manifest.Placement
	// XML writes "&" as "&amp;": the text goes into an MPD.
	XML bool
}

// format is a driver: all there is to one CDN's tokens.
type format struct {
	name string
	// query and path are the names of the element in these places.
	query, path string
	// named: the names can be configured. salted: there is a salt. plainHash:
	// there is a way without HMAC.
	named, salted, plainHash bool
	// hls is where the token stands in HLS unless configured.
	hls manifest.Placement
	// atEnd: the path element stands at the end of the base; else at the root.
	atEnd bool
	// openAddress: the text of a bound token shows the address, so that its
	// length varies.
	openAddress bool
	// list: the path element is a list of parameters, of which the token is
	// the first.
	list bool
	// owned are the query parameters that belong to the token, beside its
	// own name.
	owned []string

	// mint adds the element, name included, to dst.
	mint func(m *Minter, dst []byte, s *Scope, place manifest.Placement) ([]byte, error)
	// verify checks the token of a request.
	verify func(v *Verifier, r *request) error
}

// formats are the formats there are. A further one is a file and a line here.
var formats = [...]format{akamai, bunny, mediaCDN}

func formatOf(name string) *format {
	for i := range formats {
		if formats[i].name == name {
			return &formats[i]
		}
	}
	return nil
}

// checkTime is the same in all formats: good from starts until just before
// expires.
func checkTime(starts, expires, now int64) error {
	switch {
	case now >= expires:
		return ErrExpired
	case now < starts:
		return ErrNotYet
	}
	return nil
}
