// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"strings"
	"testing"
)

// TestXMLErrors reads what is no XML, each with its place.
func TestXMLErrors(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"":                                     "line 1 (byte 0): it is no XML: there is no element in it",
		"plain text":                           "line 1 (byte 10): it is no XML: there is no element in it",
		"<a>\n<b>\n":                           "line 3 (byte 8): it ends within <b>",
		"<a>\n<b></a>":                         "line 2 (byte 11): </a> stands where </b> belongs",
		"</a>":                                 "line 1 (byte 4): </a> stands where no end tag belongs",
		"<a></a b>":                            "line 1 (byte 8): </a> stands where </a> belongs",
		"<":                                    "line 1 (byte 1): it ends in the middle",
		"<a":                                   "line 1 (byte 2): it ends in the middle",
		"<a ":                                  "line 1 (byte 3): it ends in the middle",
		"<a b":                                 "line 1 (byte 4): it ends in the middle",
		"<a b=":                                "line 1 (byte 5): it ends in the middle",
		"<a b=\"c":                             "line 1 (byte 7): it ends in the middle",
		"<a/":                                  "line 1 (byte 3): it ends in the middle",
		"</a":                                  "line 1 (byte 3): it ends in the middle",
		"<!":                                   "line 1 (byte 2): it has a declaration that no report needs",
		"<!DOCTYPE a SYSTEM \"a.dtd\"><a>":     "line 1 (byte 30): it ends within <a>",
		"<!DOCTYPE a [<!ENTITY b \"c\">]><a/>": "line 1 (byte 28): its document type defines something, which no report needs",
		"<a><!DOCTYPE a></a>":                  "line 1 (byte 5): it has a declaration that no report needs",
		"<!-- a -- >":                          "line 1 (byte 11): it ends in the middle",
		"<a><![CDATA[x]]":                      "line 1 (byte 15): it ends in the middle",
		"<?xml ?":                              "line 1 (byte 7): it ends in the middle",
		"<>":                                   "line 1 (byte 1): a name is missing in a tag",
		"< a>":                                 "line 1 (byte 1): a name is missing in a tag",
		"<a / b>":                              "line 1 (byte 5): a '/' stands alone in a tag",
		"<a b>":                                "line 1 (byte 5): the attribute b has no value",
		"<a b=c>":                              "line 1 (byte 6): the value of b has no quotes",
		"<a \"b\">":                            "line 1 (byte 3): a name is missing in a tag",
		"\xff\xfe<\x00a\x00>\x00":              "line 1 (byte 3): a name is missing in a tag", // UTF-16
		"<a\u202e>":                            "line 1 (byte 6): it ends within <a >",
		strings.Repeat("<a>", 65):              "line 1 (byte 194): its elements are nested deeper than 64",
		"<" + strings.Repeat("n", 257) + "/>":  "line 1 (byte 258): a name is longer than 256 bytes",
	} {
		if _, err := JUnit("x.xml", strings.NewReader(file)); err == nil || err.Error() != "x.xml, "+want {
			t.Errorf("%.40q: got %v, want %s", file, err, want)
		}
	}
}

// TestReferences resolves what XML itself defines, and leaves the rest alone.
func TestReferences(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"&lt;&gt;&amp;&quot;&apos;": `<>&"'`, "&#65;&#x42;&#xe4;": "AB\u00e4", "&#x110000;": "&#x110000;", "&#xFFFFFFFFF;": "&#xFFFFFFFFF;",
		"&nbsp;": "&nbsp;", "a & b": "a & b", "&": "&", "&amp": "&amp", "&&amp;": "&&", "&#;": "&#;", "&#x;": "&#x;", "&averylongname;": "&averylongname;", "&a-b;": "&a-b;",
		"]]>": "]]>", "\r\n\r\r\n": "\n\n\n",
	} {
		x := newXMLReader(strings.NewReader("<a>" + in + "</a>"))
		got := ""
		for {
			tok, err := x.next()
			if got += tok.text; err != nil {
				break
			}
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
