package listen

import "testing"

func TestFold(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"te", "TE", true}, {"te", "tf", false}, {"te", "tee", false},
		{"Host", "hOST", true}, {"Host", "Hosu", false}, {"Expect", "expect", true}, {"Accept", "expect", false},
		{"Accept-Encoding", "accept-ENCODING", true}, {"Accept-Encoding", "Accept-Language", false},
		{"Accept-Encoding", "Accept-Encodinf", false}, {"Bccept-Encoding", "Accept-Encoding", false},
		{"Transfer-Encoding", "transfer-encoding", true}, {"Connection", "Connectiom", false},
		{"Keep-Alive", "Keep_Alive", false}, {"X-1", "X-Q", false}, {"Date", "Dat\x05", false},
	} {
		if fold(c.a, c.b) != c.want || fold(c.b, c.a) != c.want {
			t.Errorf("fold(%q, %q) is not %v", c.a, c.b, c.want)
		}
	}
}
