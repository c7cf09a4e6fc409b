package dash

import (
	"errors"
	"strings"
	"testing"
)

const mpdTag = `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">`

// TestErrors holds the exact text of what refuses an MPD.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"empty", "", "1:1: there is no MPD: the document has no root element"},
		{"only a comment", "<!-- x -->\n", "2:1: there is no MPD: the document has no root element"},
		{"text", "404 not found", "1:1: text before the root element: this is not an XML document"},
		{"playlist", "#EXTM3U\n", "1:1: text before the root element: this is not an XML document"},
		{"another root", "<html></html>", "1:1: html: the root element is <html>: this is not an MPD"},
		{"empty namespace", `<MPD xmlns=""></MPD>`, "1:1: MPD: the root element is not in the namespace urn:mpeg:dash:schema:mpd:2011"},
		{"other namespace", `<MPD xmlns="urn:mpeg:dash:schema:mpd-patch:2020"/>`, "1:1: MPD: the root element is not in the namespace urn:mpeg:dash:schema:mpd:2011"},
		{"prefix not declared", `<m:MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>`, "1:1: m:MPD: the root element is not in the namespace urn:mpeg:dash:schema:mpd:2011"},
		{"not closed", mpdTag + "\n<Period>", "2:9: MPD/Period[1]: the document ends before </Period>"},
		{"mismatch", mpdTag + "\n<Period/>\n<Period><AdaptationSet><Role/><Role></AdaptationSet></Period></MPD>",
			"3:37: MPD/Period[2]/AdaptationSet[1]/Role[2]: the end tag does not match <Role>"},
		{"mismatch by length", mpdTag + "<Period></Periods></MPD>", "1:52: MPD/Period[1]: the end tag does not match <Period>"},
		{"end without start", mpdTag + "</MPD></MPD>", "1:50: an end tag without a start tag"},
		{"text after", mpdTag + "</MPD>\nx", "2:1: text after the root element"},
		{"second root", mpdTag + "</MPD>" + mpdTag + "</MPD>", "1:50: a second root element"},
		{"doctype", "<!DOCTYPE MPD>" + mpdTag + "</MPD>", "1:1: a document type (DOCTYPE) is refused: an MPD needs none, and it could define entities"},
		{"doctype inside", mpdTag + `<!DOCTYPE x SYSTEM "file:///etc/passwd"></MPD>`, "1:44: MPD: a document type (DOCTYPE) is refused: an MPD needs none, and it could define entities"},
		{"entity", mpdTag + "<BaseURL>&nbsp;</BaseURL></MPD>",
			"1:53: MPD/BaseURL[1]: the reference &nbsp; is refused: only &amp; &lt; &gt; &quot; &apos; and characters by number are known"},
		{"entity in attribute", mpdTag + `<Period id="&x;"/></MPD>`,
			"1:56: MPD: the reference &x; is refused: only &amp; &lt; &gt; &quot; &apos; and characters by number are known"},
		{"bare ampersand", mpdTag + "<BaseURL>a&b</BaseURL></MPD>", "1:54: MPD/BaseURL[1]: the character & should be written &amp;"},
		{"reference to NUL", mpdTag + "&#0;</MPD>", "1:44: MPD: the reference &#0; is refused: only &amp; &lt; &gt; &quot; &apos; and characters by number are known"},
		{"reference beyond Unicode", mpdTag + "&#x110000;</MPD>", "1:44: MPD: the reference &#x110000; is refused: only &amp; &lt; &gt; &quot; &apos; and characters by number are known"},
		{"less-than in attribute", mpdTag + `<Period id="<"/></MPD>`, "1:56: MPD: the character < in the attribute id should be written &lt;"},
		{"attribute twice", mpdTag + `<Period id="1" id="2"/></MPD>`, "1:59: MPD: the attribute id stands twice"},
		{"attribute without value", mpdTag + `<Period id/></MPD>`, "1:52: MPD: the attribute id has no value"},
		{"attribute without quotes", mpdTag + `<Period id=1/></MPD>`, "1:52: MPD: the value of the attribute id has no quotes"},
		{"attribute without end", mpdTag + `<Period id="1/></MPD>`, "1:55: MPD: the value of the attribute id has no end"},
		{"attributes without space", mpdTag + `<Period id="1"start="PT0S"/></MPD>`, "1:58: MPD: no space before an attribute"},
		{"tag without end", mpdTag + `<Period id="1"`, "1:44: MPD: the tag <Period has no end"},
		{"stray slash", mpdTag + `<Period / id="1"/></MPD>`, "1:53: MPD: unexpected character in the tag <Period"},
		{"no name", mpdTag + `< Period/></MPD>`, "1:45: MPD: a name is missing here, or the character < should be written &lt;"},
		{"two colons", mpdTag + `<a:b:c/></MPD>`, "1:48: MPD: a name with two colons"},
		{"empty prefix", mpdTag + `<:c/></MPD>`, "1:45: MPD: a name with nothing before or after its colon"},
		{"comment without end", mpdTag + "<!-- x</MPD>", "1:44: MPD: the comment has no end"},
		{"dashes in comment", mpdTag + "<!-- a -- b --></MPD>", `1:51: MPD: "--" inside a comment`},
		{"section without end", mpdTag + "<![CDATA[ x</MPD>", "1:44: MPD: the CDATA section has no end"},
		{"section outside", "<![CDATA[x]]>" + mpdTag + "</MPD>", "1:1: a CDATA section outside the root element"},
		{"section end alone", mpdTag + "a]]>b</MPD>", `1:45: MPD: "]]>" outside a CDATA section`},
		{"other declaration", mpdTag + "<!ELEMENT x></MPD>", "1:44: MPD: markup that begins with <! is neither a comment nor a CDATA section"},
		{"instruction without end", mpdTag + "<?x </MPD>", "1:44: MPD: the processing instruction has no end"},
		{"instruction without target", mpdTag + "<? x?></MPD>", "1:44: MPD: the processing instruction has no target"},
		{"late declaration", "\n<?xml version=\"1.0\"?>" + mpdTag + "</MPD>", "2:1: the XML declaration must come first"},
		{"declaration without version", "<?xml encoding=\"UTF-8\"?>" + mpdTag + "</MPD>", "1:6: the XML declaration has no version"},
		{"declared UTF-16", "<?xml version=\"1.0\" encoding=\"UTF-16\"?>" + mpdTag + "</MPD>", "1:31: unknown encoding utf-16; publish the MPD in UTF-8"},
		{"declared Latin-1 but not ASCII", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" + mpdTag + "é</MPD>", "1:31: the MPD is in iso-8859-1; publish it in UTF-8"},
		{"XML 2", "<?xml version=\"2.0\"?>" + mpdTag + "</MPD>", "1:16: XML version 2.0 is not known"},
		{"UTF-16", "\xff\xfe<\x00M\x00", "1:1: the MPD is in UTF-16 or UTF-32; publish it in UTF-8"},
		{"UTF-16 without a mark", "<\x00M\x00P\x00D\x00", "1:1: the MPD is in UTF-16 or UTF-32; publish it in UTF-8"},
		{"invalid UTF-8", mpdTag + "\n<!-- \u00e9 \xe9 --></MPD>", "2:8: MPD: invalid UTF-8"},
		{"NUL", mpdTag + "\x00</MPD>", "1:44: MPD: a control character that XML does not allow"},
		{"U+FFFF", mpdTag + "\uffff</MPD>", "1:44: MPD: a character that XML does not allow (U+FFFE or U+FFFF)"},
		{"too deep", mpdTag + strings.Repeat("<a>", 64), "1:233: MPD" + strings.Repeat("/a[1]", 63) + ": elements are nested deeper than 64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tmpl, err := Compile([]byte(c.src))
			var e *Error
			if tmpl != nil || !errors.As(err, &e) {
				t.Fatalf("got %v, %v", tmpl, err)
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
			if e.Offset < 0 || e.Offset > len(c.src) || e.Line < 1 || e.Column < 1 {
				t.Errorf("place %+v", e)
			}
		})
	}
}

// TestErrorIsReadable holds that what an error quotes is cut, not the error.
func TestErrorIsReadable(t *testing.T) {
	name := strings.Repeat("é", 1000)
	_, err := Compile([]byte("<" + name + "/>"))
	if err == nil || len(err.Error()) > 300 || !strings.Contains(err.Error(), "…") {
		t.Errorf("got %v", err)
	}
}
