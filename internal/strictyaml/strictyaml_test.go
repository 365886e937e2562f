// SPDX-License-Identifier: BSD-3-Clause

package strictyaml

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

type word string

func (w *word) UnmarshalText(text []byte) error {
	if *w = word(text); len(text) > 5 {
		return fault.New(fault.Configuration, "the word is too long").WithHint("shorten it")
	}
	return nil
}

type inner struct {
	Word word `json:"word,omitempty"`
}

type outer struct {
	Text  string   `json:"text"`
	On    bool     `json:"on,omitempty"`
	N     int      `json:"n,omitempty"`
	List  []string `json:"list,omitempty"`
	Inner []inner  `json:"inner,omitempty"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	want := outer{Text: "8.0", On: true, N: -3, List: []string{"a", "2"}, Inner: []inner{{"one"}, {"two"}}}
	for name, text := range map[string]string{
		"yaml": "text: 8.0\non: true\nn: -3\nlist: [a, 2]\ninner:\n  - word: one\n  - {word: two}\n",
		"json": `{"text": "8.0", "on": true, "n": -3, "list": ["a", "2"], "inner": [{"word": "one"}, {"word": "two"}]}`,
	} {
		var got outer
		d := Decode("f", []byte(text), &got)
		if err := d.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !d.Given("inner[1].word") || d.Given("inner[2].word") {
			t.Errorf("%s: it does not know what was given", name)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"empty":     {"", "f: the file is empty"},
		"comment":   {"# nothing\n", "f: the file is empty"},
		"not utf-8": {"text: \xff", "f: the file is not UTF-8 text\n    hint: save it as UTF-8"},
		"too large": {strings.Repeat("#", maxFile+1), "f: the file has more than 1048576 bytes"},
		"syntax":    {"text: [", "f:1:1: the file is not YAML: did not find expected node content\n    hint: look at the lines around it: indentation, quotes and colons"},
		"two":       {"text: a\n---\ntext: b\n", "f:3:1: the file must hold one document only\n    hint: remove the '---' line and what follows it"},
		"scalar":    {"text", "f:1:1: this must be keys and values, but it is text\n    hint: write one 'key: value' per line, each further in than the line above them"},
		"alias":     {"text: &a x\nlist: [*a]\n", "f:1:7: anchors and aliases are not supported\n    hint: write the value itself\nf:2:8: anchors and aliases are not supported\n    hint: write the value itself"},
		"merge":     {"<<: {text: x}\n", "f:1:1: this is not a key\n    hint: write the name of a setting"},
		"tag":       {"text: !x y\n", "f:1:7: the file must not use the tag \"!x\"\n    hint: remove it"},
		"number":    {"n: 0x10\n", "f:1:4: \"0x10\" is not a number that this setting can have\n    hint: write a whole number in decimal digits"},
		"own check": {"inner: [{word: abcdef}]\n", "f:1:16: the word is too long\n    hint: shorten it"},
		"unknown":   {"inner: [{wrod: a}]\n", "f:1:10: there is no key \"wrod\" here\n    hint: the keys here are word"},
		"hostile":   {"\"a\\n::error::x\": a\n", "f:1:1: there is no key \"a ::error::x\" here\n    hint: the keys here are text, on, n, list, inner"},
	} {
		var got outer
		err := Decode("f", []byte(c.text), &got).Err()
		if !errors.Is(err, fault.Configuration) || err.Error() != c.want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, c.want)
		}
	}
}

// TestFail: what was not given is complained about where the value around it
// stands, and a value is complained about once.
func TestFail(t *testing.T) {
	t.Parallel()
	var got outer
	d := Decode("f", []byte("inner:\n  - word: abcdef\n  - {}\n"), &got)
	d.Name("n", "--number 3")
	d.Fail("inner[0].word", "", "it is no good either")
	d.Fail("inner[1].word", "add it", "there is no %s", "word")
	d.Fail("n", "", "no number")
	d.Fail("text", "", "no text")
	want := "f:1:1: no text\n--number 3: no number\nf:2:11: the word is too long\n    hint: shorten it\nf:3:5: there is no word\n    hint: add it"
	if err := d.Err(); err == nil || !cmp.Equal(sorted(want), sorted(err.Error())) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	var none Document
	none.Fail("inner[3].word", "", "missing")
	if err := none.Err(); err == nil || err.Error() != "inner[3].word: missing" {
		t.Errorf("got %v", err)
	}
}

// sorted lets the order of what has no line be free.
func sorted(text string) map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(text) {
		set[strings.TrimSpace(line)] = true
	}
	return set
}

func TestMany(t *testing.T) {
	t.Parallel()
	var got outer
	err := Decode("f", []byte(strings.Repeat("x: [\n", 300)), &got).Err()
	if err == nil {
		t.Error("got no error")
	}
	err = Decode("f", []byte("list: ["+strings.Repeat("a,", maxValues+1)+"a]"), &got).Err()
	if err == nil || !strings.Contains(err.Error(), "the file has more than 20000 values") {
		t.Errorf("got %v", err)
	}
	problems, _ := errors.AsType[Problems](Decode("f", []byte("list: ["+strings.Repeat("[],", 200)+"a]"), &got).Err())
	if len(problems) != maxProblems {
		t.Errorf("got %d problems, want %d", len(problems), maxProblems)
	}
}

// FuzzDecode: no text makes it panic, and every mistake has a place.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{"text: a\ninner: [{word: b}]\n", "a: &x [*x]", "? [a]\n: b", "- \n- ", "list: {a: b}", "{\"n\": 1e3}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got outer
		problems, _ := errors.AsType[Problems](Decode("f", data, &got).Err())
		for _, p := range problems {
			if !strings.HasPrefix(p.Place, "f") || p.Text == "" || strings.Contains(p.Text, "\n") {
				t.Errorf("got %q", p)
			}
		}
	})
}
