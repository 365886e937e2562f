// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

const (
	barWidth = 24
	// barEvery is the time between two looks of a bar: a person cannot read more.
	barEvery = 100 * time.Millisecond
)

// bar returns what draws how far a transfer is, in one line on a terminal, and
// what takes the line away; where nobody watches it draws nothing. Its calls must
// not overlap.
func (a *App) bar(doing string) (tell func(done, total int64), end func()) {
	line := &progress{out: a.Stderr, on: a.Terminal}
	var began, drawn time.Time
	first := int64(-1)
	return func(done, total int64) {
		now := a.Now()
		switch {
		case total <= 0:
			return
		case first < 0: // what an earlier try moved says nothing of the speed
			began, first = now, done
		case now.Sub(drawn) < barEvery && done < total:
			return
		}
		drawn = now
		line.draw(barText(doing, done, total, done-first, now.Sub(began)))
	}, line.clear
}

// barText is what a bar shows: moved is what came in the time passed.
func barText(doing string, done, total, moved int64, passed time.Duration) string {
	filled := int(float64(done) / float64(total) * barWidth)
	text := fmt.Sprintf("%s [%s%s] %3d%%  %s of %s", change.Clip(change.OneLine(doing), 40),
		strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), int(float64(done)/float64(total)*100), megabytes(done), megabytes(total))
	if moved <= 0 || passed < time.Second {
		return text
	}
	speed := float64(moved) / passed.Seconds()
	left := time.Duration(float64(total-done) / speed * float64(time.Second)).Round(time.Second)
	return text + fmt.Sprintf(", %s/s, %v left", megabytes(int64(speed)), left)
}

func megabytes(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
