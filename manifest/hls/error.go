package hls

import (
	"errors"
	"fmt"
)

// What an [Error] is about; errors.Is tells them apart.
var (
	// ErrNotPlaylist: the bytes are something else, as a web page is.
	ErrNotPlaylist = errors.New("not a playlist")
	// ErrBounds: the playlist is larger than this package accepts.
	ErrBounds = errors.New("playlist exceeds a bound")
	// ErrSyntax: a line cannot be read safely.
	ErrSyntax = errors.New("playlist syntax")
)

// Error says where a playlist cannot be compiled, and why. It names tags and
// positions, never contents: a URI may hold a secret.
type Error struct {
	Line   int // counted from 1
	Column int // in bytes, counted from 1
	Offset int // in bytes from the beginning
	Text   string

	kind error
}

// Error gives "line 812: EXT-X-MAP without URI"; the caller adds the name of
// the playlist. The column is told where it is not the line's beginning.
func (e *Error) Error() string {
	if e.Column > 1 {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Text)
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Text)
}

// Unwrap gives ErrNotPlaylist, ErrBounds or ErrSyntax.
func (e *Error) Unwrap() error { return e.kind }
