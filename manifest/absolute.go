package manifest

import "strings"

// Absolute gives the absolute URL that a relative reference in the manifest at
// path means at its origin (RFC 3986, section 5.2). It is for what [Resolve]
// does not find below the root: left as it is, such a reference would resolve
// against the edge. ok is false where the reference is absolute itself, a
// network-path reference ("//host/x": it names its host and takes the scheme
// of whoever follows it), refused as by Resolve, or the source is not known.
func Absolute(source, path, ref string) (url string, ok bool) {
	form := look(ref)
	origin, root := splitURL(source)
	if form.refused || form.scheme > 0 || origin == "" || ref == "" || strings.HasPrefix(ref, "//") {
		return "", false
	}
	if form.space {
		ref = strings.ReplaceAll(ref, " ", "%20")
	}
	if ref[0] != '/' {
		base := root + escapePath(path)
		if ref[0] == '?' {
			return origin + base + ref, true
		}
		ref = base[:strings.LastIndexByte(base, '/')+1] + ref
	}
	query := ""
	if i := strings.IndexByte(ref, '?'); i >= 0 {
		ref, query = ref[:i], ref[i:]
	}
	return origin + removeDots(ref) + query, true
}
