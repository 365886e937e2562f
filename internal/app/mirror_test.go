// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

var (
	toMirror = regexp.MustCompile(`^/example/spdk\.git/`)
	thePush  = regexp.MustCompile(`/git-receive-pack$`)
	noReason = "::error::no\x1b[31m reason"
)

// refusing makes a mirror that refuses some refs.
func refusing(glob, reason string) func(*servers) {
	return func(o *servers) { o.github.RefuseRefs = []github.RefRule{{Glob: glob, Reason: reason}} }
}

// TestMirrorRefusesOneRef: the others of the same push land all the same.
func TestMirrorRefusesOneRef(t *testing.T) {
	t.Parallel()
	s := begin(t, "", refusing("refs/changes/02/102/1", noReason))
	one := s.push("ann", "nvme: split the probe loop", nil)
	two := s.push("bob", "bdev: fix a leak on reset", nil)
	three := s.push("ann", "nvme: probe in parallel", one)
	s.pass(ExitFailed)
	s.runs("101/1/autorun.yml/1", "103/1/autorun.yml/1")
	s.says("It stays so, and is tried again.")
	s.pass(ExitFailed)
	s.says("A new patchset is let through.")
	two.Amend(map[string]string{"lib/bdev.c": "int reset;\n"})
	s.endsWell(one, two, three)
}

// TestRefusedPatchsetsHoldNobodyUp has old patchsets that are refused in each
// pass anew, and a limit that they would use up.
func TestRefusedPatchsetsHoldNobodyUp(t *testing.T) {
	t.Parallel()
	s := begin(t, "limits: {per-pass: 1}", refusing("refs/changes/0[12]/*", noReason))
	s.push("ann", "nvme: split the probe loop", nil)
	s.push("bob", "bdev: fix a leak on reset", nil)
	s.clock.advance(time.Minute)
	s.push("ann", "nvme: probe in parallel", nil)
	s.pass(ExitFailed)
	s.clock.advance(15 * time.Minute)
	s.pass(ExitFailed)
	s.runs("103/1/autorun.yml/1")
}

// TestMirrorRefusesContent is a patchset that the mirror will never take, with
// another one built on it. It is a failure once, suspected for an hour, and then
// tried on a schedule.
func TestMirrorRefusesContent(t *testing.T) {
	t.Parallel()
	const rule = "push declined due to a detected secret"
	s := begin(t, "", refusing("refs/changes/0[13]/*/1", rule))
	one := s.push("ann", "nvme: add a key by mistake", nil)
	fix := s.push("bob", "bdev: fix a leak on reset", nil)
	above := s.push("ann", "nvme: use the key", one)
	s.pass(ExitFailed)
	s.runs("102/1/autorun.yml/1")
	s.says("It is tried again, quietly.")
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.says("After an hour the mirror is believed.")
	s.clock.advance(time.Hour)
	s.pass(ExitDone)
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.says("And an hour later it is asked again.")
	s.clock.advance(time.Hour)
	s.pass(ExitDone)
	s.says("New patchsets are tried at once.")
	one.Amend(map[string]string{"lib/nvme.c": "int key;\n"})
	above.Rebase()
	s.pass(ExitDone)
	s.endsWell(one, fix, above)
}

// TestMirrorRefusesAllRefs is a mirror that takes nothing but branches. The
// other namespaces are for it.
func TestMirrorRefusesAllRefs(t *testing.T) {
	t.Parallel()
	s := begin(t, "", func(o *servers) {
		o.github.RefuseRefs = []github.RefRule{{Glob: "refs/changes/*|refs/dispatcher/*", Reason: "deny updating a hidden ref"}}
	})
	one := s.push("ann", "nvme: split the probe loop", nil)
	two := s.push("bob", "bdev: fix a leak on reset", nil)
	s.pass(ExitConfiguration)
	s.runs()
	s.says("The hint is taken.")
	s.use(change.BranchRefs, change.BranchLedger)
	s.pass(ExitDone)
	s.endsWell(one, two)
}

// TestMirrorProtectsTheBranch: patchsets need not wait for it.
func TestMirrorProtectsTheBranch(t *testing.T) {
	t.Parallel()
	s := begin(t, "", refusing("refs/heads/*", "protected branch hook declined"))
	s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitConfiguration)
	s.runs("101/1/autorun.yml/1")
	s.says("It is known now, and nothing is started twice.")
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1")
	s.says("An hour later it is tried again.")
	s.clock.advance(time.Hour)
	s.pass(ExitDone)
	s.runs("101/1/autorun.yml/1")
}

