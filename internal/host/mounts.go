// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
)

// mounts returns the mount points as this process sees them, in the order in
// which they were mounted.
func (h *Host) mounts() ([]string, error) {
	data, err := os.ReadFile(h.system("/proc/self/mountinfo"))
	if err != nil {
		return nil, broken("read the list of mounts", err)
	}
	return parseMounts(data), nil
}

// parseMounts reads proc(5)'s mountinfo: the fifth field is the mount point, with
// blanks and backslashes as octal numbers.
func parseMounts(data []byte) []string {
	var points []string
	for line := range bytes.Lines(data) {
		fields := strings.Fields(string(line))
		if len(fields) >= 5 {
			points = append(points, unescape(fields[4]))
		}
	}
	return points
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// below returns the mount points at and below a path, in the order in which they
// can be unmounted: last mounted first.
func below(points []string, path string) []string {
	var found []string
	for _, p := range points {
		if p == path || strings.HasPrefix(p, path+"/") {
			found = append(found, p)
		}
	}
	slices.Reverse(found)
	return found
}
