// SPDX-License-Identifier: BSD-3-Clause

package gitwire

// applyDelta makes an object from its base and a delta (gitformat-pack(5),
// Deltified representation).
func applyDelta(base, delta []byte) ([]byte, error) {
	baseSize, delta, ok1 := deltaSize(delta)
	size, delta, ok2 := deltaSize(delta)
	if !ok1 || !ok2 || baseSize != len(base) || size > maxCommit {
		return nil, malformed("a delta's sizes are wrong")
	}
	out := make([]byte, 0, min(size, 4*len(base)+len(delta))) // a delta may promise more than it makes
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		var part []byte
		ok := op != 0 // 0 is reserved
		if op&0x80 != 0 {
			part, delta, ok = deltaCopy(base, op, delta)
		} else if ok = ok && int(op) <= len(delta); ok {
			part, delta = delta[:op], delta[op:]
		}
		if !ok || len(part) > size-len(out) {
			return nil, malformed("a delta reaches beyond its base or its size")
		}
		out = append(out, part...)
	}
	if len(out) != size {
		return nil, malformed("a delta makes %d bytes instead of %d", len(out), size)
	}
	return out, nil
}

// deltaSize reads a size: seven bits a byte, the lowest first.
func deltaSize(b []byte) (size int, rest []byte, ok bool) {
	for i, c := range b {
		if i > 4 {
			break // more than any size that we accept
		}
		size |= int(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			return size, b[i+1:], true
		}
	}
	return 0, nil, false
}

// deltaCopy reads the arguments of a copy instruction: the low four bits of op
// say which bytes of the offset follow, the next three which of the size.
func deltaCopy(base []byte, op byte, b []byte) (part, rest []byte, ok bool) {
	var args [7]int
	for i := range args {
		if op>>i&1 == 0 {
			continue
		}
		if len(b) == 0 {
			return nil, nil, false
		}
		args[i], b = int(b[0]), b[1:]
	}
	offset := args[0] | args[1]<<8 | args[2]<<16 | args[3]<<24
	size := args[4] | args[5]<<8 | args[6]<<16
	if size == 0 {
		size = 0x10000
	}
	if offset > len(base) || size > len(base)-offset {
		return nil, nil, false
	}
	return base[offset : offset+size], b, true
}
