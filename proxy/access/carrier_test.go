package access

import (
	"errors"
	"testing"
)

func TestFind(t *testing.T) {
	p := newPolicy(t, testConfig())
	for _, tc := range []struct {
		query, authorization, cookie, want string
		err                                error
	}{
		{"", "", "", "", nil},
		{"token=abc", "", "", "abc", nil},
		{"x=1&token=abc&y=2", "", "", "abc", nil},
		{"token=", "", "", "", nil},
		{"tokens=abc&xtoken=abc&token", "", "", "", nil},
		{"token=a&token=b", "", "", "", ErrTwice},
		{"token=a&token=a", "", "", "", ErrTwice},
		{"", "Bearer abc", "", "abc", nil},
		{"", "bearer   abc ", "", "abc", nil},
		{"", "Basic abc", "", "", nil},
		{"", "Bearer", "", "", nil},
		{"", "", "a=b; token=abc; c=d", "abc", nil},
		{"", "", `token="abc"`, "abc", nil},
		{"", "", "token=first; token=second", "first", nil},
		{"", "", "mytoken=x", "", nil},
		{"token=q", "Bearer h", "token=c", "q", nil},
		{"", "Bearer h", "token=c", "h", nil},
	} {
		got, err := p.Find(tc.query, tc.authorization, tc.cookie)
		if got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%+v: got %q, %v", tc, got, err)
		}
	}
	cfg := testConfig()
	cfg.Carriers, cfg.QueryName, cfg.CookieName = []string{"cookie"}, "auth", "viewer"
	p = newPolicy(t, cfg)
	if got, _ := p.Find("auth=a", "Bearer b", "token=c; viewer=d"); got != "d" {
		t.Errorf("from the cookie alone: %q", got)
	}
}

func TestWithoutToken(t *testing.T) {
	p := newPolicy(t, testConfig())
	for in, want := range map[string]string{
		"":                       "",
		"a=1&b=2":                "a=1&b=2",
		"token=abc":              "",
		"token=abc&a=1":          "a=1",
		"a=1&token=abc":          "a=1",
		"a=1&token=x&token&b=&c": "a=1&b=&c",
		"tokens=1&xtoken=2":      "tokens=1&xtoken=2",
	} {
		if got := p.WithoutToken(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
