package session

import (
	"strings"
	"sync/atomic"
)

// verified remembers addresses whose signature was found good: a player asks
// every few seconds with the same one, and the signature costs as much as all
// other looks at a session. Only good addresses get in, and one that was used
// lately is not put out by another, so that no crowd of addresses can make it
// allocate without end. It is bounded by its size; reading takes no lock.
type verified struct {
	slots atomic.Pointer[[verifiedSlots]atomic.Pointer[verifiedAddress]] // made with the first address
}

// verifiedSlots bounds what is remembered, at about 300 bytes each.
const verifiedSlots = 1 << 16

// verifiedIdle is for how long an unused address keeps its slot, in seconds.
const verifiedIdle = 60

type verifiedAddress struct {
	text, channel, prefix string
	claims                Claims
	used                  atomic.Int64 // Unix seconds, to the next few
}

// slot is where an address lies: by the end of its text, which is the end of
// its signature.
func (v *verified) slot(text string) int {
	end := text[TextLen-8:]
	h := uint64(end[0]) | uint64(end[1])<<8 | uint64(end[2])<<16 | uint64(end[3])<<24 |
		uint64(end[4])<<32 | uint64(end[5])<<40 | uint64(end[6])<<48 | uint64(end[7])<<56
	return int(h * 0x9e3779b97f4a7c15 >> 48 % verifiedSlots)
}

// get finds the claims of an address of TextLen bytes; nil where it is not
// known.
func (v *verified) get(text, channel, prefix string, now int64) *Claims {
	slots := v.slots.Load()
	if slots == nil {
		return nil
	}
	a := slots[v.slot(text)].Load()
	if a == nil || a.text != text || a.channel != channel || a.prefix != prefix {
		return nil
	}
	const few = 4
	if used := a.used.Load(); now-used > few || now < used {
		a.used.Store(now)
	}
	return &a.claims
}

// put remembers the claims of an address whose signature is good.
func (v *verified) put(text, channel, prefix string, c *Claims, now int64) {
	slots := v.slots.Load()
	if slots == nil {
		v.slots.CompareAndSwap(nil, new([verifiedSlots]atomic.Pointer[verifiedAddress]))
		slots = v.slots.Load()
	}
	slot := &slots[v.slot(text)]
	if old := slot.Load(); old != nil {
		if used := old.used.Load(); now-used <= verifiedIdle && now >= used {
			return
		}
	}
	a := &verifiedAddress{text: strings.Clone(text), channel: strings.Clone(channel), prefix: strings.Clone(prefix), claims: *c}
	a.used.Store(now)
	slot.Store(a)
}
