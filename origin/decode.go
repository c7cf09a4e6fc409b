package origin

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// ratioFloor is how much may be decoded before the ratio is looked at: a tiny
// body of one repeated line is no bomb.
const ratioFloor = 64 << 10

// decoder gives the body of a reply in its identity form, within the limits:
// decoded size, and decoded over encoded size.
func decoder(r *reply, l *Limits) (io.Reader, *Error) {
	var codings []string
	for _, line := range r.header["Content-Encoding"] {
		for c := range strings.SplitSeq(line, ",") {
			if c = strings.ToLower(strings.Trim(c, " \t")); c != "" && c != "identity" {
				codings = append(codings, c)
			}
		}
	}
	switch {
	case len(codings) == 0:
		return r, nil
	case len(codings) > 1 || codings[0] != "gzip" && codings[0] != "x-gzip":
		return nil, &Error{Reason: ErrEncoding, Origin: r.source.root.Host,
			Err: fmt.Errorf("Content-Encoding %q was not asked for", strings.Join(codings, ", "))}
	}
	return &gunzip{reply: r, limits: l}, nil
}

type gunzip struct {
	reply  *reply
	limits *Limits
	z      *gzip.Reader
	out    int64
}

func (g *gunzip) Read(p []byte) (int, error) {
	host := g.reply.source.root.Host
	if g.z == nil {
		z, err := gzip.NewReader(g.reply)
		if err != nil {
			return 0, g.fail(err)
		}
		g.z = z
	}
	// What one call may give is bounded, so that no limit is overrun by more
	// than a buffer.
	n, err := g.z.Read(p[:min(len(p), ratioFloor)])
	g.out += int64(n)
	if g.out > g.limits.Decoded {
		return 0, &Error{Reason: ErrBomb, Origin: host, Err: fmt.Errorf("it decodes to more than %d bytes", g.limits.Decoded)}
	}
	if g.out > ratioFloor && g.out > g.limits.Ratio*max(g.reply.total, 1) {
		return 0, &Error{Reason: ErrBomb, Origin: host, Err: fmt.Errorf("it decodes to more than %d times its size", g.limits.Ratio)}
	}
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, g.fail(err)
}

func (g *gunzip) fail(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return &Error{Reason: ErrIncomplete, Origin: g.reply.source.root.Host, Err: io.ErrUnexpectedEOF}
	}
	return &Error{Reason: ErrEncoding, Origin: g.reply.source.root.Host, Err: fmt.Errorf("cannot decode gzip: %w", err)}
}
