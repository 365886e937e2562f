// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// duration is a time span as people write it: 90s, 15m, 6h, 30d, 26w, 1h30m.
type duration time.Duration

// maxDuration keeps sums and products of times far from overflow.
const maxDuration = 10 * 365 * day

// units are the letters of a duration, longest first.
var units = []struct {
	letter string
	length time.Duration
}{{"w", 7 * day}, {"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

const durationRegexp = `^(0|([0-9]{1,8}[wdhms])+)$`

var (
	durationPattern = regexp.MustCompile(durationRegexp)
	durationPart    = regexp.MustCompile(`([0-9]+)([wdhms])`)
)

// UnmarshalText reads a number with a unit, or several; 0 needs no unit.
func (d *duration) UnmarshalText(text []byte) error {
	const hint = "write a number and a unit: 90s, 15m, 6h, 30d or 26w; 0 switches the setting off"
	if !durationPattern.Match(text) {
		return bad(hint, "%q is not a time span", change.Clip(string(text), 40))
	}
	var sum time.Duration
	for _, m := range durationPart.FindAllStringSubmatch(string(text), 100) {
		n, _ := strconv.Atoi(m[1]) // the pattern bounds it
		for _, u := range units {
			if u.letter == m[2] {
				if sum += min(time.Duration(n), maxDuration/u.length+1) * u.length; sum > maxDuration {
					return bad(hint, "%q is longer than ten years", change.Clip(string(text), 40))
				}
			}
		}
	}
	*d = duration(sum)
	return nil
}

// String writes the span with the longest unit that gives whole numbers.
func (d duration) String() string {
	if d == 0 {
		return "0"
	}
	var b strings.Builder
	rest := time.Duration(d)
	for _, u := range units[1:] { // days read better than weeks
		if n := rest / u.length; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.letter)
			rest -= n * u.length
		}
	}
	return b.String()
}
