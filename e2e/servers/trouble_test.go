// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package servers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestHookBreaks has the mirror's pre-receive hook fail by itself for a while. No
// patchset is blamed: a pass after that relays all of them and starts their runs.
func TestHookBreaks(t *testing.T) {
	for name, says := range map[string]string{
		"mute":   "",
		"gitlab": "GitLab: 500 Internal Server Error",
		"gitea":  "\\nGitea: Internal Server Error\\nUnable to contact gitea: dial tcp 127.0.0.1:3000: connect: connection refused\\n",
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(b *bed) {
				b.pass(0)
				b.must(b.mirror.Hook(fmt.Sprintf("printf '%s\n' >&2\nexit 1\n", says)))
				changes := b.push(3)
				b.pass(1)
				b.ran(0, changes...)
				b.clock.advance(61 * time.Minute)
				b.pass(1)
				b.blamed()
				b.must(b.mirror.Hook(""))
				b.pass(0)
				b.landed(changes...)
				b.ran(1, changes...)
			})
		})
	}
}

// TestHookFailsOnce has the hook fail for one push only: the pass ends well all
// the same, or the next one does.
func TestHookFailsOnce(t *testing.T) {
	each(t, func(b *bed) {
		b.pass(0)
		b.must(b.mirror.Hook("if [ ! -e rig-failed-once ]; then : > rig-failed-once; echo 'GitLab: 500 Internal Server Error' >&2; exit 1; fi\n"))
		changes := b.push(3)
		b.sync(b.Context())
		b.blamed()
		b.pass(0)
		b.landed(changes...)
		b.ran(1, changes...)
	})
}

// TestUnpackKilled has the process that unpacks a push be killed, as for want of
// memory. It is the mirror's trouble, whichever way the server words it.
func TestUnpackKilled(t *testing.T) {
	each(t, func(b *bed) {
		b.pass(0)
		b.must(b.mirror.KillNextUnpack())
		changes := b.push(3)
		b.sync(b.Context())
		b.blamed()
		if b.mirror.UnpackToBeKilled() {
			b.Fatal("nothing was killed")
		}
		b.pass(0)
		b.landed(changes...)
		b.ran(1, changes...)
	})
}

// gh001 is GitHub's check of file sizes as a hook, with a smaller limit.
const gh001 = `while read old new ref; do
  case $new in *[!0]*) ;; *) continue ;; esac
  large=$(git rev-list --objects "$new" --not --all | git cat-file --batch-check='%(objecttype) %(objectsize) %(rest)' |
    while read type size path; do if [ "$type" = blob ] && [ "$size" -gt 100000 ]; then echo "$path"; fi; done)
  if [ -n "$large" ]; then
    echo 'error: Trace: 8f3d5d2a1c' >&2
    echo 'error: See https://gh.io/lfs for more information.' >&2
    echo "error: File $large is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB" >&2
    echo 'error: GH001: Large files detected. You may want to try Git Large File Storage - https://git-lfs.github.com.' >&2
    exit 1
  fi
done
`

// TestFileTooLarge has GitHub's rule about large files refuse whole pushes. Only
// the patchset with the file is held, and it runs once the file is gone.
func TestFileTooLarge(t *testing.T) {
	each(t, func(b *bed) {
		b.pass(0)
		b.must(b.mirror.Hook(gh001))
		changes := b.push(4)
		large := b.project.Push(gerrit.Draft{Owner: "bob", Subject: "a large file", Files: map[string]string{"large.bin": strings.Repeat("0123456789\n", 10000)}})
		changes = append(changes, b.push(1)...)
		printed := b.pass(1)
		b.says(printed, "a file is over the mirror's size limit")
		b.landed(changes...)
		b.ran(1, changes...)
		b.ran(0, large)
		b.clock.advance(61 * time.Minute)
		b.sync(b.Context())
		b.ran(1, changes...)
		b.ran(0, large)
		b.blamed(large)
		large.Amend(map[string]string{"large.bin": "small\n"})
		b.pass(0)
		b.landed(large)
		b.ran(1, large)
	})
}
