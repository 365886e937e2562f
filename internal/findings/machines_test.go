// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"fmt"
	"strings"
	"testing"
)

// TestPathsOfMachines finds files of a patchset below whatever a machine calls its
// checkout, and nothing else.
func TestPathsOfMachines(t *testing.T) {
	t.Parallel()
	files := []string{"lib/nvme/nvme.c", "lib/nvme/a b.c", "test/nvme/nvme.c", "Makefile", "lib/Makefile", "src/ü.c", "x/[id]/p.ts"}
	for uri, want := range map[string]string{
		"lib/nvme/nvme.c":                                         "lib/nvme/nvme.c",
		"file:///home/u/work/spdk/lib/nvme/nvme.c":                "lib/nvme/nvme.c",
		"file://localhost/builds/spdk/lib/nvme/nvme.c":            "lib/nvme/nvme.c",
		"file:/builds/spdk/lib/nvme/nvme.c":                       "lib/nvme/nvme.c",
		"FILE:///builds/lib/nvme/nvme.c":                          "lib/nvme/nvme.c",
		"file:///C:/agent/_work/1/s/lib/nvme/nvme.c":              "lib/nvme/nvme.c",
		"C:\\\\agent\\\\_work\\\\1\\\\s\\\\lib\\\\nvme\\\\nvme.c": "lib/nvme/nvme.c",
		"file:///builds/lib/nvme/a%20b.c":                         "lib/nvme/a b.c",
		"lib/nvme/a b.c":                                          "lib/nvme/a b.c",
		"file:///builds/src/%C3%BC.c":                             "src/ü.c",
		"x/%5Bid%5D/p.ts":                                         "x/[id]/p.ts",
		"x/[id]/p.ts":                                             "x/[id]/p.ts",
		"./lib/../lib/nvme/nvme.c":                                "lib/nvme/nvme.c",
		"/lib/nvme/nvme.c":                                        "lib/nvme/nvme.c",
		"nvme/nvme.c":                                             "?",
		"nvme.c":                                                  "?",
		"other/nvme.c":                                            "",
		"/github/workspace/Makefile":                              "Makefile",
		"/home/ubuntu/actions-runner/_work/spdk/spdk/Makefile":    "Makefile",
		"/__w/spdk/spdk/Makefile":                                 "Makefile",
		"/usr/src/linux/Makefile":                                 "",
		"/builds/spdk/lib/Makefile":                               "lib/Makefile",
		"https://example.org/lib/nvme/nvme.c":                     "",
		"../../etc/passwd":                                        "",
		"":                                                        "",
	} {
		sarif := fmt.Sprintf(`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"%s"},"region":{"startLine":3}}}]}]}]}`, uri)
		r, err := Read("x.sarif", strings.NewReader(sarif))
		if err != nil || len(r.Findings) != 1 {
			t.Errorf("%s: got %d findings, %v", uri, len(r.Findings), err)
			continue
		}
		got, tree := "", NewTree(files)
		for _, p := range r.Findings[0].Places {
			if file, m := tree.Find(p.Path); m == Found {
				got = file
			} else if m == Ambiguous {
				got = "?"
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q (%v)", uri, got, want, r.Findings[0].Places)
		}
	}
}
