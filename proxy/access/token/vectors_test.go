package token

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"manifold/manifest"
)

// The expected signatures are those of other implementations: npm
// akamai-edgeauth 0.2.0, the test vectors that Bunny and Google publish, and
// for Bunny's directories a computation by hand. The keys are test keys.
var (
	akamaiKey, _   = hex.DecodeString("52a152a152a152a152a152a152")
	bunnyKey       = []byte("SecurityKey")
	mediaCDNKey, _ = base64.URLEncoding.DecodeString("g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=")
)

func TestMintVectors(t *testing.T) {
	v4 := netip.MustParsePrefix("192.0.2.7/32")
	for _, tc := range []struct {
		name  string
		cfg   Config
		key   []byte
		salt  string
		base  string
		scope Scope
		place manifest.Placement
		want  string
	}{
		{"akamai acl", Config{Format: "akamai"}, akamaiKey, "", "https://a.example/",
			Scope{Dir: "live/", Starts: 1700000000, Expires: 1700003600}, manifest.InQuery,
			"hdnts=st=1700000000~exp=1700003600~acl=/live/*~hmac=92608890dee45c7c8b8b5532a8b2256a7acb05f538da18d6d2925dfc739bb8f5"},
		{"akamai url", Config{Format: "akamai"}, akamaiKey, "", "https://a.example/",
			Scope{File: "live/ch1/master.m3u8", Starts: 1700000000, Expires: 1700003600}, manifest.InQuery,
			"hdnts=st=1700000000~exp=1700003600~hmac=cdf171a9ca6c9255999081978f911a4a1025c06d70c5a8464f72f62187946f5e"},
		{"akamai bound, named, salted", Config{Format: "akamai", Salt: "env:S"}, akamaiKey, "pepper", "https://a.example/",
			Scope{Dir: "vod/", Starts: 1700000000, Expires: 1700003600, Client: v4, Session: "0a1b"}, manifest.InQuery,
			"hdnts=ip=192.0.2.7~st=1700000000~exp=1700003600~acl=/vod/*~id=0a1b~hmac=c4117e78e6eddcd5ca3c240f4b693ab921988724907129c762e6046f5c7e5344"},
		{"akamai in a path", Config{Format: "akamai"}, akamaiKey, "", "https://a.example/",
			Scope{Dir: "vod/", Expires: 1700003600, Client: v4}, manifest.InPath,
			"hdntl=ip=192.0.2.7~exp=1700003600~acl=%2fvod%2f*~data=hdntl~hmac=959e19c9df59eed5eedf9c627a83469ae0d608aa402e8db7e7985bdb001a1c2a"},
		{"akamai salted url", Config{Format: "akamai", Salt: "env:S"}, akamaiKey, "pepper", "https://a.example/",
			Scope{File: "vod/a b.mpd", Expires: 1700003600}, manifest.InQuery,
			"hdnts=exp=1700003600~hmac=df219f766fb77385f5186265d5a152ecff473e932db743835c5bbb887dd64e3f"},
		{"bunny file", Config{Format: "bunny"}, bunnyKey, "", "https://b.example/",
			Scope{File: "300kb.jpg", Expires: 1598024587}, manifest.InQuery,
			"token=HS256-1lwWBD_c1IAGSj1UKPoxreu8ePDQ-Z9FoWLcRn_RRH0&token_ignore_params=true&expires=1598024587"},
		{"bunny file, bound", Config{Format: "bunny"}, bunnyKey, "", "https://b.example/",
			Scope{File: "300kb.jpg", Expires: 1598024587, Client: netip.MustParsePrefix("1.2.3.4/24")}, manifest.InQuery,
			"token=HS256-1-rWalmQRJ-A_qrb08-JoeU3b-gOS5mJiJjPOfDWa0gsQ&token_ignore_params=true&expires=1598024587"},
		{"bunny directory in a path", Config{Format: "bunny"}, bunnyKey, "", "https://b.example/",
			Scope{Dir: "videos/", Expires: 1598024587}, manifest.InPath,
			"bcdn_token=HS256-gd6BI-mVOQalM6fbe968uxzfsDuFL5xO4tHedpEe8j8&token_ignore_params=true&token_path=%2Fvideos%2F&expires=1598024587"},
		{"bunny directory, bound to IPv6", Config{Format: "bunny"}, bunnyKey, "", "https://b.example/",
			Scope{Dir: "videos/", Expires: 1598024587, Client: netip.MustParsePrefix("2001:db8:85a3::8a2e:370:7334/64")}, manifest.InPath,
			"bcdn_token=HS256-1-v9z0snO5CefDrz93hUBexoakPkdEc9hPsourFSVXu4U&token_ignore_params=true&token_path=%2Fvideos%2F&expires=1598024587"},
		{"bunny, the former way", Config{Format: "bunny", Hash: "sha256"}, bunnyKey, "", "https://b.example/",
			Scope{Dir: "videos/", Expires: 1598024587, Client: v4}, manifest.InQuery,
			"token=F15DWmNDqW1yfKRWmbSsqoCWDNLn6q_GoHKIMN8prFk&token_ignore_params=true&token_path=%2Fvideos%2F&expires=1598024587"},
		{"mediacdn full path", Config{Format: "mediacdn"}, mediaCDNKey, "", "https://g.example/",
			Scope{File: "example.m3u8", Expires: 1663070400}, manifest.InQuery,
			"edge-cache-token=FullPath~Expires=1663070400~hmac=365b41fd77297371d890fc9a56e4e3d3baa4c7afbd230a0e9a81c8e1bcab9420"},
		{"mediacdn glob", Config{Format: "mediacdn"}, mediaCDNKey, "", "https://g.example/",
			Scope{Dir: "", Expires: 1663070400}, manifest.InQuery,
			"edge-cache-token=PathGlobs=/*~Expires=1663070400~hmac=9439ecdd5c4919f76f915dea72afa85a045579794e63d8cda664f5a1140c8d93"},
		{"mediacdn prefix", Config{Format: "mediacdn"}, mediaCDNKey, "", "http://10.20.30.40/",
			Scope{Dir: "", Expires: 1663070400}, manifest.InPath,
			"edge-cache-token=URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw~Expires=1663070400~hmac=409722313cf6d987da44bb360e60dccc3d79764520fc5e3b57654e1d4d2c862e"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.cfg.Keys = []string{"env:K"}
			secrets := Secrets{Keys: [][]byte{tc.key}, Salt: []byte(tc.salt)}
			m, err := New(tc.cfg, tc.base, secrets)
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Append(nil, &tc.scope, Form{Place: tc.place})
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestVerifyVectors shows URLs that other issuers signed to our verifiers.
func TestVerifyVectors(t *testing.T) {
	for _, tc := range []struct {
		name, target string
		cfg          Config
		key          []byte
		salt, remote string
		now          int64
		want         error
	}{
		{"akamai list of acls", "/live/a.ts?hdnts=exp=1700003600~acl=/live/*!/vod/?/*.m4s~hmac=6cbe088c841d6a5685666fa2dd9a3b831ee39fafd73a6041fd45f0f7039a978a",
			Config{Format: "akamai"}, akamaiKey, "", "192.0.2.7", 1700003599, nil},
		{"akamai list, second acl", "/vod/1/a.m4s?hdnts=exp=1700003600~acl=/live/*!/vod/?/*.m4s~hmac=6cbe088c841d6a5685666fa2dd9a3b831ee39fafd73a6041fd45f0f7039a978a",
			Config{Format: "akamai"}, akamaiKey, "", "192.0.2.7", 1700003599, nil},
		{"akamai list, no acl", "/vod/12/a.m4s?hdnts=exp=1700003600~acl=/live/*!/vod/?/*.m4s~hmac=6cbe088c841d6a5685666fa2dd9a3b831ee39fafd73a6041fd45f0f7039a978a",
			Config{Format: "akamai"}, akamaiKey, "", "192.0.2.7", 1700003599, ErrPath},
		{"akamai escaped early", "/vod/a%20b~'*!()%C3%A9.mpd?hdnts=exp=1700003600~hmac=d166fa859f60409e1bbc5c3fb3e5e06d4dda629e621a91dc09f928b16531c7e2",
			Config{Format: "akamai", Salt: "env:S"}, akamaiKey, "pepper", "192.0.2.7", 1700000000, nil},
		{"akamai without the salt", "/vod/a%20b~'*!()%C3%A9.mpd?hdnts=exp=1700003600~hmac=d166fa859f60409e1bbc5c3fb3e5e06d4dda629e621a91dc09f928b16531c7e2",
			Config{Format: "akamai"}, akamaiKey, "", "192.0.2.7", 1700000000, ErrSignature},
		{"akamai bound", "/hdntl=ip=192.0.2.7~exp=1700003600~acl=%2fvod%2f*~data=hdntl~hmac=959e19c9df59eed5eedf9c627a83469ae0d608aa402e8db7e7985bdb001a1c2a/vod/a.mpd",
			Config{Format: "akamai"}, akamaiKey, "", "::ffff:192.0.2.7", 1700000000, nil},
		{"akamai bound, elsewhere", "/hdntl=ip=192.0.2.7~exp=1700003600~acl=%2fvod%2f*~data=hdntl~hmac=959e19c9df59eed5eedf9c627a83469ae0d608aa402e8db7e7985bdb001a1c2a/vod/a.mpd",
			Config{Format: "akamai"}, akamaiKey, "", "192.0.2.8", 1700000000, ErrAddress},
		{"bunny file", "/300kb.jpg?token=HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4&expires=1598024587",
			Config{Format: "bunny"}, bunnyKey, "", "192.0.2.7", 1598024586, nil},
		{"bunny file with a query added", "/300kb.jpg?CMCD=sid&token=HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4&expires=1598024587",
			Config{Format: "bunny"}, bunnyKey, "", "192.0.2.7", 1598024586, ErrSignature},
		{"bunny file, query ignored", "/300kb.jpg?CMCD=sid&token=HS256-1lwWBD_c1IAGSj1UKPoxreu8ePDQ-Z9FoWLcRn_RRH0&token_ignore_params=true&expires=1598024587",
			Config{Format: "bunny"}, bunnyKey, "", "192.0.2.7", 1598024586, nil},
		{"bunny file with its query signed", "/300kb.jpg?token=HS256-q6oRQr-5ccQ-piO1HSEQu1DVMy9UMppRxGlIQwoeM5Y&v=123&expires=1598024587",
			Config{Format: "bunny"}, bunnyKey, "", "192.0.2.7", 1598024586, nil},
		{"bunny directory", "/abc/300kb.jpg?token=HS256-uVZvT3SbEoVKYJyDJgbcsDmSFf73cv-uNUVaJiKWpbQ&token_path=%2Fabc&expires=1598024587",
			Config{Format: "bunny"}, bunnyKey, "", "192.0.2.7", 1598024586, nil},
		{"bunny directory in the path", "/bcdn_token=HS256-uVZvT3SbEoVKYJyDJgbcsDmSFf73cv-uNUVaJiKWpbQ&token_path=%2Fabc&expires=1598024587/abc/x/y.m4s",
			Config{Format: "bunny"}, bunnyKey, "", "192.0.2.7", 1598024586, nil},
		{"bunny, another directory", "/bcdn_token=HS256-uVZvT3SbEoVKYJyDJgbcsDmSFf73cv-uNUVaJiKWpbQ&token_path=%2Fabc&expires=1598024587/xyz/y.m4s",
			Config{Format: "bunny"}, bunnyKey, "", "192.0.2.7", 1598024586, ErrPath},
		{"bunny limit", "/300kb.jpg?token=HS256-DAVapqNNED3Z7JkjRTYX0UOIHNtbHEuuhRNEc4A7mMQ&limit=1000&expires=1598024587",
			Config{Format: "bunny"}, bunnyKey, "", "192.0.2.7", 1598024586, nil},
		{"bunny bound", "/300kb.jpg?token=HS256-1-L2rISTLcujMY9UFf2tbZ41d5i-Bme1g1oTK_Z2QMLJk&expires=1598024587",
			Config{Format: "bunny"}, bunnyKey, "", "1.2.3.4", 1598024586, nil},
		{"bunny bound, elsewhere", "/300kb.jpg?token=HS256-1-L2rISTLcujMY9UFf2tbZ41d5i-Bme1g1oTK_Z2QMLJk&expires=1598024587",
			Config{Format: "bunny"}, bunnyKey, "", "1.2.3.5", 1598024586, ErrSignature},
		{"bunny bound to an IPv6 network", "/300kb.jpg?token=HS256-1-Z1BaGdhTZdU4iANcyKpurFR2VgCNdqC6hlBv5x_TyaI&expires=1598024587",
			Config{Format: "bunny"}, bunnyKey, "", "2001:db8:85a3::1", 1598024586, nil},
		{"bunny countries", "/300kb.jpg?token=HS256-i5s3Uv7mnrFfN5nznwU2BxhILpnipYeE18TapV0WNFM&token_countries=CA%2CUS&expires=1598024587",
			Config{Format: "bunny"}, bunnyKey, "", "192.0.2.7", 1598024586, ErrUnsupported},
		{"mediacdn", "/example.m3u8?edge-cache-token=FullPath~Expires=1663070400~hmac=365b41fd77297371d890fc9a56e4e3d3baa4c7afbd230a0e9a81c8e1bcab9420",
			Config{Format: "mediacdn"}, mediaCDNKey, "", "192.0.2.7", 1663070399, nil},
		{"mediacdn, another file", "/other.m3u8?edge-cache-token=FullPath~Expires=1663070400~hmac=365b41fd77297371d890fc9a56e4e3d3baa4c7afbd230a0e9a81c8e1bcab9420",
			Config{Format: "mediacdn"}, mediaCDNKey, "", "192.0.2.7", 1663070399, ErrSignature},
		{"mediacdn prefix", "/a/edge-cache-token=URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw~Expires=1663070400~hmac=409722313cf6d987da44bb360e60dccc3d79764520fc5e3b57654e1d4d2c862e/b.ts",
			Config{Format: "mediacdn"}, mediaCDNKey, "", "192.0.2.7", 1663070399, nil},
		{"mediacdn headers", "/x?edge-cache-token=PathGlobs=/*~Starts=1663027200~Expires=1663070400~SessionID=test-id~Data=test-data~Headers=Foo,BAZ~IPRanges=MjAzLjAuMTEzLjAvMjQsMjAwMTpkYjg6NGE3ZjphNzMyLzY0~hmac=dda9c3d6f3b2e867a09fbb76209ea138dd81f8512210f970d1e92f90927bef4b",
			Config{Format: "mediacdn"}, mediaCDNKey, "", "203.0.113.9", 1663070399, ErrUnsupported},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.cfg.Keys = []string{"env:K"}
			v, err := NewVerifier(tc.cfg, []string{"http://10.20.30.40/"}, Secrets{Keys: [][]byte{[]byte("another key"), tc.key}, Salt: []byte(tc.salt)})
			if err != nil {
				t.Fatal(err)
			}
			path, query, _ := strings.Cut(tc.target, "?")
			_, _, err = v.Verify(path, query, netip.MustParseAddr(tc.remote), time.Unix(tc.now, 0))
			if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}
