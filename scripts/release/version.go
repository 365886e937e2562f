// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// version is that of a release, v1.2.3.
type version struct{ major, minor, patch int }

// versionForm has no leading zeros and nothing behind the three numbers: what is
// released is for everybody.
var versionForm = regexp.MustCompile(`^v(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$`)

func parseVersion(text string) (version, error) {
	m := versionForm.FindStringSubmatch(text)
	if m == nil {
		return version{}, fault.New(fault.Configuration, "%q is no version of a release", change.OneLine(change.Clip(text, 80))).
			WithHint("write v, and three numbers with dots between them: v1.2.3")
	}
	var n [3]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // the form bounds it
	}
	return version{n[0], n[1], n[2]}, nil
}

func (v version) String() string { return fmt.Sprintf("v%d.%d.%d", v.major, v.minor, v.patch) }

// series is the name of the tag that moves from release to release.
func (v version) series() string { return fmt.Sprintf("v%d", v.major) }

func (v version) compare(w version) int {
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor), cmp.Compare(v.patch, w.patch))
}

// notes returns what a changelog says below the heading of a version: "## v1.2.3",
// with a date behind it or without.
func notes(changelog string, v version) string {
	var text strings.Builder
	found := false
	for line := range strings.Lines(changelog) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			word, _, _ := strings.Cut(strings.TrimSpace(heading), " ")
			found = word == v.String()
			continue
		}
		if found {
			text.WriteString(line)
		}
	}
	return strings.TrimSpace(text.String())
}
