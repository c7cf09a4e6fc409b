package inspect

import (
	"fmt"
	"strconv"
	"strings"
)

// Variants and renditions against each other: rfc8216bis, sections 4.4.6.1 and
// 4.4.6.2.

// groupKinds are the attributes by which variants name groups, and the TYPE of
// those.
var groupKinds = [...]string{"AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"}

func (s *streamLine) isVariant() bool { return s.tag == "EXT-X-STREAM-INF" }

// checkVariants checks the variants, one by one and together.
func (r *multivariantReader) checkVariants() {
	seen := make(map[string]int)
	var scored, unscored, noCaptions, captions *streamLine
	for i := range r.lines {
		s := &r.lines[i]
		here := at{s.number, s.indent + 1, ""}
		if s.tag == "EXT-X-MEDIA" || s.tag == "EXT-X-IMAGE-STREAM-INF" {
			continue
		}
		if find(s.attrs, "PROGRAM-ID") != nil {
			r.add(here, hlsRule(Warning, "8", "remove it"), "", "PROGRAM-ID was taken out of the protocol with version 6")
		}
		if s.Average > s.Bitrate && s.Bitrate > 0 {
			r.add(here, hlsRule(Error, "4.4.6.2", "BANDWIDTH is the peak, AVERAGE-BANDWIDTH the mean"), "", "AVERAGE-BANDWIDTH is greater than BANDWIDTH")
		}
		r.codecs(s, here)
		if !s.isVariant() {
			continue
		}
		// The place that backups take in the playlist tells them from doubles.
		key := fmt.Sprintf("%s %s %d %s %s %s", s.URI, s.Pathway, s.Bitrate, s.Audio, s.Subtitles, s.Video)
		if first, twice := seen[key]; twice && s.URI != "" {
			r.add(here, hlsRule(Warning, "4.4.6.2", "remove it"), "", fmt.Sprintf("the variant stands on line %d already", first))
		} else {
			seen[key] = s.number
		}
		if find(s.attrs, "SCORE") != nil {
			scored = s
		} else {
			unscored = s
		}
		switch a := find(s.attrs, "CLOSED-CAPTIONS"); {
		case a != nil && a.value == "NONE" && !a.quoted:
			noCaptions = s
		default:
			captions = s
		}
	}
	if scored != nil && unscored != nil {
		r.add(at{unscored.number, 1, ""}, hlsRule(Warning, "4.4.6.2", "give every variant one"), "", "a variant without SCORE among some that have it")
	}
	if noCaptions != nil && captions != nil {
		r.add(at{captions.number, 1, ""}, hlsRule(Error, "4.4.6.2", "write CLOSED-CAPTIONS=NONE in all variants, or in none"), "", "a variant without CLOSED-CAPTIONS=NONE among some that have it")
	}
}

// codecs checks CODECS, and what should go with a picture.
func (r *multivariantReader) codecs(s *streamLine, here at) {
	if s.Codecs == "" {
		r.add(here, hlsRule(Warning, "4.4.6.2", "add it: players choose by it"), "codecs "+s.tag, s.tag+" has no CODECS")
		return
	}
	var video, audio, wide bool
	for codec := range strings.SplitSeq(s.Codecs, ",") {
		family, _, _ := strings.Cut(strings.TrimSpace(codec), ".")
		switch kind := codecKinds[family]; kind {
		case "video":
			video = true
			wide = wide || family == "dvh1" || family == "dvhe" || family == "dva1" || family == "dvav" || family == "dav1"
		case "audio":
			audio = true
		}
		if family == "mp4a" && !strings.Contains(codec, ".") || (family == "avc1" || family == "hvc1" || family == "hev1") && !strings.Contains(codec, ".") {
			r.add(here, hlsRule(Warning, "4.4.6.2", "write profile and level, as in avc1.64001f"), "bare codec", "CODECS has a bare "+short(codec)+": players cannot tell whether they play it")
		}
	}
	if video && find(s.attrs, "RESOLUTION") == nil {
		r.add(here, hlsRule(Warning, "4.4.6.2", "add it"), "resolution "+s.tag, s.tag+" has video and no RESOLUTION")
	}
	if wide && s.Range == "" {
		r.add(here, hlsRule(Warning, "4.4.6.2", "add VIDEO-RANGE=PQ, or HLG"), "", "Dolby Vision without VIDEO-RANGE: players take it for SDR")
	}
	if s.Audio != "" && !audio && s.isVariant() {
		r.add(here, hlsRule(Error, "6.2.4", "add the codec of the audio group"), "", "a variant with an AUDIO group has no audio codec in CODECS")
	}
}

// codecKinds tells what a codec is for by the first part of its name (RFC
// 6381).
var codecKinds = map[string]string{
	"avc1": "video", "avc3": "video", "hvc1": "video", "hev1": "video", "dvh1": "video", "dvhe": "video", "dva1": "video",
	"dvav": "video", "av01": "video", "dav1": "video", "vp08": "video", "vp09": "video", "vp8": "video", "vp9": "video", "mp4v": "video",
	"vvc1": "video", "vvi1": "video", "mp4a": "audio", "ac-3": "audio", "ec-3": "audio", "ac-4": "audio", "opus": "audio", "Opus": "audio",
	"flac": "audio", "fLaC": "audio", "alac": "audio", "dtsc": "audio", "dtse": "audio", "dtsh": "audio", "dtsl": "audio", "dtsx": "audio",
	"mha1": "audio", "mhm1": "audio", "mp3": "audio", "iamf": "audio", "apac": "audio",
}

