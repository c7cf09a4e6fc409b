package wire

import (
	"crypto/sha256"
	"io"
	"maps"
	"os"

	"manifold/config"
)

// watcher tells when the files of a configuration have changed. It looks at
// size and time; where these differ and then stay the same for one look, so
// that nobody is writing any more, it compares contents. The caller
// synchronises.
type watcher struct {
	files  []string
	stamps map[string]config.Stamp
	sums   map[string][32]byte
	moving bool // a stamp differed at the last look
}

// largeFile is the size from which on a file's contents are not compared: its
// time and size are enough for a database.
const largeFile = 1 << 20

// follow watches the files of a configuration that was taken; sum is what its
// own text was when it was read.
func (w *watcher) follow(files []string, sum [32]byte) {
	w.refollow(files)
	if len(files) > 0 && w.sums[files[0]] != sum {
		w.sums[files[0]], w.moving = sum, true // changed since
	}
}

// refollow watches files as they are now.
func (w *watcher) refollow(files []string) {
	w.files, w.stamps, w.moving = files, stampsOf(files), false
	w.sums = sumsOf(files, w.stamps)
}

// look gives what the followed files hold now.
func (w *watcher) look() map[string][32]byte {
	return sumsOf(w.files, stampsOf(w.files))
}

// goOn watches files after a reading that failed; read is what they held when
// it began.
func (w *watcher) goOn(files []string, read map[string][32]byte) {
	w.refollow(files)
	for name, sum := range read {
		if now, ok := w.sums[name]; ok && now != sum {
			w.sums[name], w.moving = sum, true // changed since
		}
	}
}

// changed tells once that contents differ from what they were.
func (w *watcher) changed() bool {
	now := stampsOf(w.files)
	if !maps.Equal(now, w.stamps) {
		w.stamps, w.moving = now, true
		return false
	}
	if !w.moving {
		return false
	}
	w.moving = false
	sums := sumsOf(w.files, now)
	if maps.Equal(sums, w.sums) {
		return false
	}
	w.sums = sums
	return true
}

func stampsOf(files []string) map[string]config.Stamp {
	m := make(map[string]config.Stamp, len(files))
	for _, name := range files {
		m[name] = config.StampOf(name)
	}
	return m
}

// sumsOf hashes contents; a file that cannot be read has the hash of nothing,
// a large one that of its stamp.
func sumsOf(files []string, stamps map[string]config.Stamp) map[string][32]byte {
	m := make(map[string][32]byte, len(files))
	for _, name := range files {
		m[name] = sumOf(name, stamps[name])
	}
	return m
}

func sumOf(name string, stamp config.Stamp) (sum [32]byte) {
	if stamp.Size() >= largeFile {
		return sha256.Sum256([]byte(stamp.String()))
	}
	f, err := os.Open(name)
	if err != nil {
		return sum
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, largeFile)); err != nil {
		return sum
	}
	return [32]byte(h.Sum(nil))
}
