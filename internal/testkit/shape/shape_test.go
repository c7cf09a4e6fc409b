package shape

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"manifold/internal/testkit/bubble"
)

// Two answers of 100,000 bytes share a link of 800 kbit/s that gets four times
// as fast after one second.
func TestLink(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), make([]byte, 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	bubble.Test(t, func(t *testing.T) {
		s := &Server{Dir: dir, Trace: []Step{{time.Second, 800_000}, {time.Minute, 3_200_000}}, Trip: 10 * time.Millisecond}
		begin := time.Now()
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				w := httptest.NewRecorder()
				s.ServeHTTP(w, httptest.NewRequest("GET", "/one/f", nil))
				if w.Code != 200 || w.Body.Len() != 100_000 {
					t.Errorf("%d, %d bytes", w.Code, w.Body.Len())
				}
			})
		}
		all.Wait()
		// 99 % of 100,000 bytes in the first second after the round trip.
		if took := time.Since(begin).Round(10 * time.Millisecond); took != 1250*time.Millisecond {
			t.Errorf("two answers took %s", took)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "/one/../../etc/passwd", nil))
		if w.Code != 404 {
			t.Errorf("outside of the folder: %d", w.Code)
		}
	})
}
