package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"manifold/exchange"
	"manifold/origin/store"
)

// Server is the content server. It is an [exchange.Handler].
type Server struct {
	cfg       Config
	now       func() time.Time
	log       *slog.Logger
	tokens    [][32]byte
	directory *store.Directory
	memory    *store.Memory
	tree      *store.Tree
}

// New opens the content of cfg. The error is a problem.List where cfg is
// wrong, else what the file system said.
func New(cfg Config, now func() time.Time, log *slog.Logger) (*Server, error) {
	if err := cfg.Validate().Err(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	s := &Server{cfg: cfg, now: now, log: log, tokens: hashTokens(cfg.WriteTokens)}
	if cfg.Directory != "" {
		d, err := store.OpenDirectory(cfg.Directory, now())
		if err != nil {
			return nil, err
		}
		s.directory = d
	}
	if cfg.Directory == "" || len(cfg.Memory) > 0 {
		s.memory = store.NewMemory(cfg.MemoryLimit, now)
	}
	s.tree = store.NewTree(s.directory, s.memory, cfg.Memory)
	return s, nil
}

// Close closes the content folder.
func (s *Server) Close() error {
	if s.directory == nil {
		return nil
	}
	return s.directory.Close()
}

// Put stores data under name as a PUT would, for writers in this process. The
// server keeps data: it must not be changed afterwards.
func (s *Server) Put(ctx context.Context, name string, data []byte) error {
	return s.tree.Put(ctx, name, data)
}

// Get reads what name holds; fs.ErrNotExist where it holds nothing.
func (s *Server) Get(_ context.Context, name string) ([]byte, error) { return s.tree.Get(name) }

// Delete removes what name holds; fs.ErrNotExist where it holds nothing.
func (s *Server) Delete(ctx context.Context, name string) error { return s.tree.Delete(ctx, name) }

// Used is what lies in memory, in bytes and objects.
func (s *Server) Used() (bytes int64, objects int) {
	if s.memory == nil {
		return 0, 0
	}
	return s.memory.Used()
}

// Serve answers one request.
func (s *Server) Serve(ex *exchange.Exchange) {
	ex.SetField("Access-Control-Allow-Origin", "*")
	ex.SetField("Access-Control-Expose-Headers", "Content-Length, Content-Range, Date, ETag")
	ex.SetField("Timing-Allow-Origin", "*")
	switch ex.Method {
	case http.MethodGet, http.MethodHead:
		s.read(ex)
	case http.MethodOptions:
		ex.SetField("Allow", s.allow())
		ex.SetField("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		ex.SetField("Access-Control-Allow-Headers", "Range, If-None-Match, If-Modified-Since, If-Range")
		ex.SetField("Access-Control-Max-Age", "86400")
		ex.Status = http.StatusNoContent
	case http.MethodPut, http.MethodPost, http.MethodDelete:
		s.write(ex)
	default:
		s.notAllowed(ex)
	}
}

func (s *Server) writable() bool { return s.cfg.LoopbackWrites || len(s.tokens) > 0 }

func (s *Server) allow() string {
	if s.writable() {
		return "GET, HEAD, OPTIONS, PUT, POST, DELETE"
	}
	return "GET, HEAD, OPTIONS"
}

func (s *Server) notAllowed(ex *exchange.Exchange) {
	ex.Fail(http.StatusMethodNotAllowed, "this server answers "+s.allow())
	ex.SetField("Allow", s.allow())
}

// maxManifest bounds what is looked into for freshness; a longer one is
// served as if it changed all the time.
const maxManifest = 4 << 20

// inline is the size up to which content is copied into the Exchange.
const inline = 64 << 10

func (s *Server) read(ex *exchange.Exchange) {
	name := objectName(ex)
	if lastElement(name) == s.cfg.TimeName {
		s.time(ex)
		return
	}
	o, err := s.tree.Open(name)
	if err != nil {
		s.fail(ex, "cannot serve", err)
		return
	}
	keep := false
	defer func() {
		if !keep {
			_ = o.Close()
		}
	}()

	kind := kindOf(name)
	var manifest []byte
	if kind.manifest && o.Size <= maxManifest {
		if manifest, err = o.ReadAll(); err != nil {
			s.fail(ex, "cannot serve", err)
			return
		}
	}
	ex.SetField("Content-Type", kind.contentType)
	ex.SetField("Cache-Control", Lifetime(name, manifest))
	ex.SetField("ETag", o.ETag)
	ex.SetField("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	ex.SetField("Accept-Ranges", "bytes")

	if status := precondition(ex.Header, o.ETag, o.Modified, true); status != 0 {
		if status == http.StatusPreconditionFailed {
			ex.Fail(status, "the object is another one now")
			return
		}
		ex.Status = status
		return
	}
	from, n := int64(0), o.Size
	ex.Status = http.StatusOK
	if ex.Method == http.MethodGet && rangeApplies(ex.Header, o.ETag, o.Modified) {
		switch r, state := parseRange(ex.Header.Get("Range"), o.Size); state {
		case rangeSatisfiable:
			from, n = r.from, r.size
			ex.Status = http.StatusPartialContent
			ex.SetField("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, from+n-1, o.Size))
		case rangeUnsatisfiable:
			ex.Fail(http.StatusRequestedRangeNotSatisfiable, "the object ends before this range")
			ex.SetField("Content-Range", fmt.Sprintf("bytes */%d", o.Size))
			return
		}
	}
	if manifest == nil {
		manifest, _ = o.Bytes()
	}
	if manifest != nil && n <= inline {
		ex.Body = append(ex.Body[:0], manifest[from:from+n]...)
		return
	}
	ex.StreamSize = n
	file, err := o.File(from)
	if err != nil {
		s.fail(ex, "cannot serve", err)
		return
	}
	if file == nil {
		ex.Stream = o.Section(from, n)
		return
	}
	ex.Stream, keep = file, true // read up to StreamSize; a listener may send it without copying
}

func (s *Server) time(ex *exchange.Exchange) {
	ex.Status = http.StatusOK
	ex.SetField("Content-Type", "text/plain; charset=utf-8")
	ex.SetField("Cache-Control", "no-store")
	ex.Body = s.now().UTC().AppendFormat(ex.Body[:0], "2006-01-02T15:04:05.000Z")
}

func (s *Server) fail(ex *exchange.Exchange, what string, err error) {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, store.ErrName):
		ex.Fail(http.StatusNotFound, "there is no such object")
	default:
		s.log.Error(what, "path", ex.Path, "error", err)
		ex.Fail(http.StatusInternalServerError, "the object cannot be read")
	}
}

func objectName(ex *exchange.Exchange) string {
	if ex.Path == "" {
		return ""
	}
	return ex.Path[1:]
}
