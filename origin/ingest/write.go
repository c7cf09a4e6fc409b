package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"syscall"
	"time"

	"manifold/exchange"
	"manifold/origin/store"
)

func hashTokens(tokens []string) [][32]byte {
	hashes := make([][32]byte, len(tokens))
	for i, t := range tokens {
		hashes[i] = sha256.Sum256([]byte(t))
	}
	return hashes
}

// write takes an object in (PUT, POST) or out (DELETE).
func (s *Server) write(ex *exchange.Exchange) {
	if !s.writable() {
		s.notAllowed(ex)
		return
	}
	if !s.mayWrite(ex) {
		if len(s.tokens) == 0 {
			ex.Fail(http.StatusForbidden, "writing is for programs on this machine")
			return
		}
		ex.Fail(http.StatusUnauthorized, "writing needs a valid token")
		ex.SetField("WWW-Authenticate", `Bearer realm="origin"`)
		return
	}
	name := strings.Clone(objectName(ex)) // a store keeps it, the Exchange is used again
	if err := store.CheckName(name); err != nil {
		ex.Fail(http.StatusBadRequest, err.Error())
		return
	}
	if lastElement(name) == s.cfg.TimeName {
		ex.Fail(http.StatusForbidden, "this path answers with the time")
		return
	}
	if status := s.writeCondition(ex, name); status != 0 {
		ex.Fail(status, "the object is another one now")
		return
	}
	if ex.Method == http.MethodDelete {
		s.remove(ex, name)
		return
	}
	s.take(ex, name)
}

// mayWrite tells whether the request carries a token, or comes from a program
// on this machine. A browser on this machine can be made to send requests by
// any page; those carry Origin or Sec-Fetch-Site, which programs do not send.
func (s *Server) mayWrite(ex *exchange.Exchange) bool {
	scheme, secret, _ := strings.Cut(ex.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		sum := sha256.Sum256([]byte(strings.TrimSpace(secret)))
		valid := 0
		for i := range s.tokens {
			valid |= subtle.ConstantTimeCompare(sum[:], s.tokens[i][:])
		}
		if valid == 1 {
			return true
		}
	}
	return s.cfg.LoopbackWrites && ex.Remote.Addr().Unmap().IsLoopback() &&
		ex.Header.Get("Origin") == "" && ex.Header.Get("Sec-Fetch-Site") == ""
}

// writeCondition evaluates the request's conditions before the write, not in
// one step with it; only If-None-Match: * is one step (store.IfAbsent).
func (s *Server) writeCondition(ex *exchange.Exchange, name string) int {
	var etag string
	var modified time.Time
	if o, err := s.tree.Open(name); err == nil {
		etag, modified = o.ETag, o.Modified
		_ = o.Close()
	}
	return precondition(ex.Header, etag, modified, false)
}

func (s *Server) remove(ex *exchange.Exchange, name string) {
	if err := s.tree.Delete(ex.Context(), name); err != nil {
		s.fail(ex, "cannot delete", err)
		return
	}
	ex.Status = http.StatusNoContent
}

func (s *Server) take(ex *exchange.Exchange, name string) {
	if ex.Header.Get("Content-Range") != "" { // RFC 9110, section 14.5
		ex.Fail(http.StatusBadRequest, "a part of an object cannot be written")
		return
	}
	if n, ok := digits(ex.Header.Get("Content-Length")); ok && n > s.cfg.MaxObject {
		ex.Fail(http.StatusRequestEntityTooLarge, "the object is too large")
		return
	}
	body := ex.RequestBody
	if body == nil {
		body = bytes.NewReader(nil)
	}
	cond := store.Always
	if strings.TrimSpace(ex.Header.Get("If-None-Match")) == "*" {
		cond = store.IfAbsent
	}
	source := &sourceReader{r: body}
	// FFmpeg does not wait for the answer to a PUT: a sender who has gone after
	// the last byte has sent a whole object.
	created, err := s.tree.Write(context.WithoutCancel(ex.Context()), name, source, s.cfg.MaxObject, cond)
	switch {
	case err == nil && created:
		ex.Status = http.StatusCreated
	case err == nil:
		ex.Status = http.StatusNoContent
	case errors.Is(err, store.ErrExists):
		ex.Fail(http.StatusPreconditionFailed, "the object is there already")
	case errors.Is(err, store.ErrTooLarge), errors.Is(err, exchange.ErrTooLarge):
		ex.Fail(http.StatusRequestEntityTooLarge, "the object is too large")
	case store.IsFull(err):
		s.log.Error("cannot take in object", "path", ex.Path, "error", err)
		ex.Fail(http.StatusInsufficientStorage, "there is no room for the object")
	case source.err != nil:
		ex.Fail(http.StatusBadRequest, "the request ended before its content did")
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTDIR):
		ex.Fail(http.StatusConflict, "an element of the path is an object, not a folder")
	default:
		s.log.Error("cannot take in object", "path", ex.Path, "error", err)
		ex.Fail(http.StatusInternalServerError, "the object cannot be stored")
	}
}

// sourceReader remembers that it was the sender who failed.
type sourceReader struct {
	r   io.Reader
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
