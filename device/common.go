package device

import "slices"

// Common is the least that all of the profiles can do: what may be sent to any
// of them. It is nil without profiles; it has no ID, for it is nobody's own.
func Common(list ...*Profile) *Profile {
	if len(list) == 0 {
		return nil
	}
	p := *list[0]
	p.UserAgents = nil
	for _, q := range list[1:] {
		p.Name += "+" + q.Name
		p.Steering &= q.Steering
		p.BaseURLs = min(p.BaseURLs, q.BaseURLs)
		if p.Evict != q.Evict {
			p.Evict = 0
		}
		for _, can := range []struct {
			mine   *bool
			theirs bool
		}{
			{&p.Clones, q.Clones}, {&p.RedundantVariants, q.RedundantVariants}, {&p.Location, q.Location}, {&p.Patch, q.Patch},
			{&p.Redirects, q.Redirects}, {&p.MultiPeriod, q.MultiPeriod}, {&p.Discontinuity, q.Discontinuity},
			{&p.DateRange, q.DateRange}, {&p.Interstitials, q.Interstitials}, {&p.AlternativeMPD, q.AlternativeMPD},
			{&p.Define, q.Define}, {&p.LowLatencyHLS, q.LowLatencyHLS}, {&p.LowLatencyDASH, q.LowLatencyDASH},
			{&p.Gzip, q.Gzip}, {&p.HTTP3, q.HTTP3}, {&p.CMCD, q.CMCD}, {&p.CMSD, q.CMSD}, {&p.AdRedirects, q.AdRedirects},
			{&p.ClearToEncrypted, q.ClearToEncrypted},
		} {
			*can.mine = *can.mine && can.theirs
		}
		p.SDROnly = p.SDROnly || q.SDROnly
		p.PlainBaseURL = p.PlainBaseURL || q.PlainBaseURL
		if p.MaxHeight == 0 || q.MaxHeight != 0 && q.MaxHeight < p.MaxHeight {
			p.MaxHeight = q.MaxHeight
		}
		p.Codecs = shared(p.Codecs, q.Codecs)
		p.DRM = slices.DeleteFunc(slices.Clone(p.DRM), func(s string) bool { return !slices.Contains(q.DRM, s) })
	}
	p.ID = 0
	return &p
}

// shared is the codecs that both lists have, where an empty list is one that is
// not known. Lists without a common codec leave the first's: something must be
// listed.
func shared(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 {
		return append(slices.Clone(a), b...)
	}
	both := slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
	if len(both) == 0 {
		return a
	}
	return both
}