// checkRenditions checks EXT-X-MEDIA tags one by one.
func (r *multivariantReader) checkRenditions() {
	for i := range r.lines {
		s := &r.lines[i]
		if s.tag != "EXT-X-MEDIA" {
			continue
		}
		kind := s.get("TYPE")
		wrong := func(g Grade, cure, text string) {
			r.add(at{s.number, s.indent + 1, ""}, hlsRule(g, "4.4.6.1", cure), "", text)
		}
		if kind == "CLOSED-CAPTIONS" {
			if s.get("URI") != "" {
				wrong(Error, "remove it: captions are in the video", "CLOSED-CAPTIONS with URI")
			}
			if id := s.get("INSTREAM-ID"); id == "" {
				wrong(Error, "add it: CC1 to CC4, or SERVICE1 to SERVICE63", "CLOSED-CAPTIONS without INSTREAM-ID")
			} else if !isInStream(id) {
				wrong(Error, "write CC1 to CC4, or SERVICE1 to SERVICE63", "INSTREAM-ID "+short(id)+" is no channel of captions")
			}
		}
		if kind == "SUBTITLES" && s.get("URI") == "" {
			wrong(Error, "add it", "SUBTITLES without URI")
		}
		if kind != "SUBTITLES" && kind != "" && find(s.attrs, "FORCED") != nil {
			wrong(Error, "remove it", "FORCED is for SUBTITLES alone")
		}
		for _, name := range [...]string{"CHANNELS", "BIT-DEPTH", "SAMPLE-RATE"} {
			if kind != "AUDIO" && kind != "" && find(s.attrs, name) != nil {
				wrong(Error, "remove it", name+" is for AUDIO alone")
			}
		}
		if a := find(s.attrs, "AUTOSELECT"); a != nil && a.value == "NO" && s.Default {
			wrong(Error, "write AUTOSELECT=YES", "DEFAULT=YES with AUTOSELECT=NO")
		}
		if kind == "AUDIO" && s.get("CHANNELS") == "" {
			wrong(Warning, `add it, as in CHANNELS="2"`, "audio without CHANNELS")
		}
	}
}

func isInStream(id string) bool {
	if n, ok := strings.CutPrefix(id, "SERVICE"); ok {
		v, err := strconv.Atoi(n)
		return err == nil && v >= 1 && v <= 63
	}
	return len(id) == 3 && id[:2] == "CC" && id[2] >= '1' && id[2] <= '4'
}

type group struct{ kind, id string }

// memberList is a group's members in the order of the playlist.
type memberList struct {
	list   []*streamLine
	byName map[string]*streamLine
}

func (m *memberList) add(s *streamLine) {
	m.list = append(m.list, s)
	m.byName[s.Name] = s
}

// checkGroups checks that groups which are named are there, and that their
// members fit together: section 4.4.6.1.1.
func (r *multivariantReader) checkGroups() {
	members := make(map[group]*memberList)
	defaults := make(map[group]int)
	var order []group
	for i := range r.lines {
		s := &r.lines[i]
		if s.tag != "EXT-X-MEDIA" || s.get("GROUP-ID") == "" {
			continue
		}
		g := group{s.get("TYPE"), s.get("GROUP-ID")}
		here := at{s.number, s.indent + 1, ""}
		if members[g] == nil {
			members[g] = &memberList{byName: map[string]*streamLine{}}
			order = append(order, g)
		}
		if first := members[g].byName[s.Name]; first != nil && s.Name != "" {
			r.add(here, hlsRule(Error, "4.4.6.1.1", "give it another NAME"), "", fmt.Sprintf("group %s has the NAME %q twice; the first is on line %d", short(g.id), short(s.Name), first.number))
		} else {
			members[g].add(s)
		}
		if s.Default {
			if first := defaults[g]; first > 0 {
				r.add(here, hlsRule(Error, "4.4.6.1.1", "keep one"), "", fmt.Sprintf("group %s has DEFAULT=YES twice; the first is on line %d", short(g.id), first))
			} else {
				defaults[g] = s.number
			}
		}
	}
	used := make(map[group]bool)
	for i := range r.lines {
		s := &r.lines[i]
		if s.tag == "EXT-X-MEDIA" || s.tag == "EXT-X-IMAGE-STREAM-INF" {
			continue
		}
		for _, kind := range groupKinds {
			a := find(s.attrs, kind)
			if a == nil || kind == "CLOSED-CAPTIONS" && a.value == "NONE" {
				continue
			}
			g := group{kind, a.value}
			used[g] = true
			if members[g] == nil {
				r.add(at{s.number, a.column, ""}, hlsRule(Error, "4.4.6.2", "add an EXT-X-MEDIA with this GROUP-ID, or remove the attribute"), "", kind+" names the group "+short(a.value)+", which is not there")
			}
		}
	}
	r.sameMembers(order, members)
	for _, g := range order {
		if !used[g] && len(r.m.Variants) > 0 && g.kind != "" {
			r.add(at{members[g].list[0].number, 1, ""}, hlsRule(Warning, "4.4.6.1.1", "name it in a variant, or remove it"), "", "no variant names the "+g.kind+" group "+short(g.id))
		}
	}
}

// sameMembers checks that the groups of one TYPE have the same members.
func (r *multivariantReader) sameMembers(order []group, members map[group]*memberList) {
	first := make(map[string]group)
	for _, g := range order {
		f, ok := first[g.kind]
		if !ok {
			first[g.kind] = g
			continue
		}
		for _, pair := range [...][2]group{{f, g}, {g, f}} {
			for _, s := range members[pair[0]].list {
				if members[pair[1]].byName[s.Name] == nil {
					r.add(at{s.number, 1, ""}, hlsRule(Error, "4.4.6.1.1", "give every group of a TYPE the same members"), "members "+g.kind+g.id,
						fmt.Sprintf("%s group %s has no %q, which group %s has", g.kind, short(pair[1].id), short(s.Name), short(pair[0].id)))
				}
			}
		}
	}
}
