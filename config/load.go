package config

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml/token"

	"manifold/internal/problem"
	"manifold/session"
)

// Part is a part of the program that a file configures.
type Part uint8

// The parts. Structure is checked in all of a file, contents only in the parts
// asked for: the machine of an origin need not have the keys of an edge.
const (
	Edge Part = 1 << iota
	OriginPart
	TranscoderPart

	All = Edge | OriginPart | TranscoderPart
)

// Loader reads the configurations of one process. The zero Loader is ready.
type Loader struct {
	// LookupEnv reads the environment; nil is os.LookupEnv.
	LookupEnv func(name string) (string, bool)
	// Random is where the session key comes from when a file names none; nil
	// is crypto/rand. It is drawn once: a reload keeps the sessions.
	Random io.Reader

	sessions *session.Keys
	geo      map[string]Stamp // databases that were read and are good
}

// Load reads a file and makes the configuration of the parts. The error is an
// [*Error] where the file could be read but is not right.
func (ld *Loader) Load(name string, parts Part) (*Config, error) {
	data, changed, err := readFile(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read configuration: %w", err)
	}
	cfg, err := ld.Parse(name, data, parts)
	if err == nil && cfg.Proxy.Since.IsZero() {
		cfg.Proxy.Since = changed.Truncate(time.Second) // what copies of a file keep of it
	}
	return cfg, err
}

// readFile reads no more of a file than is taken, and tells when it was
// changed.
func readFile(name string) (data []byte, changed time.Time, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, changed, err
	}
	if !info.Mode().IsRegular() { // a pipe would make us wait for ever
		return nil, changed, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, changed, err
	}
	defer f.Close()
	data, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	return data, info.ModTime(), err
}

// Parse makes the configuration of a file's text. name is the file's, for
// messages and for the folder in which relative paths begin.
func (ld *Loader) Parse(name string, data []byte, parts Part) (*Config, error) {
	sum := sha256.Sum256(data)
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // a byte order mark may begin a YAML text
	f, d, bad := read(data)
	if bad != nil {
		return nil, fail(name, data, []Located{*bad}, nil)
	}
	if ld.geo == nil {
		ld.geo = map[string]Stamp{}
	}
	b := &builder{file: f, dir: filepath.Dir(name), lookup: ld.LookupEnv, cfg: &Config{File: f}, checked: ld.geo}
	if !d.spent { // else the file was not read to its end
		b.build(parts)
	}
	found := d.found
	known := map[string]bool{}
	for _, p := range found {
		known[p.Path] = true
	}
	for _, p := range b.problems {
		if !toldAbove(known, p.Path) {
			found = append(found, d.locate(p))
		}
	}
	files := append([]string{name}, b.files...)
	if len(found) > 0 {
		err := fail(name, data, found, d.secrets)
		err.Files = files
		return nil, err
	}
	for _, w := range b.warnings {
		b.cfg.Warnings = append(b.cfg.Warnings, d.locate(w))
	}
	b.cfg.Warnings = show(data, b.cfg.Warnings, nil)
	if parts&Edge != 0 {
		if err := ld.keepSessions(b); err != nil {
			return nil, err
		}
	}
	b.cfg.Files, b.cfg.Sum = files, sum
	return b.cfg, nil
}

// keepSessions gives a configuration without session keys those of this
// process.
func (ld *Loader) keepSessions(b *builder) error {
	if b.cfg.Proxy.Sessions != nil {
		return nil
	}
	if ld.sessions == nil {
		k, err := ownSessions(ld.Random)
		if err != nil {
			return err
		}
		ld.sessions = k
	}
	b.cfg.Proxy.Sessions = ld.sessions
	return nil
}

func ownSessions(random io.Reader) (*session.Keys, error) {
	if random == nil {
		random = rand.Reader
	}
	secret := make([]byte, session.MinSecret)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, fmt.Errorf("cannot make a session key: %w", err)
	}
	return session.NewKeys(session.Secrets{Sign: [][]byte{secret}})
}

// read gives the file that a text describes, with what is wrong in its
// structure, or why it cannot be read at all.
func read(data []byte) (*File, *decoder, *Located) {
	root, bad := parseYAML(data)
	if bad != nil {
		return nil, nil, bad
	}
	f := Default()
	d := decode(root, f)
	f.complete()
	return f, d, nil
}

// fail makes the error of a file.
func fail(name string, data []byte, list []Located, secrets []*token.Token) *Error {
	list = show(data, list, secrets)
	return &Error{File: or(name, "configuration"), Problems: list}
}

// toldAbove tells whether a problem was told at the path or above it: what
// follows from it is not news.
func toldAbove(known map[string]bool, path string) bool {
	for ; path != ""; path = parent(path) {
		if known[path] {
			return true
		}
	}
	return false
}

// locate finds the place of a path, or of the nearest one above it that
// stands in the file.
func (d *decoder) locate(p problem.Problem) Located {
	l := Located{Problem: p}
	for path := p.Path; path != ""; path = parent(path) {
		if t := d.where[path]; t != nil && t.Position != nil {
			l.Line, l.Column = t.Position.Line, t.Position.Column
			break
		}
	}
	return l
}

func parent(path string) string {
	if i := strings.LastIndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return ""
}

// Load reads a file for all parts. For a process that loads more than once,
// use a [Loader].
func Load(name string) (*Config, error) { return new(Loader).Load(name, All) }

// Parse makes the configuration of a file's text for all parts.
func Parse(name string, data []byte) (*Config, error) { return new(Loader).Parse(name, data, All) }

// Missing tells that an error is about a file that is not there.
func Missing(err error) bool { return errors.Is(err, os.ErrNotExist) }
