// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package servers

import (
	"flag"
	"testing"
	"time"
)

// many is how many changes come at once.
var many = flag.Int("many", 300, "how many changes TestRelay uploads at once")

// TestRelay has many changes come at once: each is on the mirror and runs once, a
// second pass starts nothing, an amended one runs anew, and what was closed
// leaves after a while.
func TestRelay(t *testing.T) {
	each(t, func(b *bed) {
		changes := b.push(*many)
		b.pass(0)
		b.landed(changes...)
		b.ran(1, changes...)
		before := len(b.refs())
		b.pass(0)
		b.ran(1, changes...)
		if n := len(b.refs()); n != before {
			b.Errorf("a pass without news made %d refs of %d", n, before)
		}
		changes[0].Amend(map[string]string{"file0.c": "int amended;\n"})
		gone := []string{changes[1].Ref(), changes[2].Ref()}
		changes[1].Abandon()
		changes[2].Abandon()
		b.pass(0)
		b.landed(changes[0])
		b.ran(1, changes[0])
		b.clock.advance(15 * 24 * time.Hour)
		b.pass(0)
		refs := b.refs()
		for _, ref := range gone {
			if refs[ref] != "" {
				b.Errorf("%s of a change that was abandoned 15 days ago is still there", ref)
			}
		}
		b.landed(append(changes[:1:1], changes[3:]...)...)
	})
}
