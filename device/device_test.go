package device

import "testing"

func TestMatch(t *testing.T) {
	table, err := NewTable([]Profile{{Name: "set-top", UserAgents: []string{"AcmeBox"}}, {Name: "vlc", UserAgents: []string{"VLC/"}, Redirects: false}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, ua, want string }{
		{"hlsjs", "", "hlsjs"},
		{"", "AppleCoreMedia/1.0.0.20G75 (Apple TV; U; CPU OS 16_6 like Mac OS X; en_us)", "avplayer"},
		{"", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0", "conservative"},
		{"nonsense", "VLC/3.0.18 LibVLC/3.0.18", "vlc"},
		{"", "Lavf/59.27.100", "ffmpeg"},
		{"", "AcmeBox/1", "set-top"},
		{"", "AndroidXMedia3/1.1.0 (Linux;Android 13)", "exoplayer"},
		{"", "AndroidXMedia3/1.11.0 (Linux;Android 16)", "media3"},
		{"", "libmpv", "mpv"},
		{"", "", "conservative"},
	} {
		if got := table.Match(c.name, c.ua).Name; got != c.want {
			t.Errorf("Match(%q, %q) = %s, want %s", c.name, c.ua, got, c.want)
		}
	}
	if p := table.ByName("set-top"); p.ID != 128 || table.ByID(128) != p {
		t.Errorf("set-top has number %d", p.ID)
	}
	if p := table.ByName("vlc"); p.ID != 16 || p.Redirects {
		t.Errorf("vlc was not replaced under its number: %+v", p)
	}
	if table.ByID(250).Name != Conservative {
		t.Error("an unknown number is not conservative")
	}
}

func TestShippedNumbersAreUnique(t *testing.T) {
	ids, names := map[uint8]string{}, map[string]bool{}
	for _, p := range Shipped() {
		if p.ID == 0 || ids[p.ID] != "" || names[p.Name] {
			t.Errorf("profile %q, number %d: taken by %q", p.Name, p.ID, ids[p.ID])
		}
		ids[p.ID], names[p.Name] = p.Name, true
	}
}

func TestBadProfiles(t *testing.T) {
	for _, p := range []Profile{{Name: "Bad Name"}, {Name: "x", ID: 2}} {
		if _, err := NewTable([]Profile{p}); err == nil {
			t.Errorf("%+v was accepted", p)
		}
	}
}
