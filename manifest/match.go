package manifest

import (
	"encoding/binary"
	"math/bits"
)

// find gives the longest match for pos that is longer than floor, or 0.
func (d *deflater) find(pos, floor int) (length, dist int) {
	limit := min(maxMatch, d.n-pos)
	best := max(floor, minMatch-1)
	if o := d.slotAt(pos); o != nil {
		// The occurrence before this one is sure to match: it need not be
		// looked for, and where it is too far, so is everything else.
		from := d.last[o.slot]
		if from < 0 || o.at-from > window {
			return 0, 0
		}
		if l := d.extend(from+pos-o.at, pos, limit); l > best {
			best, length, dist = l, l, o.at-from
		}
		if pos > o.at {
			return length, dist
		}
	}
	d.insert(pos)
	best = max(best, hashMatch-1)
	if limit <= best {
		return length, dist
	}
	tail := d.load(pos + best - 3)
	low := max(pos-window, 0)
	at := int(d.head[d.hash(pos)]) - 1
	chain := maxChain
	if d.effort < 0 {
		chain = tiredChain
	}
	for ; at >= low && chain > 0; chain-- {
		d.effort--
		if d.load(at+best-3) == tail {
			l := d.extend(at, pos, limit)
			d.effort -= l / 8
			if l > best {
				best, length, dist = l, l, pos-at
				if l >= niceMatch || l == limit {
					break
				}
				tail = d.load(pos + best - 3)
			}
		}
		at = int(d.prev[at&(window-1)]) - 1
	}
	return length, dist
}

// cut shortens a match that ends inside a slot so that what remains of the
// slot is not too short for a match. Only maxMatch ends a match there.
func (d *deflater) cut(pos, length int) int {
	end := pos + length
	for i := d.past; i < len(d.occ) && d.occ[i].at < end; i++ {
		if o := &d.occ[i]; end < o.end && o.end-end < minMatch {
			return max(o.end-minMatch, o.at) - pos
		}
	}
	return length
}

// load gives the four symbols from pos.
func (d *deflater) load(pos int) uint64 { return binary.LittleEndian.Uint64(d.sym[2*pos:]) }

func (d *deflater) hash(pos int) uint64 { return d.load(pos) * 0x9E3779B97F4A7C15 >> d.shift }

// extend is how long the match of pos with at is, up to limit.
func (d *deflater) extend(at, pos, limit int) int {
	for n := 0; n < limit; n += 4 {
		if x := d.load(at+n) ^ d.load(pos+n); x != 0 {
			return min(n+bits.TrailingZeros64(x)/16, limit)
		}
	}
	return limit
}

// insert puts all positions before pos into the hash chains; of a slot, only
// where it begins.
func (d *deflater) insert(pos int) {
	for d.next < pos {
		end := pos
		if d.nextOc < len(d.occ) {
			end = min(pos, d.occ[d.nextOc].at+1)
		}
		for i := d.next; i < end; i++ {
			h := d.hash(i)
			d.prev[i&(window-1)] = d.head[h]
			d.head[h] = int32(i + 1)
		}
		d.next = max(d.next, end)
		if d.nextOc < len(d.occ) && d.next > d.occ[d.nextOc].at {
			d.next = d.occ[d.nextOc].end
			d.nextOc++
		}
	}
}