// TestMirrorIsReadOnly is the token of an account without the right to push.
func TestMirrorIsReadOnly(t *testing.T) {
	t.Parallel()
	reader := github.FullAccess
	reader.Contents = github.Read
	s := begin(t, "", func(o *servers) { o.github.Tokens["ghp-reader"] = reader })
	s.secrets = append(s.secrets, "ghp-reader")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.env["GHPA_TOKEN"] = "ghp-reader"
	s.pass(ExitConfiguration)
	s.runs()
	for _, cause := range []string{"collaborator", "write permission", "contents: write"} {
		if !strings.Contains(s.stdout, cause) {
			t.Errorf("the cause %q is not explained", cause)
		}
	}
	s.env["GHPA_TOKEN"] = token
	s.endsWell(one)
}

// TestMirrorLacksTheWorkflowScope is a token that may push, but no patchset
// that touches a workflow file.
func TestMirrorLacksTheWorkflowScope(t *testing.T) {
	t.Parallel()
	scoped := github.FullAccess
	scoped.Workflows = false
	s := begin(t, "", func(o *servers) { o.github.Tokens["ghp-scoped"] = scoped })
	s.secrets = append(s.secrets, "ghp-scoped")
	s.env["GHPA_TOKEN"] = "ghp-scoped"
	fix := s.push("bob", "bdev: fix a leak on reset", nil)
	ci := s.pushFiles("ann", "ci: run more", map[string]string{".github/workflows/x.yml": "on: push\n"})
	s.pass(ExitConfiguration)
	s.runs("101/1/autorun.yml/1")
	s.env["GHPA_TOKEN"] = token
	s.endsWell(fix, ci)
}

// TestMirrorWantsAName is a server with a list of users, such as Gerrit or nginx.
func TestMirrorWantsAName(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.github.Faults.Add(faults.Rule{Path: toMirror, Do: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if user, _, _ := r.BasicAuth(); user != "relay" {
				http.Error(w, "Unauthorized", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	s.pass(ExitConfiguration)
	s.configure(strings.Replace(defaultConfig(""), "example/spdk", "{repository: example/spdk, username: relay}", 1))
	s.endsWell(one)
}

// TestMirrorIsGone is an address that leads nowhere, for a while.
func TestMirrorIsGone(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	one := s.push("ann", "nvme: split the probe loop", nil)
	good := s.files[".github/dispatcher.yml"]
	s.files[".github/dispatcher.yml"] = strings.ReplaceAll(good, "example/spdk", "example/spkd")
	s.pass(ExitConfiguration)
	s.runs()
	s.files[".github/dispatcher.yml"] = good
	s.endsWell(one)
}

// TestMirrorAnswers lets the mirror answer wrongly.
func TestMirrorAnswers(t *testing.T) {
	t.Parallel()
	s := begin(t, "limits: {pace: 0s}")
	s.play(&s.github.Faults, []trouble{
		{"A login page answers.", one(faults.Rule{Path: toMirror, Do: page}), ExitConfiguration, 0},
		{"A login page answers pushes.", one(faults.Rule{Path: thePush, Do: page}), ExitConfiguration, 0},
		{"500 for everything.", one(faults.Rule{Path: toMirror, Do: faults.Answer(500, "oops")}), ExitFailed, 10 * time.Second},
		{"500 for pushes.", one(faults.Rule{Path: thePush, Do: faults.Answer(500, "oops")}), ExitFailed, 10 * time.Second},
		{"502 for one push.", one(faults.Rule{Path: thePush, Times: 1, Do: faults.Answer(502, "Bad Gateway")}), ExitDone, 2 * time.Second},
		{"429 for one push, with a time.", one(faults.Rule{Path: thePush, Times: 1, Do: busyFor("20")}), ExitDone, 20 * time.Second},
		{"429 for pushes, without a time.", one(faults.Rule{Path: thePush, Do: busy}), ExitFailed, 3 * time.Minute},
		{"413 for pushes.", one(faults.Rule{Path: thePush, Do: faults.Answer(413, "Request Entity Too Large")}), ExitConfiguration, 0},
		{"411 for a push of unknown length.", one(faults.Rule{Path: thePush, Times: 1, Do: faults.Answer(411, "Length Required")}), ExitDone, 0},
		{"The report is cut, in good form.", one(faults.Rule{Path: thePush, Times: 1, Do: faults.Truncate(30)}), ExitDone, 2 * time.Second},
		{"The report is empty.", one(faults.Rule{Path: thePush, Times: 1, Do: faults.Truncate(0)}), ExitDone, 2 * time.Second},
		{"The reply to a push is lost.", one(faults.Rule{Path: thePush, Times: 1, Do: faults.LoseReply()}), ExitDone, 2 * time.Second},
		{"The reply to every push is lost.", one(faults.Rule{Path: thePush, Do: faults.LoseReply()}), ExitDone, 2 * time.Second},
		{"The list of refs is cut, in good form.", one(faults.Rule{Path: toMirror, Do: faults.Truncate(100)}), ExitFailed, 10 * time.Second},
	})
}
