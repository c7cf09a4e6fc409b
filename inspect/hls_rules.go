package inspect

import "strings"

// The tags of rfc8216bis, section 4.4, as a table: where a tag may stand, how
// often, the form of its value, and its attributes with their types (section
// 4.2). Below it are tags that others have added and players know.

// where tells which playlists a tag belongs to.
type where uint8

const (
	inMedia where = 1 << iota
	inMultivariant
	anywhere = inMedia | inMultivariant
)

// valueForm is the form of a tag's value that is no attribute list, or the
// type of an attribute's value.
type valueForm uint8

const (
	formAny valueForm = iota
	formNone
	formList       // an attribute list
	formInteger    // decimal-integer
	formFloat      // decimal-floating-point
	formSigned     // signed-decimal-floating-point
	formHex        // hexadecimal-sequence
	formQuoted     // quoted-string
	formEnum       // enumerated-string
	formResolution // decimal-resolution
	formDate       // a date and time of ISO 8601
	formRange      // <n>[@<o>]
	formDuration   // of EXTINF
	formOrNone     // quoted-string, or NONE
)

// formNames are the forms as messages name them.
var formNames = map[valueForm]string{
	formInteger: "a decimal integer", formFloat: "a decimal number", formSigned: "a decimal number",
	formHex: "a hexadecimal number that begins with 0x", formQuoted: "a quoted string", formEnum: "a word without quotes",
	formResolution: "a resolution like 1280x720", formDate: "a date and time like 2026-01-02T03:04:05.678Z",
	formRange: "a byte range like 1000@2000", formOrNone: "a quoted string, or NONE",
}

type attrRule struct {
	name     string
	form     valueForm
	quoted   bool     // a date, a range: in quotes
	values   []string // of an enumerated string
	required bool
}

type tagRule struct {
	name   string
	in     where
	once   bool
	form   valueForm
	clause string
	attrs  []attrRule
}

func (t *tagRule) attr(name string) *attrRule {
	for i := range t.attrs {
		if t.attrs[i].name == name {
			return &t.attrs[i]
		}
	}
	return nil
}

// attrsOf reads "NAME:form!", where "!" says that the attribute is required,
// and a form in capitals lists the words of an enumerated string.
func attrsOf(text string) (all []attrRule) {
	forms := map[string]attrRule{
		"int": {form: formInteger}, "float": {form: formFloat}, "signed": {form: formSigned}, "hex": {form: formHex},
		"quoted": {form: formQuoted}, "res": {form: formResolution}, "date": {form: formDate, quoted: true},
		"range": {form: formRange, quoted: true}, "any": {form: formAny}, "word": {form: formEnum}, "or-none": {form: formOrNone},
	}
	for field := range strings.FieldsSeq(text) {
		name, form, _ := strings.Cut(field, ":")
		form, required := strings.CutSuffix(form, "!")
		a, ok := forms[form]
		if !ok {
			a = attrRule{form: formEnum, values: strings.Split(form, "|")}
		}
		a.name, a.required = name, required
		all = append(all, a)
	}
	return all
}

const (
	variantAttrs = " BANDWIDTH:int! AVERAGE-BANDWIDTH:int SCORE:float CODECS:quoted SUPPLEMENTAL-CODECS:quoted RESOLUTION:res" +
		" HDCP-LEVEL:TYPE-0|TYPE-1|NONE ALLOWED-CPC:quoted VIDEO-RANGE:SDR|HLG|PQ REQ-VIDEO-LAYOUT:quoted STABLE-VARIANT-ID:quoted" +
		" VIDEO:quoted PATHWAY-ID:quoted NAME:quoted PROGRAM-ID:int"
	keyAttrs = " URI:quoted IV:hex KEYFORMAT:quoted KEYFORMATVERSIONS:quoted"
)

