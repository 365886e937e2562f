// SPDX-License-Identifier: BSD-3-Clause

package action

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
)

// MaxOutputs is how long the outputs of a job may be together, in UTF-16 code
// units: GitHub allows 1 MB of them, and counts two bytes for each
// (docs.github.com, "Passing information between jobs").
const MaxOutputs = 1 << 19

// JSON is a value as JSON whose texts are written as escapes, each character of
// them: `"a"` is "\u0061". It is for outputs of jobs. The runner leaves out an
// output that contains the text of any secret of the run, with no more than a
// warning in the log of the job (actions/runner JobExtension.cs), and the name of
// an account is in the names of repositories, images and tests soon. In escapes
// no word can be found, and fromJSON reads them as any other.
func JSON(value any) (string, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.Grow(6 * len(plain))
	inside := false
	for i := 0; i < len(plain); i++ {
		switch c := plain[i]; {
		case c == '"':
			inside = !inside
			b.WriteByte(c)
		case !inside:
			b.WriteByte(c)
		case c == '\\':
			n := 2
			if plain[i+1] == 'u' {
				n = 6
			}
			b.Write(plain[i : i+n])
			i += n - 1
		case c < 0x80:
			fmt.Fprintf(&b, `\u%04x`, c)
		default: // one of several bytes; the others follow
			r := []rune(string(plain[i:min(len(plain), i+4)]))[0]
			i += len(string(r)) - 1
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		}
	}
	return b.String(), nil
}

// SetJSON sets one of the step's outputs to JSON that no secret is found in, and
// returns how long it is, as MaxOutputs counts.
func (a *Action) SetJSON(name string, value any) (int, error) {
	text, err := JSON(value)
	if err != nil {
		return 0, err
	}
	return len(text), a.SetOutput(name, text)
}
