// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// sample holds the durations of one kind of work, repeated.
type sample []time.Duration

// median is what the table shows: one slow run, or one lucky one, says nothing.
func (s sample) median() time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[len(sorted)/2]
}

// String gives the median and the range.
func (s sample) String() string {
	if len(s) < 2 {
		return round(s.median())
	}
	return fmt.Sprintf("%s (%s to %s)", round(s.median()), round(slices.Min(s)), round(slices.Max(s)))
}

// repeat does work so often and returns how long it took each time.
func repeat(t *testing.T, times int, work func() error) sample {
	t.Helper()
	var s sample
	for range times {
		begin := time.Now()
		must(t, work())
		s = append(s, time.Since(begin))
	}
	return s
}

// round makes a duration readable: two or three digits.
func round(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	default:
		return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
	}
}

// bytesText makes a size readable.
func bytesText(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	case n >= 10<<10:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	default:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
