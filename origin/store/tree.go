package store

import (
	"context"
	"io"
	"strings"
)

// Tree is one name space over a Directory and a Memory: names below one of
// the prefixes live in memory, all others in the folder.
type Tree struct {
	directory *Directory
	memory    *Memory
	prefixes  []string
}

// NewTree joins a folder and a memory; one of them, not both, may be nil, and
// then all names are in the other. Prefixes are whole path elements ("live"
// or "live/").
func NewTree(directory *Directory, memory *Memory, prefixes []string) *Tree {
	t := &Tree{directory: directory, memory: memory}
	for _, p := range prefixes {
		t.prefixes = append(t.prefixes, strings.TrimSuffix(p, "/")+"/")
	}
	return t
}

func (t *Tree) inMemory(name string) bool {
	if t.directory == nil {
		return true
	}
	if t.memory == nil {
		return false
	}
	for _, p := range t.prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// Open opens the object of that name.
func (t *Tree) Open(name string) (*Object, error) {
	if t.inMemory(name) {
		return t.memory.Open(name)
	}
	return t.directory.Open(name)
}

// Get gives the whole content of name; fs.ErrNotExist where it holds nothing.
func (t *Tree) Get(name string) ([]byte, error) {
	o, err := t.Open(name)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	return o.ReadAll()
}

// Put stores data under name, in place of what was there. The tree keeps
// data: it must not be changed afterwards.
func (t *Tree) Put(ctx context.Context, name string, data []byte) error {
	if t.inMemory(name) {
		return t.memory.Put(ctx, name, data)
	}
	return t.directory.Put(ctx, name, data)
}

// Write stores what r gives, at most limit bytes, once r has ended well.
// created is true where the name held nothing before.
func (t *Tree) Write(ctx context.Context, name string, r io.Reader, limit int64, cond Condition) (created bool, err error) {
	if t.inMemory(name) {
		return t.memory.Write(ctx, name, r, limit, cond)
	}
	return t.directory.Write(ctx, name, r, limit, cond)
}

// Delete removes the object; fs.ErrNotExist where there is none.
func (t *Tree) Delete(ctx context.Context, name string) error {
	if t.inMemory(name) {
		return t.memory.Delete(ctx, name)
	}
	return t.directory.Delete(ctx, name)
}
