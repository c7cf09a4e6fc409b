package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"sync"
	"syscall"
	"time"
)

var (
	errNoSpace error = syscall.ENOSPC
	errQuota   error = syscall.EDQUOT
)

// incoming holds files that are being written; its name cannot be that of an
// object. A file in it that is older than abandoned was left by a crash.
const (
	incoming  = ".incoming"
	abandoned = time.Hour
)

// Directory keeps objects as files below one folder. A file is written below
// .incoming and renamed when it is whole, so that neither a reader of the
// Directory nor another server of the same folder ever sees a part of it.
// Content is not flushed to the disk at each write: after a power failure the
// newest objects may be missing.
type Directory struct {
	root *os.Root
	path string
	// names is held while a name is given or taken away, so that no folder is
	// removed between its making and the rename into it.
	names sync.Mutex
}

// OpenDirectory opens the folder at path, made where it is not there, and
// clears what a crash left in it.
func OpenDirectory(dir string, now time.Time) (*Directory, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make content directory: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open content directory: %w", err)
	}
	d := &Directory{root: root, path: dir}
	if err := d.clear(now); err != nil {
		_ = root.Close()
		return nil, err
	}
	return d, nil
}

func (d *Directory) clear(now time.Time) error {
	entries, err := fs.ReadDir(d.root.FS(), incoming)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot list unfinished files of %s: %w", d.path, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > abandoned {
			_ = d.root.Remove(path.Join(incoming, e.Name()))
		}
	}
	return nil
}

// Close closes the folder. Objects open for reading stay open.
func (d *Directory) Close() error { return d.root.Close() }

// Open opens the object of that name. What is not a regular file (a folder, a
// pipe, a device) is no object.
func (d *Directory) Open(name string) (*Object, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP) {
			err = fs.ErrNotExist
		}
		return nil, fmt.Errorf("cannot open %s: %w", name, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("cannot open %s: %w", name, err)
	}
	return &Object{Size: info.Size(), Modified: info.ModTime(), ETag: fileTag(info), file: f}, nil
}

// fileTag is a strong tag: every write makes a new file, so that the inode
// and the time of writing tell two contents of one name apart.
func fileTag(info fs.FileInfo) string {
	tag := make([]byte, 0, 64)
	tag = append(tag, '"')
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		tag = strconv.AppendUint(tag, st.Ino, 36)
		tag = append(tag, '-')
	}
	tag = strconv.AppendInt(tag, info.ModTime().UnixNano(), 36)
	tag = append(tag, '-')
	tag = strconv.AppendInt(tag, info.Size(), 36)
	return string(append(tag, '"'))
}

// Put stores data under name, in place of what was there.
func (d *Directory) Put(ctx context.Context, name string, data []byte) error {
	_, err := d.store(ctx, name, Always, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
	return err
}

// Write stores what r gives, at most limit bytes, once r has ended well.
// created is true where the name held nothing before.
func (d *Directory) Write(ctx context.Context, name string, r io.Reader, limit int64, cond Condition) (created bool, err error) {
	return d.store(ctx, name, cond, func(f *os.File) error {
		n, err := io.Copy(f, io.LimitReader(r, limit+1))
		if err == nil && n > limit {
			err = fmt.Errorf("%w: limit %d bytes", ErrTooLarge, limit)
		}
		return err
	})
}

func (d *Directory) store(ctx context.Context, name string, cond Condition, fill func(*os.File) error) (created bool, err error) {
	if err := CheckName(name); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("cannot store %s: %w", name, err)
	}
	if err := d.root.MkdirAll(incoming, 0o755); err != nil {
		return false, fmt.Errorf("cannot store %s: %w", name, err)
	}
	temp := path.Join(incoming, rand.Text())
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return false, fmt.Errorf("cannot store %s: %w", name, err)
	}
	err = fill(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		created, err = d.commit(temp, name, cond)
	}
	if err != nil {
		_ = d.root.Remove(temp)
		return false, fmt.Errorf("cannot store %s: %w", name, err)
	}
	return created, nil
}

// commit gives the finished file its name. A hard link fails where the name
// is taken, which is what IfAbsent asks for; a rename replaces.
func (d *Directory) commit(temp, name string, cond Condition) (created bool, err error) {
	d.names.Lock()
	defer d.names.Unlock()
	if dir := path.Dir(name); dir != "." {
		if err := d.root.MkdirAll(dir, 0o755); err != nil {
			return false, err
		}
	}
	if cond == IfAbsent {
		if err := d.root.Link(temp, name); err != nil {
			if errors.Is(err, fs.ErrExist) {
				err = ErrExists
			}
			return false, err
		}
		return true, d.root.Remove(temp)
	}
	_, err = d.root.Lstat(name)
	created = errors.Is(err, fs.ErrNotExist)
	return created, d.root.Rename(temp, name)
}

// Delete removes the object; fs.ErrNotExist where there is none. A folder
// that becomes empty is removed with it.
func (d *Directory) Delete(_ context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	d.names.Lock()
	defer d.names.Unlock()
	info, err := d.root.Lstat(name)
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err == nil {
		err = d.root.Remove(name)
	}
	if err != nil {
		if errors.Is(err, syscall.ENOTDIR) {
			err = fs.ErrNotExist
		}
		return fmt.Errorf("cannot delete %s: %w", name, err)
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if d.root.Remove(dir) != nil {
			break
		}
	}
	return nil
}
