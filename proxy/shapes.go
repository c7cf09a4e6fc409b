package proxy

import (
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"sync/atomic"

	"manifold/device"
	"manifold/manifest"
	"manifold/steering"
)

// shapeKey is what a shape depends on. Its strings are those of a request
// while it is looked up, and own copies once it is kept.
type shapeKey struct {
	channel *channel
	device  *device.Profile
	kind    manifest.Kind
	tls     bool
	host    string
	cohort  string
	tier    int
	// theirs says that the origin declares steering of its own.
	theirs bool
	// since is Shape.Since in Unix seconds, for MPDs; 0: none.
	since int64
	// away is when order[0] was drained and segments come from order[1], for
	// media playlists; nil: never.
	away *absences
	// order holds the listed pathways; n of them count.
	order [steering.MaxPathways]uint8
	n     uint8
}

// shapeTable interns shapes, so that equal shapes are one pointer and
// templates can keep their forms by it. It is bounded: the host is the
// viewer's word, and one who invents hosts must not fill the memory; in a full
// bucket a random entry makes room. Reading takes no lock.
type shapeTable struct {
	seed    maphash.Seed
	buckets [shapeBuckets][shapeWays]atomic.Pointer[shapeEntry]
}

const (
	shapeBuckets = 1024
	shapeWays    = 4
)

type shapeEntry struct {
	key   shapeKey
	shape *manifest.Shape
}

func newShapeTable() *shapeTable { return &shapeTable{seed: maphash.MakeSeed()} }

// get finds the shape of key, or makes it by make and keeps it.
func (t *shapeTable) get(key *shapeKey, build func(*shapeKey) *manifest.Shape) *manifest.Shape {
	bucket := &t.buckets[maphash.Comparable(t.seed, *key)%shapeBuckets]
	for i := range bucket {
		if e := bucket[i].Load(); e != nil && e.key == *key {
			return e.shape
		}
	}
	return t.add(bucket, key, build)
}

// add makes the shape of key and keeps it.
func (t *shapeTable) add(bucket *[shapeWays]atomic.Pointer[shapeEntry], key *shapeKey, build func(*shapeKey) *manifest.Shape) *manifest.Shape {
	own := *key
	own.host = strings.Clone(key.host)
	own.cohort = strings.Clone(key.cohort)
	e := &shapeEntry{key: own, shape: build(&own)}
	for i := range bucket {
		if bucket[i].CompareAndSwap(nil, e) {
			return e.shape
		}
		if have := bucket[i].Load(); have.key == own {
			return have.shape
		}
	}
	bucket[rand.IntN(shapeWays)].Store(e)
	return e.shape
}
