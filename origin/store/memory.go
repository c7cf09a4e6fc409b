package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"
)

// Memory keeps objects in memory, up to a bound of bytes. It never gives an
// object up by itself: a full Memory refuses with [ErrFull].
type Memory struct {
	limit int64
	now   func() time.Time

	mu      sync.RWMutex
	objects map[string]*Object
	bytes   int64
}

// perObject is what an object costs beside its bytes and its name.
const perObject = 256

// NewMemory makes an empty store of at most limit bytes (content, names and
// about 256 bytes for each object).
func NewMemory(limit int64, now func() time.Time) *Memory {
	return &Memory{limit: limit, now: now, objects: map[string]*Object{}}
}

// Open opens the object of that name.
func (m *Memory) Open(name string) (*Object, error) {
	m.mu.RLock()
	o := m.objects[name]
	m.mu.RUnlock()
	if o == nil {
		return nil, fmt.Errorf("cannot open %s: %w", name, fs.ErrNotExist)
	}
	return o, nil
}

// Put stores data under name, in place of what was there. The store keeps
// data: it must not be changed afterwards.
func (m *Memory) Put(_ context.Context, name string, data []byte) error {
	_, err := m.put(name, data, Always)
	return err
}

func (m *Memory) put(name string, data []byte, cond Condition) (created bool, err error) {
	if err := CheckName(name); err != nil {
		return false, err
	}
	sum := sha256.Sum256(data)
	o := &Object{
		Size:     int64(len(data)),
		Modified: m.now().Truncate(time.Millisecond),
		ETag:     `"` + hex.EncodeToString(sum[:12]) + `"`,
		data:     data,
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.objects[name]
	if old != nil && cond == IfAbsent {
		return false, fmt.Errorf("cannot store %s: %w", name, ErrExists)
	}
	total := m.bytes + cost(name, o) - cost(name, old)
	if total > m.limit {
		return false, fmt.Errorf("cannot store %s in memory: %w: %d bytes of %d taken", name, ErrFull, m.bytes, m.limit)
	}
	m.bytes = total
	m.objects[name] = o
	return old == nil, nil
}

func cost(name string, o *Object) int64 {
	if o == nil {
		return 0
	}
	return int64(len(name)) + o.Size + perObject
}

// Write stores what r gives, at most limit bytes, once r has ended well.
// created is true where the name held nothing before.
func (m *Memory) Write(_ context.Context, name string, r io.Reader, limit int64, cond Condition) (created bool, err error) {
	limit = min(limit, m.limit)
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return false, fmt.Errorf("cannot read content of %s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return false, fmt.Errorf("cannot store %s: %w: limit %d bytes", name, ErrTooLarge, limit)
	}
	return m.put(name, data, cond)
}

// Delete removes the object; fs.ErrNotExist where there is none.
func (m *Memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.objects[name]
	if o == nil {
		return fmt.Errorf("cannot delete %s: %w", name, fs.ErrNotExist)
	}
	m.bytes -= cost(name, o)
	delete(m.objects, name)
	return nil
}

// Used is the number of bytes and of objects held.
func (m *Memory) Used() (bytes int64, objects int) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.bytes, len(m.objects)
}

// IsFull tells whether err says that a store, or the disk below it, is full.
func IsFull(err error) bool {
	return errors.Is(err, ErrFull) || errors.Is(err, errNoSpace) || errors.Is(err, errQuota)
}
