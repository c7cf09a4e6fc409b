package dash

import (
	"fmt"
	"strings"
)

// hostile are documents made to cost much. An empty want means that the
// document is accepted: then rendering it is bounded as well.
func hostile() map[string]struct{ src, want string } {
	var lol strings.Builder
	lol.WriteString("<!DOCTYPE lolz [<!ENTITY lol \"lol\">")
	for i := range 9 {
		fmt.Fprintf(&lol, "<!ENTITY lol%d \"%s\">", i+1, strings.Repeat(fmt.Sprintf("&lol%d;", i), 10))
	}
	lol.WriteString("]>" + mpdTag + "&lol9;</MPD>")
	type c = struct{ src, want string }
	many := func(n int, s string) string { return mpdTag + strings.Repeat(s, n) + "</MPD>" }
	in := func(s string) string {
		return mpdTag + "<Period><AdaptationSet><Representation>" + s + "</Representation></AdaptationSet></Period></MPD>"
	}
	list := func(n int, s string) string { return in("<SegmentList>" + strings.Repeat(s, n) + "</SegmentList>") }
	attrs := func(n int) string {
		var b strings.Builder
		b.WriteString("<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"")
		for i := range n {
			fmt.Fprintf(&b, " a%x=''", i)
		}
		return b.String() + "/>"
	}
	var scopes strings.Builder
	for i := range 60 {
		fmt.Fprintf(&scopes, " xmlns:p%d='urn:x'", i)
	}
	return map[string]c{
		"billion laughs":       {lol.String(), "DOCTYPE"},
		"two million deep":     {mpdTag + strings.Repeat("<a>", 2_000_000), "nested deeper than 64"},
		"a million attributes": {attrs(700_000), "more than 128 attributes"},
		"attributes all over":  {many(8000, "<a"+strings.Repeat(" b='' c='' d='' e='' f='' g='' h='' i='' j='' k=''", 1)+strings.Repeat(" ", 900)+"/>"), ""},
		"800 k attributes":     {many(90_000, `<a b="" c="" d="" e="" f="" g="" h="" i="" j=""/>`), "more than 800000 attributes"},
		"same attributes":      {many(1, "<a "+strings.Repeat("aaaa='' ", 900_000)+"/>"), "stands twice"},
		"many elements":        {many(300_000, "<a/>"), "more than 200000"},
		"many comments":        {many(300_000, "<!---->"), "more than 200000"},
		"many sections":        {many(300_000, "<![CDATA[]]>"), "more than 200000"},
		"nine megabytes":       {strings.Repeat(" ", 9<<20), "larger than"},
		"no end of a comment":  {mpdTag + strings.Repeat("<!-", 2_000_000), "<!"},
		"no end of a tag":      {mpdTag + strings.Repeat("<a b='", 1_000_000), "<"},
		"no end of a value":    {mpdTag + "<a b='" + strings.Repeat("x", 8_000_000), "has no end"},
		"references":           {many(1, strings.Repeat("&#38;", 1_500_000)), ""},
		"broken references":    {many(1, strings.Repeat("&amp", 1_500_000)), "&amp;"},
		"distinct siblings":    {many(1, distinct(190_000)+"<"), "a name is missing"},
		"namespaces":           {"<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'" + scopes.String() + ">" + strings.Repeat("<q:a/>", 190_000) + "</MPD>", ""},
		"too many namespaces":  {"<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'" + scopes.String() + "><a" + scopes.String() + "/></MPD>", "more than 64 namespace declarations"},
		"inflated timeline":    {in(`<SegmentTemplate><SegmentTimeline>` + strings.Repeat(`<S d="1" r="99999999999999999999"/>`, 100_000) + `</SegmentTimeline></SegmentTemplate>`), ""},
		"many Representations": {mpdTag + "<Period><AdaptationSet><SegmentTemplate><SegmentTimeline>" + strings.Repeat(`<S d="1" r="-1"/>`, 60_000) + "</SegmentTimeline></SegmentTemplate>" + strings.Repeat(`<Representation><SegmentTemplate startNumber="1"/></Representation>`, 60_000) + "</AdaptationSet></Period></MPD>", ""},
		"absolute segments":    {list(100_000, `<SegmentURL media="http://origin.example/live/a/b/c.m4s"/>`), ""},
		"climbing segments":    {list(100_000, `<SegmentURL media="../../../../../../../../c.m4s"/>`), ""},
		"one long climb":       {list(1, `<SegmentURL media="`+strings.Repeat("../", 2_500_000)+`"/>`), ""},
		"many BaseURLs":        {in(strings.Repeat("<BaseURL serviceLocation='x'>/live/a/</BaseURL><BaseURL>https://e.example/</BaseURL>", 80_000)), ""},
		"deep BaseURL":         {mpdTag + "<BaseURL>" + strings.Repeat("a/", 2000) + "</BaseURL><Period><AdaptationSet><Representation><SegmentList>" + strings.Repeat(`<SegmentURL media="/live/x"/>`, 100_000) + "</SegmentList></Representation></AdaptationSet></Period></MPD>", ""},
		"levels":               {mpdTag + strings.Repeat("<Period><BaseURL>/live/a/b/</BaseURL><AdaptationSet><BaseURL>c/</BaseURL><Representation><BaseURL>../../d</BaseURL></Representation></AdaptationSet></Period>", 30_000) + "</MPD>", ""},
		"large set":            {mpdTag + "<Period><AdaptationSet lang='" + strings.Repeat("x", 2_000_000) + "'>" + strings.Repeat("<Representation/>", 190_000) + "</AdaptationSet></Period></MPD>", ""},
		"dependents":           {mpdTag + "<Period><AdaptationSet mimeType='video/mp4'>" + strings.Repeat("<Representation id='a' dependencyId='a b' bandwidth='9999999'/>", 100_000) + "</AdaptationSet></Period></MPD>", ""},
		"preselected":          {mpdTag + "<Period>" + strings.Repeat("<AdaptationSet id='1' lang='fr' contentType='audio'><Representation/></AdaptationSet><Preselection preselectionComponents='1'/>", 60_000) + "<AdaptationSet lang='en' contentType='audio'><Representation/></AdaptationSet></Period></MPD>", ""},
		"white space":          {mpdTag + strings.Repeat(" ", 4_000_000) + "<Location>x</Location>" + strings.Repeat(" ", 4_000_000) + "</MPD>", ""},
		"indented much":        {mpdTag + "\n" + strings.Repeat(" ", 2_000_000) + "<BaseURL>x</BaseURL></MPD>", ""},
	}
}

func distinct(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<a%x/>", i)
	}
	return b.String()
}
