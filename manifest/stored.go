package manifest

// storedHeader is the size in bits of a stored block's header, with its usual
// padding.
const storedHeader = 3 + 4 + 32

// store puts an occurrence into a stored block, with the tokens before it
// where that is shorter.
func (d *deflater) store(o *occurrence) {
	if len(d.tokens) > 0 {
		if d.rawIsSmaller(o.at, storedHeader) {
			d.tokens = d.tokens[:0]
		} else {
			d.flush(0)
			d.raw = o.at
		}
	}
	d.done = o.end
	d.pass(o.end)
}

// rawIsSmaller tells whether the tokens, which end before end, are larger as
// a Huffman block, after which more bits follow, than as stored bytes. If
// not, they are measured.
func (d *deflater) rawIsSmaller(end, more int) bool {
	if d.raw == d.done {
		more -= storedHeader // there is no stored block to lengthen
	}
	return d.w.measure(d.tokens)+more > 8*(end-d.done)
}

// finish writes what remains, and the final bit.
func (d *deflater) finish() {
	switch {
	case d.n > 0 && (len(d.tokens) == 0 || d.rawIsSmaller(d.n, 0)):
		d.done = d.n
		d.writeStored(1)
	case d.n == 0:
		d.w.measure(nil)
		fallthrough
	default:
		d.flush(1)
	}
	d.w.align()
}

// writeStored writes the bytes from raw to done, and notes the slots in them.
func (d *deflater) writeStored(final uint64) {
	for d.raw < d.done {
		end, last := d.done, final
		if end-d.raw > maxStored {
			end, last = d.raw+maxStored, 0
		}
		d.w.stored(end-d.raw, last)
		d.patch(end)
		d.w.out = append(d.w.out, d.text[d.raw:end]...)
		d.raw = end
	}
}

// patch notes the slots between raw and end, which are about to be written.
func (d *deflater) patch(end int) {
	for ; d.patched < len(d.occ) && d.occ[d.patched].at < end; d.patched++ {
		o := &d.occ[d.patched]
		if o.end <= d.raw {
			continue
		}
		from, to := max(o.at, d.raw), min(o.end, end)
		d.patches = append(d.patches, patch{
			at: len(d.w.out) + from - d.raw, from: from - o.at, n: to - from, slot: o.slot,
		})
		if o.end > end {
			return // the rest stands in the next block
		}
	}
}
