// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestQuery holds the query language to what Gerrit 3.13 answered to the same.
func TestQuery(t *testing.T) {
	t.Parallel()
	s := Serve(t, Options{})
	p := s.Project("spdk/spdk")
	p.Commit("master", map[string]string{"a": "1\n"}) // 08:00:01
	p.Push(Draft{Owner: "ann", Subject: "first [RFC]", Topic: "t", Hashtags: []string{"x", "y"}})
	p.Push(Draft{Owner: "bob", Subject: "second", WIP: true})
	s.Project("other").Push(Draft{Owner: "ann", Branch: "v1"})
	p.Push(Draft{Owner: "ann"}).Abandon()
	p.Push(Draft{Owner: "bob"}).Submit()
	s.changes[change.Address{Project: "spdk/spdk", Number: 2}].Vote("ci", "Verified", -1) // 08:00:09
	s.Advance(24 * time.Hour)

	tests := []struct {
		query string
		want  []int // numbers, or nil for a refusal
	}{
		{"status:open", []int{1, 2, 3}},
		{"is:open", []int{1, 2, 3}},
		{"status:closed", []int{4, 5}},
		{"status:merged", []int{5}},
		{"status:abandoned OR status:merged", []int{4, 5}},
		{`project:"spdk/spdk" status:open`, []int{1, 2}},
		{"repo:spdk/spdk status:open", []int{1, 2}},
		{"project:^spdk/.* is:wip", []int{2}},
		{"project:{spdk/spdk} owner:ann", []int{1, 4}},
		{"branch:v1", []int{3}},
		{"branch:refs/heads/v1", []int{3}},
		{"-is:wip status:open", []int{1, 3}},
		{"- is:wip AND NOT owner:ann", []int{5}},
		{"change:1 OR change:5", []int{1, 5}},
		{"status:open (change:1 OR change:5)", []int{1}},
		{"project:other(status:open)", []int{3}},
		{"owner:bob@example.org status:open", []int{2}},
		{"owner:self", []int{}},
		{`-"[RFC]" status:open`, []int{2, 3}},
		{"status:open label:Verified=ANY,user=ci", []int{2}},
		{"status:open -label:Verified=ANY,user=ci", []int{1, 3}},
		{"status:open label:Verified=ANY,user=ann", []int{}},
		{"status:open label:Verified=0", []int{1, 3}},
		{"status:open label:Verified<=-1", []int{2}},
		{"status:open label:Verified-1", []int{2}},
		{"status:open label:Verified=MIN", []int{2}},
		{"status:open label:Verified>=-1", []int{1, 2, 3}},
		{"label:No-Such=1", []int{}},
		{"hashtag:y topic:t", []int{1}},
		{`after:"2026-01-05 08:00:09"`, []int{2}},
		{`after:"2026-01-05 08:00:10"`, []int{}},
		{`before:"2026-01-05 08:00:02"`, []int{1}},
		{`before:"2026-01-05 08:00:01" OR after:2026-01-06`, []int{}},
		{"age:1d change:1", []int{1}},
		{"-age:1d", []int{}},
		{"-age:2d change:1", []int{1}},
		{"age:1mon", []int{}},
		{"age:999999999y", []int{}},
		{`"OR"`, []int{}},
		{"", nil},
		{"a b\"", nil},
		{"(status:open", nil},
		{"status:open)", nil},
		{"OR status:open", nil},
		{"status:", nil},
		{"status:nosuch", nil},
		{"nosuch:thing", nil},
		{"age:x", nil},
		{"before:x", nil},
		{"change:abc", nil},
		{"label:=1", nil},
		{"project:^(", nil},
		{strings.Repeat("(", 300), nil},
	}
	for _, tt := range tests {
		got, err := s.answer(tt.query)
		if (err != nil) != (tt.want == nil) || !cmp.Equal(got, tt.want) {
			t.Errorf("%s: got %v, %v; want %v", tt.query, got, err, tt.want)
		}
	}
}

// answer returns the numbers that match, as seen by an anonymous user.
func (s *Server) answer(query string) ([]int, error) {
	tree, err := parseQuery(query)
	if err != nil {
		return nil, err
	}
	matches, err := compile(tree, nil, s.now())
	if err != nil {
		return nil, err
	}
	numbers := []int{}
	for at, c := range s.changes {
		if matches(c) {
			numbers = append(numbers, at.Number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// format writes a query that parses to the same tree.
func format(n node) string {
	switch n.op {
	case not:
		return "-" + format(n.kids[0])
	case term:
		value := `"` + strings.ReplaceAll(n.value, `"`, `"{"}"`) + `"`
		if n.field == "" {
			return value
		}
		return n.field + ":" + value
	}
	word := map[operator]string{and: " ", or: " OR "}[n.op]
	var parts []string
	for _, k := range n.kids {
		parts = append(parts, format(k))
	}
	return "(" + strings.Join(parts, word) + ")"
}

func FuzzParseQuery(f *testing.F) {
	for _, q := range []string{
		`status:open project:"a/b" -age:6mon (label:V=ANY,user=x OR -"[RFC]")`, "a AND NOT b", `x:{"}"}"`, "((a))", "-(", `a:b:c"d e"f`, "- - x",
	} {
		f.Add(q)
	}
	s := New("", Options{})
	f.Fuzz(func(t *testing.T, query string) {
		tree, err := parseQuery(query)
		if err != nil {
			return
		}
		again, err := parseQuery(format(tree))
		if err != nil || !cmp.Equal(tree, again, cmp.AllowUnexported(node{})) {
			t.Errorf("%q became %q: %v", query, format(tree), err)
		}
		if _, err := compile(tree, nil, s.now()); err != nil && err.Error() == "" {
			t.Errorf("%q is refused without a word", query)
		}
	})
}
