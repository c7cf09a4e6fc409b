package device

import (
	"fmt"
	"regexp"
	"strings"
)

// Steering is the kinds of content steering that a player follows.
type Steering uint8

// Steering bits.
const (
	SteersHLS Steering = 1 << iota
	SteersDASH
)

// Profile is what one family of players can do. The zero value of each field
// is the cautious one.
type Profile struct {
	// Name is what ?device= and configuration call it.
	Name string
	// ID is the profile's number in a session address, 1 to 255, never reused.
	ID uint8
	// UserAgents are substrings, one of which a User-Agent must contain for
	// the profile to be chosen without being named. Empty: only by name, as
	// for players that run in a browser and show the browser's User-Agent.
	UserAgents []string

	// Steering says whether the player follows EXT-X-CONTENT-STEERING and
	// ContentSteering; Clones, whether it takes PATHWAY-CLONES with their URIs
	// listed one by one.
	Steering Steering
	Clones   bool
	// RedundantVariants: several variants of equal attributes are understood
	// as backups of each other (RFC 8216, 6.2.4).
	RedundantVariants bool
	// BaseURLs is how many BaseURL alternatives of an MPD the player uses; 0
	// counts as 1.
	BaseURLs int
	// PlainBaseURL: a BaseURL with "&" in it is misread, so it is not the first
	// where another CDN's has none. (FFmpeg's DASH demuxer reads the text as if
	// it were markup once more.)
	PlainBaseURL bool
	// Location: an MPD's Location is followed on reload. Patch: MPD patches
	// are applied.
	Location, Patch bool
	// Redirects: a 302 for a media playlist is followed, and relative
	// references are resolved against its target.
	Redirects bool
	// Evict is the status that makes the player leave a pathway; 0: none does.
	Evict int

	// MultiPeriod: several Periods play without a break. Discontinuity: so do
	// EXT-X-DISCONTINUITYs.
	MultiPeriod, Discontinuity bool
	// DateRange: EXT-X-DATERANGE does no harm. Interstitials: it plays them.
	DateRange, Interstitials bool
	// AlternativeMPD: alternative MPD events are played.
	AlternativeMPD bool
	// Define: EXT-X-DEFINE is expanded.
	Define bool
	// LowLatencyHLS and LowLatencyDASH: parts and chunks are played.
	LowLatencyHLS, LowLatencyDASH bool
	// Gzip: the player takes gzip-encoded manifests when it says so in
	// Accept-Encoding. HTTP3: Alt-Svc does no harm.
	Gzip, HTTP3 bool
	// CMCD: it sends CTA-5004. CMSD: it reads CTA-5006.
	CMCD, CMSD bool
	// AdRedirects: a 302 for a segment is followed.
	AdRedirects bool

	// Codecs are what it decodes, as RFC 6381 begins them; empty: not known,
	// all are listed.
	Codecs []string
	// MaxHeight bounds the picture in lines; 0: no bound.
	MaxHeight int
	// SDROnly: HDR variants are not for it.
	SDROnly bool
	// DRM are the systems it has ("widevine", "playready", "fairplay",
	// "clearkey"); ClearToEncrypted: clear ads may stand in encrypted content.
	DRM              []string
	ClearToEncrypted bool
}

// Table is a set of profiles. It is immutable.
type Table struct {
	list         []*Profile
	byName       map[string]*Profile
	byID         [256]*Profile
	conservative *Profile
}

// Conservative is the name of the profile that an unknown device gets.
const Conservative = "conservative"

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// NewTable makes a table of the shipped profiles with extra ones added; an
// extra profile of a shipped name replaces it and keeps its ID. Extra profiles
// without ID get numbers from 128 on, in their order.
func NewTable(extra []Profile) (*Table, error) {
	t := &Table{byName: map[string]*Profile{}}
	for _, p := range Shipped() {
		t.put(&p)
	}
	next := uint8(128)
	for _, p := range extra {
		if !nameForm.MatchString(p.Name) {
			return nil, fmt.Errorf("device %q: a name is lower-case letters, digits and hyphens", p.Name)
		}
		if old := t.byName[p.Name]; old != nil {
			p.ID = old.ID
		} else if p.ID == 0 {
			for next != 0 && t.byID[next] != nil {
				next++
			}
			if next == 0 {
				return nil, fmt.Errorf("device %q: no number is left for it", p.Name)
			}
			p.ID = next
		} else if t.byID[p.ID] != nil {
			return nil, fmt.Errorf("device %q: number %d is taken by %q", p.Name, p.ID, t.byID[p.ID].Name)
		}
		t.put(&p)
	}
	t.conservative = t.byName[Conservative]
	return t, nil
}

func (t *Table) put(p *Profile) {
	if old := t.byName[p.Name]; old != nil {
		for i := range t.list {
			if t.list[i] == old {
				t.list[i] = p
			}
		}
	} else {
		t.list = append(t.list, p)
	}
	t.byName[p.Name], t.byID[p.ID] = p, p
}

// Match finds the profile of a player: by name where one is given and known,
// else by User-Agent, else the conservative one.
func (t *Table) Match(name, userAgent string) *Profile {
	if name != "" {
		if p := t.byName[name]; p != nil {
			return p
		}
	}
	if userAgent != "" {
		for _, p := range t.list {
			for _, s := range p.UserAgents {
				if strings.Contains(userAgent, s) {
					return p
				}
			}
		}
	}
	return t.conservative
}

// ByID finds the profile of a session address; an unknown number is the
// conservative profile (an edge with an older table).
func (t *Table) ByID(id uint8) *Profile {
	if p := t.byID[id]; p != nil {
		return p
	}
	return t.conservative
}

// Names are those of all profiles, in the order in which a User-Agent is looked
// up.
func (t *Table) Names() []string {
	names := make([]string, len(t.list))
	for i, p := range t.list {
		names[i] = p.Name
	}
	return names
}

// ByName finds a profile, or nil.
func (t *Table) ByName(name string) *Profile { return t.byName[name] }
