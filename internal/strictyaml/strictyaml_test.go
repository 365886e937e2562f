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

type need struct {
	First  word `json:"first"`
	Second word `json:"second"`
}

type outer struct {
	Text  string        `json:"text,omitempty"`
	On    bool          `json:"on,omitempty"`
	N     int           `json:"n,omitempty"`
	List  []string      `json:"list,omitempty"`
	Inner []inner       `json:"inner,omitempty"`
	Words map[word]word `json:"words,omitempty"`
	Need  *need         `json:"need,omitempty"`
	Not   string        `json:"-"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	want := outer{Text: "8.0", On: true, N: -3, List: []string{"a", "2"}, Inner: []inner{{"one"}, {"two"}},
		Words: map[word]word{"a": "b", "1": "on"}, Need: &need{"x", "y"}}
	for name, text := range map[string]string{
		"yaml": "text: 8.0\non: true\nn: -3\nlist: [a, 2]\ninner:\n  - word: one\n  - {word: two}\nwords: {a: b, 1: on}\nneed: {first: x, second: y}\n",
		"json": `{"text": "8.0", "on": true, "n": -3, "list": ["a", "2"], "inner": [{"word": "one"}, {"word": "two"}],
			"words": {"a": "b", "1": "on"}, "need": {"first": "x", "second": "y"}}`,
	} {
		var got outer
		d := Decode("f", []byte(text), &got)
		if err := d.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !d.Given("inner[1].word") || d.Given("inner[2].word") || !d.Given("need.first") || !d.Given("words.a") || !d.Given("") {
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
		"too large": {strings.Repeat("#", MaxFile+1), "f: the file has more than 1048576 bytes"},
		"syntax":    {"text: [", "f:1:1: the file is not YAML: did not find expected node content\n    hint: look at the lines around it: indentation, quotes and colons"},
		"two":       {"text: a\n---\ntext: b\n", "f:3:1: the file must hold one document only\n    hint: remove the '---' line and what follows it"},
		"scalar":    {"text", "f:1:1: this must be keys and values, but it is text\n    hint: write one 'key: value' per line, each further in than the line above them"},
		"alias":     {"text: &a x\nlist: [*a]\n", "f:1:7: anchors and aliases (&name, *name) are not supported\n    hint: write the value itself\nf:2:8: anchors and aliases (&name, *name) are not supported\n    hint: write the value itself"},
		"merge":     {"<<: {text: x}\n", "f:1:1: this is not a key\n    hint: write the name of a setting"},
		"tag":       {"text: !x y\n", "f:1:7: the file must not use the tag \"!x\"\n    hint: remove it, or put quotes around text that begins with !"},
		"number":    {"n: 0x10\n", "f:1:4: \"0x10\" is not a number that this setting can have\n    hint: write a whole number in decimal digits"},
		"own check": {"inner: [{word: abcdef}]\n", "f:1:16: the word is too long\n    hint: shorten it"},
		"unknown":   {"inner: [{wrod: a}]\n", "f:1:10: there is no key \"wrod\" here\n    hint: the keys here are word"},
		"map":       {"words: {a: abcdef, abcdef: a, [b]: c}\n", "f:1:12: the word is too long\n    hint: shorten it\nf:1:20: the word is too long\n    hint: shorten it\nf:1:31: this is not a key\n    hint: write the name of a setting"},
		"no map":    {"words: [a]\n", "f:1:8: this must be keys and values, but it is a list\n    hint: write one 'key: value' per line, each further in than the line above them"},
		"missing":   {"need: {}\n", "f:1:7: the key first is missing\n    hint: add it\nf:1:7: the key second is missing\n    hint: add it"},
		"mistyped":  {"need: {frist: a, second: b}\n", "f:1:8: there is no key \"frist\" here\n    hint: the keys here are first, second"},
		"pointer":   {"need: &a {}\n", "f:1:7: anchors and aliases (&name, *name) are not supported\n    hint: write the value itself"},
		"no field":  {"not: a\n", "f:1:1: there is no key \"not\" here\n    hint: the keys here are text, on, n, list, inner, words, need"},
		"hostile":   {"\"a\\n::error::x\": a\n", "f:1:1: there is no key \"a ::error::x\" here\n    hint: the keys here are text, on, n, list, inner, words, need"},
	} {
		var got outer
		err := Decode("f", []byte(c.text), &got).Err()
		if !errors.Is(err, fault.Configuration) || err.Error() != c.want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, c.want)
		}
	}
}

// TestManual: hints name the page that explains a file, and need no list.
func TestManual(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":           "f: the file is empty\n    hint: docs/f.md shows what it can hold",
		"wrods: {}":  "f:1:1: there is no key \"wrods\" here\n    hint: did you mean words?",
		"colour: {}": "f:1:1: there is no key \"colour\" here\n    hint: the keys here are text, on, n, list, inner, words, need",
	} {
		var got outer
		if err := (Format{Manual: "docs/f.md"}).Decode("f", []byte(text), &got).Err(); err == nil || err.Error() != want {
			t.Errorf("%s: got\n%v\nwant\n%s", text, err, want)
		}
	}
}

// TestFail: what was not given is complained about where the value around it
// stands, and a value is complained about once, even if its key was mistyped.
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
	d = Decode("f", []byte("need: {frist: a, second: abcdef}\ninner: [{}]\n"), &got)
	d.Fail("need.first", "", "it is no good")
	d.Fail("need.second", "", "it is no good")
	d.Fail("inner[0].word", "", "there is no word")
	d.Fail("inner[0].more", "", "there is no more")
	d.Fail("inner[0].more", "", "it is said twice")
	d.Fail("", "", "something is missing")
	want = "f:1:1: something is missing\nf:1:8: there is no key \"frist\" here\n    hint: the keys here are first, second\n" +
		"f:1:26: the word is too long\n    hint: shorten it\nf:2:9: there is no word\nf:2:9: there is no more"
	if err := d.Err(); err == nil || err.Error() != want {
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
	for _, text := range []string{"text: a\ninner: [{word: b}]\n", "a: &x [*x]", "? [a]\n: b", "- \n- ", "list: {a: b}", "{\"n\": 1e3}", "words: {a: b, ? : c}\nneed: {frist: a}\n"} {
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
