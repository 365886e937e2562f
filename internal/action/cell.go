// SPDX-License-Identifier: BSD-3-Clause

package action

import (
	"fmt"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// maxCell is how much of one outside text a table shows, in bytes.
const maxCell = 300

// plain are the ASCII signs that mean nothing inside a cell of a GitHub
// Markdown table; all other signs are written as character references, which
// cannot be structure (GitHub Flavored Markdown, section 6.2).
const plain = " ,;/-+='%"

// wordJoint is put behind '@': GitHub looks for mentions and addresses in the
// finished text, where a reference would be an '@' again.
const wordJoint = "\u200B"

// Cell makes outside text fit for one cell of a Markdown table: it is shown as
// it is written, on one line, and cannot make a column, markup, HTML, a link
// or a mention.
func Cell(s string) string {
	s = change.OneLine(change.Clip(s, maxCell))
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '@':
			b.WriteString("@" + wordJoint)
		case r == '.' && (i == 0 || s[i-1]|0x20 != 'w'): // "www." begins a link
			b.WriteByte('.')
		case r > '~' || isWord(r) || strings.ContainsRune(plain, r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

func isWord(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}
