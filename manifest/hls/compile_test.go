package hls

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"manifold/manifest"
)

func TestErrors(t *testing.T) {
	const head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"
	long := strings.Repeat("x", MaxLine)
	for name, c := range map[string]struct {
		src  string
		want string
		kind error
	}{
		"empty":             {"", "line 1: not a playlist: it is empty", ErrNotPlaylist},
		"blank":             {" \r\n\n", "line 1: not a playlist: it is empty", ErrNotPlaylist},
		"comments":          {"# a\n\n# b", "line 1: not a playlist: it does not begin with #EXTM3U", ErrNotPlaylist},
		"tag before":        {"#EXT-X-VERSION:3\n#EXTM3U\n", "line 1: not a playlist: it does not begin with #EXTM3U", ErrNotPlaylist},
		"after comments":    {"\n# a\n  #EXTM3U\n#EXT-X-MAP:\n", "line 4: EXT-X-MAP without URI", ErrSyntax},
		"html":              {"<!DOCTYPE html>\n<html>", "line 1: not a playlist: it looks like HTML or XML", ErrNotPlaylist},
		"mpd":               {"\n<MPD/>", "line 1: not a playlist: it looks like HTML or XML", ErrNotPlaylist},
		"json":              {"{}", "line 1: not a playlist: it does not begin with #EXTM3U", ErrNotPlaylist},
		"no sign":           {"#EXTINF:4,\na.ts\n", "line 1: not a playlist: it does not begin with #EXTM3U", ErrNotPlaylist},
		"sign in lower":     {"#extm3u\n", "line 1: not a playlist: it does not begin with #EXTM3U", ErrNotPlaylist},
		"longer sign":       {"#EXTM3U8\n", "line 1: not a playlist: it does not begin with #EXTM3U", ErrNotPlaylist},
		"gzip":              {"\x1f\x8b\x08", "line 1: not a playlist: it does not begin with #EXTM3U", ErrNotPlaylist},
		"utf-16":            {"\xff\xfe#\x00E\x00", "line 1: not a playlist: it does not begin with #EXTM3U", ErrNotPlaylist},
		"map":               {head + "#EXT-X-MAP:BYTERANGE=\"1@0\"\na.ts", "line 3: EXT-X-MAP without URI", ErrSyntax},
		"map, nothing":      {"#EXTM3U\n#EXT-X-MAP:\n0", "line 2: EXT-X-MAP without URI", ErrSyntax},
		"map, no colon":     {"#EXTM3U\n#EXT-X-MAP\n0", "line 2: EXT-X-MAP without URI", ErrSyntax},
		"map, empty URI":    {"#EXTM3U\n#EXT-X-MAP:URI=\"\"\n0", "line 2: EXT-X-MAP without URI", ErrSyntax},
		"map, bare URI":     {"#EXTM3U\n#EXT-X-MAP:URI\n0", "line 2: EXT-X-MAP without URI", ErrSyntax},
		"key":               {"#EXTM3U\n#EXT-X-KEY:\n00", "line 2: EXT-X-KEY without URI", ErrSyntax},
		"key with a method": {head + "\n#EXT-X-KEY:METHOD=AES-128,IV=0x0\n", "line 4: EXT-X-KEY without URI", ErrSyntax},
		"session key":       {"#EXTM3U\n#EXT-X-SESSION-KEY:METHOD=NONE\n", "line 2: EXT-X-SESSION-KEY without URI", ErrSyntax},
		"part":              {head + "#EXT-X-PART:DURATION=1\n", "line 3: EXT-X-PART without URI", ErrSyntax},
		"hint":              {head + "#EXT-X-PRELOAD-HINT:TYPE=PART\n", "line 3: EXT-X-PRELOAD-HINT without URI", ErrSyntax},
		"report":            {head + "#EXT-X-RENDITION-REPORT:LAST-MSN=1\n", "line 3: EXT-X-RENDITION-REPORT without URI", ErrSyntax},
		"i-frames":          {"#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1\n", "line 2: EXT-X-I-FRAME-STREAM-INF without URI", ErrSyntax},
		"images":            {"#EXTM3U\n#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=1\n", "line 2: EXT-X-IMAGE-STREAM-INF without URI", ErrSyntax},
		"steering":          {"#EXTM3U\n#EXT-X-CONTENT-STEERING:PATHWAY-ID=\"a\"\n", "line 2: EXT-X-CONTENT-STEERING without SERVER-URI", ErrSyntax},
		"two URIs":          {"#EXTM3U\n#EXT-X-MEDIA:URI=\"a\",URI=\"b\"\n", "line 2, column 22: EXT-X-MEDIA with two URI", ErrSyntax},
		"variant at end":    {"#EXTM3U\n\n#EXT-X-STREAM-INF:BANDWIDTH=1\n# no more\n", "line 3: EXT-X-STREAM-INF without a URI line", ErrSyntax},
		"variant, variant":  {"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", "line 2: EXT-X-STREAM-INF without a URI line", ErrSyntax},
		"open quote":        {head + "#EXT-X-KEY:METHOD=NONE,KEYFORMAT=\"a,URI=b\n", "line 3, column 34: unterminated quote in EXT-X-KEY", ErrSyntax},
		"open quote, range": {head + "#EXT-X-DATERANGE:ID=\"\n", "line 3, column 21: unterminated quote in EXT-X-DATERANGE", ErrSyntax},
		"both, media":       {head + "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", "line 3: EXT-X-STREAM-INF in a media playlist", ErrSyntax},
		"both, list":        {"#EXTM3U\n#EXTINF:1,\na.ts\n#EXT-X-MEDIA:TYPE=AUDIO\n", "line 4: EXT-X-MEDIA in a media playlist", ErrSyntax},
		"both, variants":    {"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n#EXTINF:4,\nb\n", "line 4: EXTINF in a multivariant playlist", ErrSyntax},
		"define":            {head + "#EXT-X-DEFINE:VALUE=\"a\"\n", "line 3: EXT-X-DEFINE without NAME, IMPORT or QUERYPARAM", ErrSyntax},
		"define no value":   {head + "#EXT-X-DEFINE:NAME=\"a\"\n", "line 3: EXT-X-DEFINE without VALUE", ErrSyntax},
		"define twice":      {head + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"1\"\n#EXT-X-DEFINE:IMPORT=\"a\"\n", "line 4: EXT-X-DEFINE of a name that is defined already", ErrSyntax},
		"long line":         {head + "# " + long + "\n", "line 3: line is longer than 16 KiB", ErrBounds},
		"long line, CRLF":   {head + "x" + long + "\r\n", "line 3: line is longer than 16 KiB", ErrBounds},
		"long last line":    {head + "x" + long, "line 3: line is longer than 16 KiB", ErrBounds},
		"endless line":      {"#EXTM3U " + strings.Repeat(" ", 3<<20), "line 1: line is longer than 16 KiB", ErrBounds},
		"large":             {strings.Repeat("\n", MaxSource+1), "line 1: playlist is larger than 4 MiB", ErrBounds},
		"attributes":        {head + "#EXT-X-DATERANGE:" + strings.Repeat("A=1,", 257), fmt.Sprintf("line 3, column %d: EXT-X-DATERANGE has more than 256 attributes", 18+4*256), ErrBounds},
		"segments":          {head + strings.Repeat("a\n", MaxSegments+1), "line 100003: more than 100,000 segments and parts", ErrBounds},
		"parts":             {head + strings.Repeat("#EXT-X-PART:URI=a\n", MaxSegments+1), "line 100003: more than 100,000 segments and parts", ErrBounds},
		"variants":          {"#EXTM3U\n" + strings.Repeat("#EXT-X-STREAM-INF:A\na\n", MaxEntries+1), "line 20002: more than 10,000 variants, renditions and other tags", ErrBounds},
		"expansion":         {head + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"" + long[:9000] + "\"\n{$a}/{$a}\n", "line 4: URI is longer than 16 KiB when its variables are expanded", ErrBounds},
		"expansions":        {head + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"" + long[:16000] + "\"\n" + strings.Repeat("{$a}\n", 300), "line 266: URIs are larger than 4 MiB when their variables are expanded", ErrBounds},
		"nested values":     {head + doubled(20_000), "line 1684, column 35: URIs are larger than 4 MiB when their variables are expanded", ErrBounds},
		"begun by one":      {head + doubled(12) + strings.Repeat("{$v10}\n", 5000), "line 4104: URIs are larger than 4 MiB when their variables are expanded", ErrBounds},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl, err := Compile([]byte(c.src))
			if err == nil {
				t.Fatalf("compiled: %+v", tmpl.Index())
			}
			if err.Error() != c.want {
				t.Errorf("got  %q\nwant %q", err, c.want)
			}
			var at *Error
			if !errors.Is(err, c.kind) || !errors.As(err, &at) {
				t.Fatalf("%v is a %T", err, err)
			}
			if at.Offset > len(c.src) || strings.Count(c.src[:at.Offset], "\n")+1 != at.Line {
				t.Errorf("offset %d is not on line %d", at.Offset, at.Line)
			}
		})
	}
}

