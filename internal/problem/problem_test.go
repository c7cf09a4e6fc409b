package problem

import "testing"

func TestList(t *testing.T) {
	var part, all List
	part.Add("url", "no scheme in %q", "x")
	part.AddHint("", "add one", "no origin")
	all.Under(At("channels", 2), part)
	const want = "channels[2].url: no scheme in \"x\"\nchannels[2]: no origin (add one)"
	if got := all.Err().Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if (List{}).Err() != nil {
		t.Error("an empty list is an error")
	}
	if got := Join("a", "[1]"); got != "a[1]" {
		t.Error(got)
	}
}