var hlsTags = func() map[string]*tagRule {
	byName := make(map[string]*tagRule)
	for _, t := range []tagRule{
		{name: "EXTM3U", in: anywhere, form: formAny, clause: "4.4.1.1"},
		{name: "EXT-X-VERSION", in: anywhere, once: true, form: formInteger, clause: "4.4.1.2"},
		{name: "EXT-X-INDEPENDENT-SEGMENTS", in: anywhere, once: true, form: formNone, clause: "4.4.2.1"},
		{name: "EXT-X-START", in: anywhere, once: true, form: formList, clause: "4.4.2.2", attrs: attrsOf("TIME-OFFSET:signed! PRECISE:YES|NO")},
		{name: "EXT-X-DEFINE", in: anywhere, form: formList, clause: "4.4.2.3", attrs: attrsOf("NAME:quoted VALUE:quoted IMPORT:quoted QUERYPARAM:quoted")},

		{name: "EXT-X-TARGETDURATION", in: inMedia, once: true, form: formInteger, clause: "4.4.3.1"},
		{name: "EXT-X-MEDIA-SEQUENCE", in: inMedia, once: true, form: formInteger, clause: "4.4.3.2"},
		{name: "EXT-X-DISCONTINUITY-SEQUENCE", in: inMedia, once: true, form: formInteger, clause: "4.4.3.3"},
		{name: "EXT-X-ENDLIST", in: inMedia, once: true, form: formNone, clause: "4.4.3.4"},
		{name: "EXT-X-PLAYLIST-TYPE", in: inMedia, once: true, form: formEnum, clause: "4.4.3.5"},
		{name: "EXT-X-I-FRAMES-ONLY", in: inMedia, once: true, form: formNone, clause: "4.4.3.6"},
		{name: "EXT-X-PART-INF", in: inMedia, once: true, form: formList, clause: "4.4.3.7", attrs: attrsOf("PART-TARGET:float!")},
		{name: "EXT-X-SERVER-CONTROL", in: inMedia, once: true, form: formList, clause: "4.4.3.8", attrs: attrsOf(
			"CAN-SKIP-UNTIL:float CAN-SKIP-DATERANGES:YES HOLD-BACK:float PART-HOLD-BACK:float CAN-BLOCK-RELOAD:YES")},

		{name: "EXTINF", in: inMedia, form: formDuration, clause: "4.4.4.1"},
		{name: "EXT-X-BYTERANGE", in: inMedia, form: formRange, clause: "4.4.4.2"},
		{name: "EXT-X-DISCONTINUITY", in: inMedia, form: formNone, clause: "4.4.4.3"},
		{name: "EXT-X-KEY", in: inMedia, form: formList, clause: "4.4.4.4", attrs: attrsOf("METHOD:word!" + keyAttrs)},
		{name: "EXT-X-MAP", in: inMedia, form: formList, clause: "4.4.4.5", attrs: attrsOf("URI:quoted! BYTERANGE:range")},
		{name: "EXT-X-PROGRAM-DATE-TIME", in: inMedia, form: formDate, clause: "4.4.4.6"},
		{name: "EXT-X-GAP", in: inMedia, form: formNone, clause: "4.4.4.7"},
		{name: "EXT-X-BITRATE", in: inMedia, form: formInteger, clause: "4.4.4.8"},
		{name: "EXT-X-PART", in: inMedia, form: formList, clause: "4.4.4.9", attrs: attrsOf("URI:quoted! DURATION:float! INDEPENDENT:YES BYTERANGE:range GAP:YES")},

		{name: "EXT-X-DATERANGE", in: inMedia, form: formList, clause: "4.4.5.1", attrs: attrsOf(
			"ID:quoted! CLASS:quoted START-DATE:date CUE:quoted END-DATE:date DURATION:float PLANNED-DURATION:float" +
				" SCTE35-CMD:hex SCTE35-OUT:hex SCTE35-IN:hex END-ON-NEXT:YES")},
		{name: "EXT-X-SKIP", in: inMedia, once: true, form: formList, clause: "4.4.5.2", attrs: attrsOf("SKIPPED-SEGMENTS:int! RECENTLY-REMOVED-DATERANGES:quoted")},
		{name: "EXT-X-PRELOAD-HINT", in: inMedia, form: formList, clause: "4.4.5.3", attrs: attrsOf("TYPE:PART|MAP! URI:quoted! BYTERANGE-START:int BYTERANGE-LENGTH:int")},
		{name: "EXT-X-RENDITION-REPORT", in: inMedia, form: formList, clause: "4.4.5.4", attrs: attrsOf("URI:quoted! LAST-MSN:int LAST-PART:int")},

		{name: "EXT-X-MEDIA", in: inMultivariant, form: formList, clause: "4.4.6.1", attrs: attrsOf(
			"TYPE:AUDIO|VIDEO|SUBTITLES|CLOSED-CAPTIONS! URI:quoted GROUP-ID:quoted! LANGUAGE:quoted ASSOC-LANGUAGE:quoted NAME:quoted!" +
				" STABLE-RENDITION-ID:quoted DEFAULT:YES|NO AUTOSELECT:YES|NO FORCED:YES|NO INSTREAM-ID:quoted BIT-DEPTH:int SAMPLE-RATE:int" +
				" CHARACTERISTICS:quoted CHANNELS:quoted PATHWAY-ID:quoted")},
		{name: "EXT-X-STREAM-INF", in: inMultivariant, form: formList, clause: "4.4.6.2", attrs: attrsOf(
			"FRAME-RATE:float AUDIO:quoted SUBTITLES:quoted CLOSED-CAPTIONS:or-none" + variantAttrs)},
		{name: "EXT-X-I-FRAME-STREAM-INF", in: inMultivariant, form: formList, clause: "4.4.6.3", attrs: attrsOf("URI:quoted!" + variantAttrs)},
		{name: "EXT-X-SESSION-DATA", in: inMultivariant, form: formList, clause: "4.4.6.4", attrs: attrsOf(
			"DATA-ID:quoted! VALUE:quoted URI:quoted FORMAT:JSON|RAW LANGUAGE:quoted")},
		{name: "EXT-X-SESSION-KEY", in: inMultivariant, form: formList, clause: "4.4.6.5", attrs: attrsOf("METHOD:word!" + keyAttrs)},
		{name: "EXT-X-CONTENT-STEERING", in: inMultivariant, once: true, form: formList, clause: "4.4.6.6", attrs: attrsOf("SERVER-URI:quoted! PATHWAY-ID:quoted")},

		{name: "EXT-X-IMAGE-STREAM-INF", in: inMultivariant},
		{name: "EXT-X-IMAGES-ONLY", in: inMedia}, {name: "EXT-X-TILES", in: inMedia},
		{name: "EXT-X-CUE-OUT", in: inMedia}, {name: "EXT-X-CUE-OUT-CONT", in: inMedia}, {name: "EXT-X-CUE-IN", in: inMedia},
		{name: "EXT-X-CUE", in: inMedia}, {name: "EXT-X-SCTE35", in: inMedia}, {name: "EXT-OATCLS-SCTE35", in: inMedia},
		{name: "EXT-SCTE35", in: inMedia}, {name: "EXT-X-SPLICEPOINT-SCTE35", in: inMedia}, {name: "EXT-X-ASSET", in: inMedia},
		{name: "EXT-X-PREFETCH", in: inMedia}, {name: "EXT-X-PREFETCH-DISCONTINUITY", in: inMedia}, {name: "EXT-X-ALLOW-CACHE", in: anywhere},
	} {
		byName[t.name] = &t
	}
	return byName
}()

// hlsRule is the rule of a clause of the HLS specification.
func hlsRule(g Grade, clause, cure string) rule { return rule{g, "rfc8216bis " + clause, cure} }
