// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// slowTest is a unit test that gives somebody time to pull the plug.
const slowTest = "test_slow() { sleep 6; }\n# Unit tests"

// testLoop follows changes from their push to a vote: a good one, one that
// breaks a test, and one whose runner is lost. Then a comment asks for that one
// again; its second run cannot speak for itself, so the next pass does.
func (b *actBed) testLoop(t *testing.T) {
	t.Parallel()
	good := b.upload(t, "lib: say what a ring is", "lib/ring.sh", "A ring", "A closed ring")
	bad := b.upload(t, "lib: do without modulo", "lib/ring.sh", "(at + 1) % size", "at + 1")
	lost := b.upload(t, "test: take your time", "test/unit/ring_ut.sh", "# Unit tests", slowTest)

	b.pass(t, "relay.yml")
	runs := b.started(t, 0, 3)
	b.pullThePlug(t, runs[2].ID)
	b.showAll(t, runs)
	b.expect(t, good, +1, "autorun: 1 job passed")
	b.expect(t, bad, -1, "test_ring_wraps", "got 4, want 0", "`autorun / unit` in `test in a container` (exit code 1)")
	b.expect(t, lost, 0, "lost the runner")
	b.checkArtifacts(t, runs[1].ID)

	t.Log("a comment asks for the lost one again, and the caller forgot a secret")
	must(t, world.gerrit.Review(t.Context(), lost, "recheck", nil))
	b.setCaller(strings.Replace(b.caller, "      GERRIT_PASSWORD: ${{ secrets.GERRIT_PASSWORD }}\n", "", 1))
	b.pass(t, "dispatch.yml")
	again := b.started(t, 3, 1)
	b.showAll(t, again)
	if !annotated(b.hub.Jobs(again[0].ID, 1), "GERRIT_PASSWORD") {
		t.Error("no annotation names the secret that is missing")
	}

	t.Log("the next pass tells what the run could not")
	b.pass(t, "last.yml")
	b.started(t, 4, 0)
	b.expect(t, lost, +1, "> recheck", "Starting attempt 2 of autorun.yml", "1 job passed", fmt.Sprintf("Dispatcher: %d/1/autorun.yml/2 run=", lost))
	b.expect(t, bad, -1, "autorun: 1 job failed")
	b.expect(t, good, +1, "autorun: 1 job passed")
}

// pass runs a workflow that makes a pass of the dispatcher.
func (b *actBed) pass(t *testing.T, workflow string) {
	t.Helper()
	id := b.dispatch(t, rig.CIRepository, workflow, nil)
	b.await(t, id)
	b.show(t, id)
}

// started returns the runs of autorun.yml in the CI repository behind the first
// so many, of which there must be count.
func (b *actBed) started(t *testing.T, first, count int) []github.Run {
	t.Helper()
	runs := slices.DeleteFunc(b.hub.Runs(), func(r github.Run) bool { return r.Repository != rig.CIRepository || r.Workflow != "autorun.yml" })
	if len(runs) != first+count {
		t.Fatalf("there are %d runs, want %d", len(runs), first+count)
	}
	return runs[first:]
}

// showAll waits for runs and logs what they did.
func (b *actBed) showAll(t *testing.T, runs []github.Run) {
	t.Helper()
	for _, run := range runs {
		b.await(t, run.ID)
		b.show(t, run.ID)
	}
}

// setCaller replaces the CI repository's autorun.yml.
func (b *actBed) setCaller(text string) {
	b.hub.Repository(rig.CIRepository).Commit("main", map[string]string{".github/workflows/autorun.yml": text})
}

// pullThePlug kills the container that a run's test job is in, while it tests.
// The machine of a real runner would be gone: so the test's own container goes.
func (b *actBed) pullThePlug(t *testing.T, id int64) {
	t.Helper()
	for deadline := time.Now().Add(8 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		tests := containers(t, func(c container) bool { return c.image == actEnvironment })
		if len(tests) == 0 || !b.testing(id) {
			continue
		}
		for _, c := range append(containers(t, func(c container) bool { return strings.HasPrefix(c.name, "act-autorun-autorun-unit-") }), tests...) {
			must(t, docker("kill", c.id))
		}
		b.await(t, id)
		must(t, docker("rm", "--force", "--volumes", tests[0].id))
		return
	}
	t.Fatalf("the tests of run %d never began", id)
}

// testing reports whether a run has come to its tests.
func (b *actBed) testing(id int64) bool {
	for _, j := range b.hub.Jobs(id, 1) {
		for _, s := range j.Steps {
			if s.Status == "in_progress" && s.Name == "guest: test in a container" {
				return true
			}
		}
	}
	return false
}

// container is one of Docker's that runs.
type container struct{ id, image, name string }

// containers lists those that a test picks.
func containers(t *testing.T, pick func(container) bool) []container {
	t.Helper()
	out, err := exec.Command("docker", "ps", "--format", "{{.ID}} {{.Image}} {{.Names}}").Output()
	must(t, err)
	var list []container
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 3 && pick(container{f[0], f[1], f[2]}) {
			list = append(list, container{f[0], f[1], f[2]})
		}
	}
	return list
}

// expect checks a change's vote, and that its last messages hold some texts.
func (b *actBed) expect(t *testing.T, number, vote int, says ...string) {
	t.Helper()
	got, messages := b.verdict(t, number)
	all := strings.Join(messages, "\n---\n")
	t.Logf("change %d: Verified %+d\n%s", number, got, all)
	if got != vote {
		t.Errorf("change %d: got the vote %+d, want %+d", number, got, vote)
	}
	for _, text := range says {
		if !strings.Contains(all, text) {
			t.Errorf("change %d: no message says %q", number, text)
		}
	}
}

// verdict returns the dispatcher's vote on a change, and all messages.
func (b *actBed) verdict(t *testing.T, number int) (vote int, messages []string) {
	t.Helper()
	var detail struct {
		Labels map[string]struct {
			All []struct {
				Username string
				Value    int
			}
		}
		Messages []struct {
			Author  struct{ Name string }
			Message string
		}
	}
	must(t, world.gerrit.Get(t.Context(), fmt.Sprintf("changes/%d/detail", number), &detail))
	for _, v := range detail.Labels["Verified"].All {
		if v.Username == botUser {
			vote = v.Value
		}
	}
	for _, m := range detail.Messages {
		messages = append(messages, m.Author.Name+": "+m.Message)
	}
	return vote, messages
}

// checkArtifacts looks for what the tests of a failed run left.
func (b *actBed) checkArtifacts(t *testing.T, id int64) {
	t.Helper()
	files := b.act.Artifacts(id)
	for name, want := range map[string]string{
		"results/results-unit/output/ut_junit.xml": `<testcase name="test_ring_wraps"><failure message="got 4, want 0">`,
		"results-unit/log.txt":                     "unittest: 1 of 3 failed: test_ring_wraps",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("the artifact %s is %q, want %q in it", name, files[name], want)
		}
	}
}
