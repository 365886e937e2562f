// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import "math/rand/v2"

// noise returns bytes that do not compress; always the same ones.
func noise(size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}
