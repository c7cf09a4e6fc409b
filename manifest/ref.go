package manifest

import "strings"

// Resolve finds where a reference in the manifest at path (below the origin's
// root) points to: under is the target below the root, with its query, as
// text fit for a URL ("v720/seg1.m4s?x=1"). ok is false where the reference
// leads elsewhere: another host, another scheme (data:, skd:), above the
// root, or nowhere. Resolution follows RFC 3986, section 5.2.
func Resolve(source, path, ref string) (under string, ok bool) {
	if ref == "" {
		return "", false
	}
	if i := strings.IndexByte(ref, '#'); i >= 0 {
		return "", false
	}
	if hasScheme(ref) {
		return underSource(source, ref)
	}
	if strings.HasPrefix(ref, "//") {
		i := strings.Index(source, "//")
		if i < 0 {
			return "", false
		}
		return underSource(source, source[:i]+ref)
	}
	if ref[0] == '/' {
		root, ok := authority(source)
		if !ok {
			return "", false
		}
		return underSource(source, root+ref)
	}
	if ref[0] == '?' {
		return path + ref, true
	}
	dir := path[:strings.LastIndexByte(path, '/')+1]
	if !strings.Contains(ref, "./") && !strings.HasSuffix(ref, "..") && ref != "." {
		return dir + ref, true
	}
	return removeDots(dir + ref)
}

func hasScheme(ref string) bool {
	for i := 0; i < len(ref); i++ {
		switch c := ref[i]; {
		case c == ':':
			return i > 0
		case c == '/' || c == '?':
			return false
		}
	}
	return false
}

// authority gives the scheme and authority of an absolute URL.
func authority(u string) (string, bool) {
	i := strings.Index(u, "://")
	if i < 0 {
		return "", false
	}
	if j := strings.IndexByte(u[i+3:], '/'); j >= 0 {
		return u[:i+3+j], true
	}
	return u, true
}

func underSource(source, abs string) (string, bool) {
	if source == "" || len(abs) <= len(source) || !strings.EqualFold(abs[:len(source)], source) {
		return "", false
	}
	rest := abs[len(source):]
	if strings.Contains(rest, "./") || strings.HasSuffix(rest, "..") {
		return removeDots(rest)
	}
	return rest, true
}

// removeDots removes dot segments from a path that stands below a root; ok is
// false where it would climb above it.
func removeDots(p string) (string, bool) {
	path, query := p, ""
	if i := strings.IndexByte(p, '?'); i >= 0 {
		path, query = p[:i], p[i:]
	}
	out := make([]string, 0, strings.Count(path, "/")+1)
	parts := strings.Split(path, "/")
	for i, s := range parts {
		last := i == len(parts)-1
		switch s {
		case ".":
			if last {
				out = append(out, "")
			}
		case "..":
			if len(out) == 0 {
				return "", false
			}
			out = out[:len(out)-1]
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, s)
		}
	}
	under := strings.Join(out, "/") + query
	return under, under != ""
}

// MediaURL adds the URL of a target below the root, through pathway i of the
// shape, with its token: absolute at the pathway's CDN, or, where segments go
// through the edge, the session address.
func (b *Builder) MediaURL(s *Shape, i int, under string) {
	if s.Segments != SegmentsDirect {
		b.Address(s, s.Pathways[i].ID, under)
		return
	}
	p := &s.Pathways[i]
	b.MediaBase(s, i)
	b.String(under)
	if p.Token == InQuery {
		if strings.IndexByte(under, '?') >= 0 {
			b.Byte('&')
		} else {
			b.Byte('?')
		}
		b.Slot(SlotToken(i))
	}
}

// MediaBase adds the base URL of pathway i, ending in "/", with its token
// where that stands in the path.
func (b *Builder) MediaBase(s *Shape, i int) {
	p := &s.Pathways[i]
	if p.Token != InPath {
		b.String(p.Base)
		return
	}
	b.String(p.Base[:p.TokenAt])
	b.Slot(SlotToken(i))
	b.Byte('/')
	b.String(p.Base[p.TokenAt:])
}

// Address adds the path-absolute session address of a target below the root:
// {Prefix}/~{session}/{pathway}/{under}.
func (b *Builder) Address(s *Shape, pathway, under string) {
	b.String(s.Prefix)
	b.String("/~")
	if s.Cohort != "" {
		b.String("c.")
		b.String(s.Cohort)
	} else {
		b.Slot(SlotSession)
	}
	b.Byte('/')
	b.String(pathway)
	b.Byte('/')
	b.String(under)
}

// NoPathway stands in a session address for a manifest that lists all
// pathways: multivariant playlists and MPDs.
const NoPathway = "-"

// SteeringURL adds the absolute URL of the steering server.
func (b *Builder) SteeringURL(s *Shape) {
	b.String(s.Edge)
	b.String(s.Steering.Before)
	if s.Steering.NoSession {
		return
	}
	b.Slot(SlotSession)
	b.String(s.Steering.After)
}
