package media

import "fmt"

const tsPacket = 188

// CheckTS looks at the packets of a transport stream of total bytes of which
// kept are here (ISO/IEC 13818-1, section 2.4.3.2).
func CheckTS(kept []byte, total int64) error {
	if total%tsPacket != 0 {
		return &TruncatedError{fmt.Sprintf("%d bytes are no whole number of packets of %d", total, tsPacket)}
	}
	for at := 0; at+tsPacket <= len(kept); at += tsPacket {
		if kept[at] != 0x47 {
			return fmt.Errorf("no sync byte at %d", at)
		}
	}
	return nil
}

// FirstPTS is the first presentation time of each stream that has one, by
// packet id, in units of 90 kHz (ISO/IEC 13818-1, section 2.4.3.6).
func FirstPTS(kept []byte) map[uint16]uint64 {
	out := map[uint16]uint64{}
	for at := 0; at+tsPacket <= len(kept); at += tsPacket {
		p := kept[at : at+tsPacket]
		if p[0] != 0x47 || p[1]&0x40 == 0 || p[3]&0x10 == 0 {
			continue // no start of a payload
		}
		pid := uint16(p[1]&0x1f)<<8 | uint16(p[2])
		if _, had := out[pid]; had {
			continue
		}
		body := p[4:]
		if p[3]&0x20 != 0 {
			if int(body[0])+1 > len(body) {
				continue
			}
			body = body[1+int(body[0]):]
		}
		if len(body) < 14 || body[0] != 0 || body[1] != 0 || body[2] != 1 || body[7]&0x80 == 0 {
			continue
		}
		t := body[9:14]
		out[pid] = uint64(t[0]>>1&7)<<30 | uint64(t[1])<<22 | uint64(t[2]>>1)<<15 | uint64(t[3])<<7 | uint64(t[4]>>1)
	}
	return out
}
