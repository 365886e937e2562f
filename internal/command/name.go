// SPDX-License-Identifier: BSD-3-Clause

package command

import "strings"

// calling is how a line begins.
type calling int

const (
	notCalled calling = iota
	named             // with our name, which may be the beginning of a sentence
	calledFor         // with our name as one calls somebody: "@ci", "CI Bot:"
)

// cutName cuts one of our names off the beginning of a line, with what parts it
// from the rest. Gerrit's web page writes a mention as @ and the e-mail address.
func cutName(line string, bot []string) (rest string, called calling) {
	text, at := strings.CutPrefix(line, "@")
	for _, name := range bot {
		if len(name) < 2 || len(text) < len(name) || !strings.EqualFold(text[:len(name)], name) {
			continue
		}
		rest := text[len(name):]
		cut := strings.TrimLeft(rest, " :,")
		switch {
		case cut == rest && rest != "": // a longer name
		case at, strings.ContainsAny(rest[:len(rest)-len(cut)], ":,"):
			return cut, calledFor
		default:
			return cut, named
		}
	}
	return line, notCalled
}
