package browser

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

//go:embed player
var playerFiles embed.FS

// playerHandler serves the player page at /, and the npm files at
// /npm/PACKAGE/FILE from the folders that scripts/setup filled.
func playerHandler(tb testing.TB) http.Handler {
	tb.Helper()
	pages, err := fs.Sub(playerFiles, "player")
	if err != nil {
		tb.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(pages))
	mux.HandleFunc("GET /npm/{package}/{file}", func(w http.ResponseWriter, r *http.Request) {
		raw, err := npmFile(r.PathValue("package"), r.PathValue("file"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		http.ServeContent(w, r, r.PathValue("file"), time.Time{}, bytes.NewReader(raw))
	})
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return mux
}

// npmFile reads a file that assets/files.txt lists.
func npmFile(pkg, file string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(root(), "assets", "web", pkg, file))
	if err != nil {
		raw, err = os.ReadFile(filepath.Join(root(), "assets", "test", pkg, file))
	}
	return raw, err
}

// root is the module's folder: a test runs in its package's folder, below it.
func root() string {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	return "."
}
