// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"fmt"
	"strings"
)

// awkward are subjects that somebody may push, each of which has broken some
// program that printed it, ran it or put it into a page.
var awkward = []string{
	"::add-mask::x",
	"##[set-output name=x]y",
	"::error file=a.c,line=1::made up",
	"Grüße an alle – ünïcode",
	"修复内存泄漏",
	"a 🦊 in the subject",
	"right to left \u202e override \u200b and zero width",
	"$(touch /tmp/pwned) `id` ${HOME} && true; | cat",
	"<script>alert(1)</script> [text](http://example.org) | a | b |",
	"--upload-pack=touch /tmp/pwned",
	`"double" 'single' \ backslash %0A %s {0} ${{ github.token }}`,
	strings.Repeat("long words without an end ", 12),
}

// bigFile is more than what git buffers and what GitHub warns about.
const bigFile = 11 << 20

// writeThirty pushes thirty changes of all the shapes that reviews have, and
// returns them. The last one is work in progress.
func (a *author) writeThirty() []*draft {
	a.t.Helper()
	var all []*draft
	for i, length := range []int{6, 4, 3} {
		all = append(all, a.stack(fmt.Sprintf("stack %c part", 'A'+i), length)...)
	}
	all = append(all, a.merges(all[0])...)

	big := a.write("add a big blob")
	big.files["data.bin"] = a.noise(bigFile)
	a.commit(big)
	a.push(big, "")
	all = append(all, big)

	for _, subject := range awkward {
		d := a.write(subject)
		a.push(d, "")
		all = append(all, d)
	}
	wip := a.write("not ready yet")
	a.push(wip, "%wip")
	return append(all, wip)
}

// merges pushes three merge changes: of a branch that the mirror never gets, of
// that branch's later tip with an open change below, and of two open changes.
func (a *author) merges(open *draft) []*draft {
	a.t.Helper()
	first := a.write("work on a branch of its own")
	second := a.write("more work on the branch", first.oid)
	a.run("push", "-q", a.gerrit.GitURL(a.project), first.oid+":refs/heads/side")
	one := a.write("merge branch side", a.base, first.oid)
	a.push(one, "")

	a.run("push", "-q", a.gerrit.GitURL(a.project), second.oid+":refs/heads/side")
	two := a.write("merge branch side again", open.oid, second.oid)
	a.push(two, "")
	three := a.write("merge two reviews", one.oid, open.oid)
	a.push(three, "")
	return []*draft{one, two, three}
}
