// SPDX-License-Identifier: BSD-3-Clause

package soak

import "testing"

// TestText reads back what a history is written as.
func TestText(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		h := generate(seed)
		again, err := parse("# a remark\n" + h.String())
		if err != nil || again.String() != h.String() || again.config != h.config {
			t.Errorf("seed %d: %v:\n%s\nbecame\n%s", seed, err, h, again)
		}
	}
	if _, err := parse("config Required many\n"); err == nil {
		t.Error("a number that is none was taken")
	}
}
