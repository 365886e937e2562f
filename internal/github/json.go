// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// jsonChars counts the characters of v as go-github sends it: compact, with
// <, > and & as they are.
func jsonChars(v any) (int, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return 0, err
	}
	return utf8.RuneCount(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}
