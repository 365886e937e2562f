// SPDX-License-Identifier: BSD-3-Clause

package verdict

import "testing"

// BenchmarkText makes the message about a matrix of 256 jobs, with its folding.
func BenchmarkText(b *testing.B) {
	m := crowd(100, 56, 100)
	run := m.Verdict.Required[0].Run
	b.ReportAllocs()
	for b.Loop() {
		res := Rules{}.Fold(run)
		m.Verdict = Policy{}.Combine([]Want{{Key: run.Key, Run: &res}})
		if text := m.Text(); len(text) > maxText {
			b.Fatalf("got %d bytes", len(text))
		}
	}
}
