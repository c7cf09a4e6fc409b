package geo

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// write makes a database of records by network.
func write(t testing.TB, kind string, records map[string]mmdbtype.Map) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, RecordSize: 24, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for network, r := range records {
		_, block, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(block, r); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "db.mmdb")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := tree.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	return name
}

func nested(code string) mmdbtype.Map {
	return mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String(code), "names": mmdbtype.Map{"en": mmdbtype.String("x")}}}
}

func TestSchemas(t *testing.T) {
	country := write(t, "GeoLite2-Country", map[string]mmdbtype.Map{
		"192.0.2.0/24":    nested("DE"),
		"198.51.100.0/24": {"registered_country": mmdbtype.Map{"iso_code": mmdbtype.String("FR")}},
		"2001:db8::/32":   nested("jp"),
	})
	flat := write(t, "flat", map[string]mmdbtype.Map{
		"203.0.113.0/24": {"country_code": mmdbtype.String("BR")},
		"192.0.2.0/24":   {"country_code": mmdbtype.String("XX")},
		"100.64.0.0/10":  {"country": mmdbtype.String("US"), "asn": mmdbtype.String("AS3320")},
	})
	network := write(t, "GeoLite2-ASN", map[string]mmdbtype.Map{
		"192.0.0.0/16":  {"autonomous_system_number": mmdbtype.Uint32(64500)},
		"9.9.9.0/24":    {"asn": mmdbtype.Int32(19281)},
		"9.9.8.0/24":    {"asn": mmdbtype.Int32(-1)},
		"2001:db8::/48": {"autonomous_system_number": mmdbtype.Uint32(64501)},
	})
	var l Locator
	if l.Find(netip.MustParseAddr("192.0.2.1")) != (Place{}) {
		t.Error("an empty locator knows something")
	}
	if err := l.Load(country, flat, network); err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]Place{
		"192.0.2.1":        {[2]byte{'D', 'E'}, 64500},
		"::ffff:192.0.2.1": {[2]byte{'D', 'E'}, 64500},
		"198.51.100.9":     {[2]byte{'F', 'R'}, 0},
		"203.0.113.5":      {[2]byte{'B', 'R'}, 0},
		"100.64.1.1":       {[2]byte{'U', 'S'}, 3320},
		"2001:db8::1":      {[2]byte{'J', 'P'}, 64501},
		"2001:db8:1::1":    {[2]byte{'J', 'P'}, 0},
		"9.9.9.9":          {[2]byte{}, 19281},
		"9.9.8.9":          {},
		"8.8.8.8":          {},
	} {
		for range 2 { // the second time from memory
			if got := l.Find(netip.MustParseAddr(addr)); got != want {
				t.Errorf("%s: %+v, want %+v", addr, got, want)
			}
		}
	}
	if l.Find(netip.Addr{}) != (Place{}) {
		t.Error("no address is somewhere")
	}
	if dbs := l.Databases(); len(dbs) != 3 || dbs[0].Type != "GeoLite2-Country" || dbs[0].Built.IsZero() {
		t.Errorf("%+v", dbs)
	}
}

func TestBadFilesChangeNothing(t *testing.T) {
	good := write(t, "x", map[string]mmdbtype.Map{"192.0.2.0/24": nested("DE")})
	var l Locator
	if err := l.Reload(); err == nil {
		t.Error("a reload of nothing succeeded")
	}
	if err := l.Load(good); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"empty": nil, "junk": []byte("not a database"), "cut": whole[:len(whole)/2],
		"damaged": append(bytes.Repeat([]byte{0xff}, 700), whole[700:]...),
	} {
		bad := filepath.Join(dir, name)
		if err := os.WriteFile(bad, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := l.Load(good, bad); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if err := l.Load(filepath.Join(dir, "absent")); err == nil {
		t.Error("an absent file was taken")
	}
	for _, name := range []string{dir, os.DevNull, "/dev/zero"} {
		if err := l.Load(name); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := l.Load(good); err != nil {
		t.Fatal(err)
	}
	// What is in use does not change when its file does, until it is reloaded.
	if err := os.WriteFile(good, []byte("gone"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Reload(); err == nil {
		t.Error("a damaged file was reloaded")
	}
	if p := l.Find(netip.MustParseAddr("192.0.2.1")); p.Country != [2]byte{'D', 'E'} {
		t.Errorf("after a failed reload: %+v", p)
	}
}

func TestFindDoesNotAllocate(t *testing.T) {
	var l Locator
	if err := l.Load(write(t, "x", map[string]mmdbtype.Map{"192.0.2.0/24": nested("DE")})); err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddr("192.0.2.77")
	l.Find(addr)
	if n := testing.AllocsPerRun(1000, func() { l.Find(addr) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFind(b *testing.B) {
	var l Locator
	if err := l.Load(write(b, "x", map[string]mmdbtype.Map{"192.0.2.0/24": nested("DE")})); err != nil {
		b.Fatal(err)
	}
	addr := netip.MustParseAddr("192.0.2.77")
	b.ReportAllocs()
	for b.Loop() {
		l.Find(addr)
	}
}

// FuzzOpen gives damaged databases: an error or a working look-up, no panic.
func FuzzOpen(f *testing.F) {
	good, err := os.ReadFile(write(f, "x", map[string]mmdbtype.Map{"192.0.2.0/24": nested("DE")}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("\xab\xcd\xefMaxMind.com"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(dir, "f.mmdb")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var l Locator
		if l.Load(name) == nil {
			l.Find(netip.MustParseAddr("192.0.2.1"))
			l.Find(netip.MustParseAddr("2001:db8::1"))
		}
	})
}
