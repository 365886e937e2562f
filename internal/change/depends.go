// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// dependsLine is the footer by which Zuul's users name what a change needs: the
// address of a change, or its Change-Id.
var dependsLine = regexp.MustCompile(`(?im)^depends-on:[ \t]*(\S[^\r\n]*?)[ \t\r]*$`)

const (
	maxDepends     = 10
	maxDependsText = 200
)

// DependsOn returns what a commit message says that its change depends on, each
// once, in its order: outside text, fit for one line. What no server of ours
// knows may be among it.
func DependsOn(message string) []string {
	var all []string
	for _, m := range dependsLine.FindAllStringSubmatch(message, 10*maxDepends) {
		text := Clip(OneLine(m[1]), maxDependsText)
		if text != "" && !slices.Contains(all, text) && len(all) < maxDepends {
			all = append(all, text)
		}
	}
	return all
}

// Names reports whether a text that DependsOn returned names a change: by its
// Change-Id, or by an address that ends in its number.
func (c Change) Names(text string) bool {
	if text == c.ChangeID {
		return true
	}
	path := strings.TrimRight(text, "/")
	return strings.Contains(path, "://") && strings.HasSuffix(path, "/"+strconv.Itoa(c.Number))
}