// doubled defines n variables, each of them the one before it twice.
func doubled(n int) string {
	var b strings.Builder
	b.WriteString("#EXT-X-DEFINE:NAME=\"v0\",VALUE=\"/\"\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "#EXT-X-DEFINE:NAME=\"v%d\",VALUE=\"{$v%d}{$v%d}\"\n", i, i-1, i-1)
	}
	return b.String()
}

func TestBoundsHold(t *testing.T) {
	const head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"
	long := strings.Repeat("x", MaxLine)
	for name, src := range map[string]string{
		"line":       head + long + "\n",
		"line, CRLF": head + long + "\r\n",
		"last line":  head + long,
		"segments":   head + strings.Repeat("a\n", MaxSegments),
		"attributes": head + "#EXT-X-DATERANGE:" + strings.Repeat("A=1,", 256),
		"large":      head + strings.Repeat("# 6789012345678\n", (MaxSource-len(head))/16),
		"expansion":  head + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"" + long[:8000] + "\"\n{$a}/{$a}\n",
	} {
		if _, err := Compile([]byte(src)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLinear compiles what would take a careless reader quadratic time, each
// close to 4 MiB, in a second altogether.
func TestLinear(t *testing.T) {
	fill := func(line string) string {
		return "#EXTM3U\n" + strings.Repeat(line+"\n", (MaxSource-100)/(len(line)+1))
	}
	wide := func(s string) string { return strings.Repeat(s, (MaxLine-100)/len(s)) }
	begin := time.Now()
	for name, src := range map[string]string{
		"open references": "#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n" + strings.Repeat(wide("{$a")+"\n", 200),
		"braces":          "#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n" + strings.Repeat(wide("{$")+"\n", 200),
		"commas":          fill("#EXT-X-DATERANGE:" + wide(",")),
		"blanks":          fill("#EXT-X-DATERANGE:A=" + wide(" ")),
		"quotes":          fill("#EXT-X-DATERANGE:" + strings.Repeat(`A="",`, 256)),
		"blank lines":     fill(""),
		"before the sign": strings.Repeat("\n# \n", (MaxSource-100)/4) + "#EXTM3U\n",
		"tags":            fill("#EXT-X-DISCONTINUITY"),
		"unknown":         fill("#EXT-"),
		"ranges":          fill("#EXT-X-DATERANGE:"),
		"dots":            fill(wide("../")),
	} {
		tmpl, err := Compile([]byte(src))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		tmpl.Specialise(shapes["proxied"], "a/b/c.m3u8")
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestIndex(t *testing.T) {
	all := corpus(t)
	for name, want := range map[string]manifest.Index{
		"media-vod-ts":                 {Kind: manifest.HLSMedia, Target: 10 * time.Second, Window: 21021 * time.Millisecond, Segments: 3},
		"media-live-window":            {Kind: manifest.HLSMedia, Live: true, Target: 4 * time.Second, Window: 23960 * time.Millisecond, MediaSequence: 7794, DiscontinuitySequence: 3, Segments: 6},
		"media-integer-durations":      {Kind: manifest.HLSMedia, Target: 8 * time.Second, Window: 31 * time.Second, Segments: 4},
		"media-low-latency":            {Kind: manifest.HLSMedia, Live: true, Target: 4 * time.Second, Window: 8000160 * time.Microsecond, MediaSequence: 266, Segments: 2},
		"media-empty-live":             {Kind: manifest.HLSMedia, Live: true, Target: 4 * time.Second, MediaSequence: 1},
		"media-only-the-sign":          {Kind: manifest.HLSMedia, Live: true},
		"media-padded-lines":           {Kind: manifest.HLSMedia, Target: 4 * time.Second, Window: 8 * time.Second, Segments: 2},
		"multivariant-stray-first":     {Kind: manifest.HLSMultivariant, Variants: 1},
		"multivariant-full":            {Kind: manifest.HLSMultivariant, Variants: 3},
		"ffmpeg-ts-live":               {Kind: manifest.HLSMedia, Live: true, Target: 2 * time.Second, Window: 6 * time.Second, MediaSequence: 3, Segments: 3},
		"ffmpeg-fmp4-master":           {Kind: manifest.HLSMultivariant, Variants: 2},
		"media-radio-extinf-minus-one": {Kind: manifest.HLSMedia, Live: true, Segments: 2},
	} {
		tmpl, err := Compile(all[name+".m3u8"])
		if err != nil {
			t.Fatal(err)
		}
		if got := *tmpl.Index(); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if tmpl.Kind() != want.Kind {
			t.Errorf("%s: %v", name, tmpl.Kind())
		}
	}
}

func TestSeconds(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"4":                      4 * time.Second,
		"4.004,title":            4004 * time.Millisecond,
		" 0.33334":               333340 * time.Microsecond,
		"6.":                     6 * time.Second,
		".5":                     500 * time.Millisecond,
		"1.0000000019":           time.Second + 1,
		"":                       0,
		"-1,x":                   0,
		"nan":                    0,
		"1e3":                    time.Second,
		"99999999999999999999.9": 1e9*time.Second + 900*time.Millisecond,
	} {
		if got := seconds([]byte(in)); got != want {
			t.Errorf("seconds(%q) = %v, want %v", in, got, want)
		}
	}
}

// TestWindowSaturates adds durations that do not fit.
func TestWindowSaturates(t *testing.T) {
	tmpl, err := Compile([]byte("#EXTM3U\n" + strings.Repeat("#EXTINF:1e9\na\n#EXTINF:1000000000,\nb\n", 40)))
	if err != nil {
		t.Fatal(err)
	}
	if w := tmpl.Index().Window; w < 1<<62 {
		t.Errorf("window %v", w)
	}
}
