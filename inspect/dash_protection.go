package inspect

import (
	"cmp"
	"slices"
	"strings"
)

// DRM in MPDs: ContentProtection (ISO/IEC 23009-1, 5.8.4.1; ISO/IEC 23001-7
// for the key ids).

const commonEncryption = "urn:mpeg:dash:mp4protection:2011"

// protection collects the ContentProtection of an element and, where it is an
// AdaptationSet, of its Representations, and checks it.
func (r *mpdReader) protection(e *element, keys map[Key]int, s *Set) {
	levels := append([]*element{e}, e.all("Representation")...)
	if s == nil {
		levels = levels[:1]
	}
	for _, level := range levels {
		for _, p := range level.all("ContentProtection") {
			scheme := strings.ToLower(p.str("schemeIdUri"))
			k := Key{Format: keyFormat(scheme)}
			if scheme == commonEncryption {
				k = Key{Method: p.str("value"), ID: defaultKID(p)}
				r.commonEncryption(p, k)
			}
			if keys[k]++; s == nil {
				continue
			}
			if name := cmp.Or(k.Method, k.Format); name != "" && !slices.Contains(s.Protection, name) {
				s.Protection = append(s.Protection, name)
			}
		}
	}
}

func defaultKID(p *element) string {
	for i := range p.attrs {
		if p.attrs[i].Name.Local == "default_KID" {
			return p.attrs[i].Value
		}
	}
	return ""
}

func (r *mpdReader) commonEncryption(p *element, k Key) {
	if k.ID == "" && p.str("ref") == "" {
		r.wrong(Warning, p, "", "5.8.4.1", "add @cenc:default_KID: players need it to ask for the licence before the first segment", "", "ContentProtection of common encryption without @cenc:default_KID")
	}
	if k.ID != "" && !isUUID(k.ID) {
		r.wrong(Error, p, "/@cenc:default_KID", "5.8.4.1", "write a UUID, as in 34e5db32-8625-47cd-ba06-68fca0655a72", "", "@cenc:default_KID is not a UUID: "+short(k.ID))
	}
	if !slices.Contains([]string{"cenc", "cens", "cbc1", "cbcs", "piff", "svr1"}, k.Method) {
		r.wrong(Warning, p, "/@value", "5.8.5.2", "write cenc or cbcs", "", "ContentProtection of common encryption without the scheme in @value")
	}
}

// isUUID tells one UUID, or several with white space between.
func isUUID(v string) bool {
	for one := range strings.FieldsSeq(v) {
		groups := strings.Split(one, "-")
		if len(groups) != 5 || strings.Trim(one, "0123456789abcdefABCDEF-") != "" {
			return false
		}
		for i, n := range [...]int{8, 4, 4, 4, 12} {
			if len(groups[i]) != n {
				return false
			}
		}
	}
	return v != ""
}

// listed gives keys by how often they are declared.
func listed(keys map[Key]int) (list []Key) {
	for k, n := range keys {
		k.Times = n
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Format, b.Format), cmp.Compare(a.Method, b.Method), cmp.Compare(a.ID, b.ID))
	})
	return list
}
