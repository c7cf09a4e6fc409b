package geo

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"manifold/internal/file"
)

// Place is where an address is. Zero values are unknown.
type Place struct {
	// Country is ISO 3166-1 alpha-2 in upper case.
	Country [2]byte
	// ASN is the number of the autonomous system.
	ASN uint32
}

// maxFile bounds one database in bytes.
const maxFile = 1 << 30

// Locator looks addresses up in one or more databases: what the first does
// not know, the next may. The zero Locator knows nothing.
type Locator struct {
	current atomic.Pointer[databases]
}

type databases struct {
	list  []*database
	files []string
}

type database struct {
	reader *maxminddb.Reader
	memo   [memoSize]atomic.Pointer[memo]
	info   Info
}

// memoSize is the number of remembered records of one database. A country
// database has a few hundred records; of a network database the busy ones
// stay.
const memoSize = 1 << 13

type memo struct {
	offset uintptr
	place  Place
}

// Info is what a database says of itself.
type Info struct {
	File string
	// Type is the database's own name of its kind ("GeoLite2-Country").
	Type string
	// Built is when it was made.
	Built time.Time
	// Nodes is the size of its search tree.
	Nodes uint
}

// Load reads and checks files and takes them in place of those before; on an
// error nothing changes. No files: nothing is known.
func (l *Locator) Load(files ...string) error {
	use, err := l.Prepare(files...)
	if err == nil {
		use()
	}
	return err
}

// Prepare reads databases that [Locator.Load] would load; use puts them in the
// place of those in use.
func (l *Locator) Prepare(files ...string) (use func(), err error) {
	next := &databases{files: files}
	for _, name := range files {
		d, err := open(name)
		if err != nil {
			return nil, fmt.Errorf("cannot load geo database %s: %w", name, err)
		}
		next.list = append(next.list, d)
	}
	return func() { l.current.Store(next) }, nil
}

func open(name string) (*database, error) {
	// Read whole, not mapped: a file that is rewritten in place must not
	// change, or take away, what is in use.
	data, err := file.Read(name, maxFile)
	if err != nil {
		return nil, err
	}
	r, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, fmt.Errorf("it is not an MMDB file: %w", err)
	}
	if err := check(r); err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	m := r.Metadata
	return &database{reader: r, info: Info{File: name, Type: m.DatabaseType, Built: time.Unix(int64(m.BuildEpoch), 0).UTC(), Nodes: m.NodeCount}}, nil
}

// checked bounds the records that are read before a database is taken.
const checked = 10_000

// check reads some records. The library's own Verify also wants metadata that
// many producers leave out.
func check(r *maxminddb.Reader) error {
	n := 0
	for res := range r.Networks() {
		var record any
		if err := res.Decode(&record); err != nil {
			return err
		}
		if n++; n == checked {
			return nil
		}
	}
	if n == 0 {
		return errors.New("it has no records")
	}
	return nil
}

// Databases describes what is loaded.
func (l *Locator) Databases() []Info {
	dbs := l.current.Load()
	if dbs == nil {
		return nil
	}
	out := make([]Info, len(dbs.list))
	for i, d := range dbs.list {
		out[i] = d.info
	}
	return out
}

// Find looks an address up. It does not allocate for a record that was seen
// before.
func (l *Locator) Find(addr netip.Addr) (p Place) {
	dbs := l.current.Load()
	if dbs == nil || !addr.IsValid() {
		return p
	}
	addr = addr.Unmap().WithZone("")
	for _, d := range dbs.list {
		q := d.find(addr)
		if p.Country == ([2]byte{}) {
			p.Country = q.Country
		}
		if p.ASN == 0 {
			p.ASN = q.ASN
		}
	}
	return p
}

func (d *database) find(addr netip.Addr) Place {
	res := d.reader.Lookup(addr)
	if !res.Found() {
		return Place{}
	}
	offset := res.Offset()
	slot := &d.memo[(offset*0x9e3779b97f4a7c15>>40)%memoSize]
	if m := slot.Load(); m != nil && m.offset == offset {
		return m.place
	}
	var record map[string]any
	if err := res.Decode(&record); err != nil {
		return Place{} // a record of another shape knows nothing of places
	}
	p := placeOf(record)
	slot.Store(&memo{offset, p})
	return p
}

// placeOf reads a record of any of the schemas.
func placeOf(record map[string]any) (p Place) {
	for _, key := range []string{"country", "registered_country"} {
		if nested, ok := record[key].(map[string]any); ok && p.Country == ([2]byte{}) {
			p.Country = country(nested["iso_code"])
		}
	}
	for _, key := range []string{"country_code", "country"} {
		if p.Country == ([2]byte{}) {
			p.Country = country(record[key])
		}
	}
	for _, key := range []string{"autonomous_system_number", "asn", "as_number"} {
		if p.ASN == 0 {
			p.ASN = asn(record[key])
		}
	}
	if traits, ok := record["traits"].(map[string]any); ok && p.ASN == 0 {
		p.ASN = asn(traits["autonomous_system_number"])
	}
	return p
}

func country(v any) (c [2]byte) {
	s, ok := v.(string)
	if !ok || len(s) != 2 {
		return c
	}
	s = strings.ToUpper(s)
	if s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
		return c
	}
	return [2]byte{s[0], s[1]}
}

// asn reads a number, or text like "AS3320".
func asn(v any) uint32 {
	switch n := v.(type) {
	case uint64:
		if n <= 1<<32-1 {
			return uint32(n)
		}
	case int32:
		return uint32(max(n, 0))
	case string:
		s := strings.TrimPrefix(strings.ToUpper(n), "AS")
		if u, err := strconv.ParseUint(s, 10, 32); err == nil {
			return uint32(u)
		}
	}
	return 0
}

// ErrNoChange is what Reload gives where no file was loaded before.
var ErrNoChange = errors.New("no geo database is configured")

// Reload loads the same files again.
func (l *Locator) Reload() error {
	dbs := l.current.Load()
	if dbs == nil || len(dbs.files) == 0 {
		return ErrNoChange
	}
	return l.Load(dbs.files...)
}
