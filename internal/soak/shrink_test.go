// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"reflect"
	"slices"
	"strings"
)

// shrink makes a history shorter as long as it still breaks the rule: first it
// leaves out events, in ever smaller parts (Zeller's delta debugging), and then
// makes the configuration plainer. It stops after so many plays.
func shrink(h history, plays int, fails func(history) bool) history {
	try := func(next history) bool {
		if plays--; plays < 0 {
			return false
		}
		return fails(next)
	}
	h.events = fewer(h.events, func(events []event) bool {
		return try(history{h.seed, h.config, events})
	})
	usual := reflect.ValueOf(plain())
	for i := range usual.NumField() {
		next := h
		field := reflect.ValueOf(&next.config).Elem().Field(i)
		if field.Interface() == usual.Field(i).Interface() {
			continue
		}
		if field.Set(usual.Field(i)); try(next) {
			h = next
		}
	}
	h.events = fewer(h.events, func(events []event) bool {
		return try(history{h.seed, h.config, events})
	})
	return h
}

// fewer leaves out parts of a list while the rest still fails.
func fewer(events []event, fails func([]event) bool) []event {
	for size := max(len(events)/2, 1); ; size = max(size/2, 1) {
		smaller := false
		for at := 0; at < len(events); {
			rest := slices.Delete(slices.Clone(events), at, min(at+size, len(events)))
			if fails(rest) {
				events, smaller = rest, true
			} else {
				at += size
			}
		}
		if size == 1 && !smaller {
			return events
		}
	}
}

// lines joins a history's text for a message, indented.
func lines(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}
