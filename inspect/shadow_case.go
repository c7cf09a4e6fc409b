package inspect

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"manifold/manifest"
)

// caseFolder keeps the cases of mismatches, a folder each: case.json says what
// differs and for which shape, source and output are the manifests, with
// tokens and sessions blotted out. It is bounded; the oldest make room.
type caseFolder struct {
	dir   string
	cases int
	bytes int64
}

func openCases(dir string, cases int, bytes int64) (*caseFolder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of the shadow verifier's cases: %w", err)
	}
	return &caseFolder{dir, cases, bytes}, nil
}

// caseInfo is case.json.
type caseInfo struct {
	Time        time.Time `json:"time"`
	Kind        string    `json:"kind"`
	Path        string    `json:"path"`
	Verdict     string    `json:"verdict"`
	Differences []string  `json:"differences"`
	Shape       shapeInfo `json:"shape"`
}

// shapeInfo describes a manifest.Shape.
type shapeInfo struct {
	Prefix         string           `json:"prefix"`
	Cohort         string           `json:"cohort,omitempty"`
	Edge           string           `json:"edge,omitempty"`
	Source         string           `json:"source"`
	Pathways       []pathwayInfo    `json:"pathways"`
	Current        int              `json:"current"`
	Segments       string           `json:"segments"`
	Steering       bool             `json:"steering"`
	Backups        int              `json:"backups"`
	OriginSteering bool             `json:"origin_steering,omitempty"`
	Location       bool             `json:"location,omitempty"`
	Filter         *manifest.Filter `json:"filter,omitempty"`
	Since          *time.Time       `json:"since,omitempty"`
	SlotLengths    []int            `json:"slot_lengths,omitempty"`
}

type pathwayInfo struct {
	ID    string `json:"id"`
	Base  string `json:"base"`
	Token string `json:"token"`
}

func describeShape(s *manifest.Shape) shapeInfo {
	info := shapeInfo{
		Prefix: s.Prefix, Cohort: s.Cohort, Edge: s.Edge, Source: s.Source, Current: s.Current, Steering: s.Steering != nil, Backups: s.Backups,
		OriginSteering: s.OriginSteering, Location: s.Location, Filter: s.Filter, SlotLengths: s.SlotLengths, Since: dateOrNil(s.Since),
	}
	info.Segments = [...]string{"direct", "proxy", "redirect"}[min(s.Segments, manifest.SegmentsRedirect)]
	for _, p := range s.Pathways {
		info.Pathways = append(info.Pathways, pathwayInfo{p.ID, p.Base, [...]string{"none", "in query", "in path"}[min(p.Token, manifest.InPath)]})
	}
	return info
}

// save keeps a case and gives its name; "" where one like it is there already.
func (f *caseFolder) save(c *shadowCase, v verdict, what []string, now time.Time) (string, error) {
	secrets := c.plan.Values
	source, output := redact(c.source, nil), redact(c.output, secrets)
	info, err := json.MarshalIndent(caseInfo{now.UTC(), c.kind.String(), c.plan.Path, v.String(), what, describeShape(c.plan.Shape)}, "", "  ")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(c.kind.String() + "\n" + c.plan.Path + "\n" + strings.Join(what, "\n")))
	mark := hex.EncodeToString(sum[:4])
	ext := ".m3u8"
	if c.kind == manifest.DASH {
		ext = ".mpd"
	}
	size := int64(len(info) + len(source) + len(output))
	if size > f.bytes {
		return "", fmt.Errorf("the case has %d bytes, and the folder holds %d", size, f.bytes)
	}
	known, err := f.makeRoom(mark, size)
	if err != nil || known {
		return "", err
	}
	name := stampOf(now) + "-" + c.kind.String() + "-" + mark
	work, err := os.MkdirTemp(f.dir, ".new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	for file, body := range map[string][]byte{"case.json": append(info, '\n'), "source" + ext: source, "output" + ext: output} {
		if err := os.WriteFile(filepath.Join(work, file), body, 0o600); err != nil {
			return "", err
		}
	}
	return name, os.Rename(work, filepath.Join(f.dir, name))
}

// makeRoom removes the oldest cases until one of the size fits; known says that
// a case with this mark is there. What is not a case is left alone.
func (f *caseFolder) makeRoom(mark string, size int64) (known bool, err error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return false, err
	}
	var names []string
	sizes := make(map[string]int64)
	sum := size
	for _, e := range entries {
		if !e.IsDir() || !isCase(e.Name()) {
			continue
		}
		if strings.HasSuffix(e.Name(), "-"+mark) {
			return true, nil
		}
		names = append(names, e.Name())
		sizes[e.Name()] = sizeOf(filepath.Join(f.dir, e.Name()))
		sum += sizes[e.Name()]
	}
	sort.Strings(names) // they begin with their times
	for len(names) > 0 && (len(names) >= f.cases || sum > f.bytes) {
		if err := os.RemoveAll(filepath.Join(f.dir, names[0])); err != nil {
			return false, err
		}
		sum -= sizes[names[0]]
		names = names[1:]
	}
	return false, nil
}

// isCase tells the folders that save makes.
func isCase(name string) bool {
	stamp, _, ok := strings.Cut(name, "-")
	_, err := time.Parse("20060102T150405.000Z", stamp)
	return ok && err == nil
}

// sizeOf is the size of the files in a folder; what is gone counts nothing.
func sizeOf(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			n += info.Size()
		}
		return nil
	})
	return n
}
