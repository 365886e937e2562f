// SPDX-License-Identifier: BSD-3-Clause

package machine

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Size is a number of bytes, written as "512", "4K", "16M", "2G" or "1T". The
// letters are powers of 1024, as QEMU takes them.
type Size int64

// Sizes that are written with a letter.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
	TiB Size = 1 << 40
)

var units = []struct {
	letter string
	size   Size
}{{"T", TiB}, {"G", GiB}, {"M", MiB}, {"K", KiB}}

// ParseSize reads a size; "MB", "MiB" and lower-case letters are understood.
func ParseSize(text string) (Size, error) {
	bad := func() (Size, error) {
		return 0, fault.New(fault.Configuration, "%q is not a size", change.OneLine(change.Clip(text, 40))).
			WithHint("write a whole number with K, M, G or T behind it, for example 512M or 4G")
	}
	digits := strings.TrimRight(strings.ToUpper(text), "IB")
	unit := Size(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(digits, u.letter); ok {
			digits, unit = rest, u.size
			break
		}
	}
	if unit == 1 && len(digits) != len(text) {
		return bad()
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n > math.MaxInt64/uint64(unit) {
		return bad()
	}
	return Size(n) * unit, nil
}

// UnmarshalText reads a size in a file.
func (s *Size) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSize(string(text))
	return err
}

// Set reads a size from a flag.
func (s *Size) Set(text string) error { return s.UnmarshalText([]byte(text)) }

// String writes the size as short as it can be without loss.
func (s Size) String() string {
	for _, u := range units {
		if s != 0 && s%u.size == 0 {
			return fmt.Sprintf("%d%s", s/u.size, u.letter)
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
