// SPDX-License-Identifier: BSD-3-Clause

package action

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// masker is the runner's: an output that it would change is left out
// (JobExtension.cs, FinalizeJob; SecretMasker.cs).
func masker(secrets ...string) func(string) bool {
	return func(text string) bool {
		for _, s := range secrets {
			if strings.Contains(text, s) {
				return true
			}
		}
		return false
	}
}

// TestJSON: what is read back is what was written, and no word of it can be found.
func TestJSON(t *testing.T) {
	t.Parallel()
	hidden := masker("spdk", "ci", "nvme", "name", "Gerrit", "10.0.0.1", `"x"`, "\u00e4", "runs-on")
	for _, value := range []any{
		"", "owner/spdk", `a "x" \ b`, "\u00e4 \u2028 \U0001f600 <&>\x00\n\t", []any{},
		[]any{map[string]any{"name": "nvme (1/2)", "runs-on": []any{"self-hosted", "ci"}, "job-minutes": 65.0, "optional": true, "none": nil}},
		map[string]any{"Gerrit": "https://10.0.0.1/gerrit"},
	} {
		text, err := JSON(value)
		if err != nil || hidden(text) {
			t.Errorf("%q: got %s, %v", value, text, err)
		}
		var back any
		if err := json.Unmarshal([]byte(text), &back); err != nil || !reflect.DeepEqual(back, value) {
			t.Errorf("%q: read back %q, %v", value, back, err)
		}
	}
	if _, err := JSON(func() {}); err == nil {
		t.Error("a function became JSON")
	}
}

func FuzzJSON(f *testing.F) {
	f.Add("owner/spdk", "\"\\u0041\\")
	f.Fuzz(func(t *testing.T, key, value string) {
		in := map[string]string{key: value}
		plain, err := json.Marshal(in) // makes valid UTF-8 of it
		if err != nil {
			t.Fatal(err)
		}
		text, err := JSON(in)
		if err != nil {
			t.Fatal(err)
		}
		var want, got map[string]string
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read back %q, want %q, %v", text, got, want, err)
		}
		if strings.ContainsFunc(strings.ReplaceAll(text, `\u`, ""), func(r rune) bool { return r > '~' }) {
			t.Errorf("got %s", text)
		}
	})
}
