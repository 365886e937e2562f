// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite what is made of other files")

// callable are the reusable workflows, in the order of the page.
var callable = []string{"dispatch", "autorun", "build_images"}

// TestWorkflowsPage: the tables of docs/workflows.md are those of the files.
func TestWorkflowsPage(t *testing.T) {
	t.Parallel()
	const page = "docs/workflows.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	ours := readWorkflows(t, ourWorkflows)
	got := string(text)
	for name, part := range map[string]string{"rights": rightsTable(ours), "inputs": inputTables(ours)} {
		place := regexp.MustCompile(`(?s)(<!-- ` + name + ` -->\n).*(<!-- /` + name + ` -->)`)
		if !place.MatchString(got) {
			t.Fatalf("%s: there is no place for %s", page, name)
		}
		got = place.ReplaceAllLiteralString(got, "<!-- "+name+" -->\n"+part+"<!-- /"+name+" -->")
	}
	if *update {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(text), got); diff != "" {
		t.Errorf("%s: go test . -update mends it (-is +should be):\n%s", page, diff)
	}
}

// reason is the comment behind a right.
var reason = regexp.MustCompile(`(?m)^      ([a-z-]+): (read|write) # (.*)$`)

func rightsTable(all map[string]*workflow) string {
	var b strings.Builder
	b.WriteString("| workflow | the caller grants | because |\n|---|---|---|\n")
	for _, name := range callable {
		rights := map[string]string{}
		for _, j := range all[name].Jobs {
			for right, level := range j.Permissions {
				if rights[right] != "write" {
					rights[right] = level
				}
			}
		}
		why := map[string][]string{}
		for _, m := range reason.FindAllStringSubmatch(all[name].text, -1) {
			if rights[m[1]] == m[2] {
				why[m[1]] = append(why[m[1]], m[3])
			}
		}
		for _, right := range slices.Sorted(maps.Keys(rights)) {
			because := strings.Join(why[right], "; ")
			if right == "contents" {
				because = "to check out"
			}
			fmt.Fprintf(&b, "| `%s.yml` | `%s: %s` | %s |\n", name, right, rights[right], because)
		}
	}
	return b.String()
}

// inputTables lists inputs in the order of the files.
func inputTables(all map[string]*workflow) string {
	var b strings.Builder
	for _, name := range callable {
		call := all[name].On.Call
		fmt.Fprintf(&b, "### %s.yml\n\n| input | type | default | meaning |\n|---|---|---|---|\n", name)
		order := func(x, y string) int {
			place := func(s string) int { return strings.Index(all[name].text, "\n      "+s+":\n") }
			return place(x) - place(y)
		}
		for _, in := range slices.SortedFunc(maps.Keys(call.Inputs), order) {
			i := call.Inputs[in]
			value := fmt.Sprint(i.Default)
			switch {
			case i.Required:
				value = "required"
			case value == "":
				value = "-"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", in, i.Type, value, i.Description)
		}
		if len(call.Outputs) > 0 {
			b.WriteString("\n| output | meaning |\n|---|---|\n")
			for _, out := range slices.SortedFunc(maps.Keys(call.Outputs), order) {
				fmt.Fprintf(&b, "| `%s` | %s |\n", out, call.Outputs[out].Description)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
