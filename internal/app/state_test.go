// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"encoding/base64"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

// check holds the last pass to what is always true.
func (s *story) check() {
	s.Helper()
	masked := regexp.MustCompile(`(?m)^::add-mask::.*$`).ReplaceAllString(s.stdout, "")
	for _, secret := range s.secrets {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte("x-access-token:" + secret)), base64.StdEncoding.EncodeToString([]byte("bot:" + secret))} {
			if strings.Contains(masked+s.stderr, form) {
				s.Errorf("a secret was printed: %q", form)
			}
		}
	}
	if i := strings.IndexFunc(s.stdout+s.stderr, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0x202e }); i >= 0 {
		s.Errorf("a control character was printed: %q", s.stdout+s.stderr)
	}
	// Only a change that is restored after its refs were pruned is tested afresh.
	titles := map[string]time.Time{}
	for _, run := range s.github.Runs() {
		title := run.Title
		if _, keyed := change.KeyOfRun(title); !keyed {
			title += " " + run.Inputs["revision"]
		}
		if before, twice := titles[title]; twice && run.Created.Sub(before) < 14*24*time.Hour {
			s.Errorf("there are two runs %s", title)
		}
		titles[title] = run.Created
	}
}

// runs compares all runs so far, by the keys in their names.
func (s *story) runs(want ...string) {
	s.Helper()
	var got []string
	for _, run := range s.github.Runs() {
		got = append(got, run.Title)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("runs (-want +got):\n%s", diff)
	}
}

// endsWell makes passes until there is nothing to do, and expects each of the
// changes on the mirror with exactly one run, and a mirror that holds nothing
// but what belongs there. Passes are a quarter of an hour apart. All runs have
// ended then.
func (s *story) endsWell(changes ...*gerrit.Change) {
	s.Helper()
	for n := 0; ; n++ {
		if status := s.run(s.Context(), "sync"); status != ExitDone {
			s.Errorf("got exit status %d while it should end well:\n%s%s", status, s.stdout, s.stderr)
		}
		if len(s.writes()) == 0 {
			break
		}
		if n == 10 {
			s.Fatalf("there is still something to do after %d passes:\n%s", n, s.stdout)
		}
		s.clock.advance(15 * time.Minute)
	}
	s.settled(changes)
}

// recovers makes passes until each of the changes has been started, and expects
// what endsWell does of it. It leaves the last, quiet pass to others: for
// stories of many scenes.
func (s *story) recovers(changes ...*gerrit.Change) {
	s.Helper()
	for n := 0; slices.ContainsFunc(changes, func(c *gerrit.Change) bool { return s.runsOf(c) == 0 }) || n == 0; n++ {
		if n == 5 {
			s.Fatalf("something was lost:\n%s", s.stdout)
		}
		if status := s.run(s.Context(), "sync"); status != ExitDone {
			s.Errorf("got exit status %d while it should recover:\n%s%s", status, s.stdout, s.stderr)
		}
		s.clock.advance(15 * time.Minute)
	}
	s.settled(changes)
}

// settled checks the state of both servers for some changes, and lets all runs
// end.
func (s *story) settled(changes []*gerrit.Change) {
	s.Helper()
	refs := s.mirror.Refs()
	for _, c := range changes {
		s.complete(c, refs)
	}
	s.clean(refs)
	for _, run := range s.github.Runs() {
		s.github.SetRunState(run.ID, "completed", "success")
	}
}

// runsOf counts the runs of a change's current patchset, and expects each to
// test it.
func (s *story) runsOf(c *gerrit.Change) int {
	s.Helper()
	n := 0
	for _, run := range s.github.Runs() {
		key, ok := change.KeyOfRun(run.Title)
		if !ok || key.ID != c.ID() || key.Workflow != "autorun.yml" || key.Server != "" {
			continue
		}
		n++
		if got := run.Inputs["revision"]; got != string(c.Revision()) {
			s.Errorf("the run of %s tests %q, want %s", c.ID(), got, c.Revision())
		}
	}
	return n
}

// complete expects a change's current patchset on the mirror, and one run of it.
func (s *story) complete(c *gerrit.Change, refs map[string]string) {
	s.Helper()
	ref := s.namespace.Ref(c.ID())
	if got := refs[ref]; got != string(c.Revision()) {
		s.Errorf("the mirror's %s is %q, want %s", ref, got, c.Revision())
	}
	if n := s.runsOf(c); n != 1 {
		s.Errorf("got %d runs of %s, want 1", n, c.ID())
	}
}

// clean expects no ref on the mirror but Gerrit's branches, patchsets and the
// ledger.
func (s *story) clean(refs map[string]string) {
	s.Helper()
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		_, patchset := s.namespace.Parse(name)
		_, entry := s.ledger.Parse(name)
		branch, isBranch := strings.CutPrefix(name, "refs/heads/")
		if patchset != nil && entry != nil && !(isBranch && string(s.project.Tip(branch)) == refs[name]) {
			s.Errorf("the mirror has the ref %s, which belongs nowhere", name)
		}
	}
}

// end compares the transcript.
func (s *story) end() {
	if s.transcript.Len() == 0 || s.Failed() && !golden.Update() {
		return
	}
	name := strings.NewReplacer("/", "-", "_", "-").Replace(strings.TrimPrefix(s.Name(), "Test"))
	golden.Compare(s.T, filepath.Join("testdata/stories", name+".txt"), s.transcript.String())
}

// TestStoriesAreTold finds golden files that no test looks at any more.
func TestStoriesAreTold(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func Test(\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			told[m[1]] = true
		}
	}
	stories, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(stories) == 0 {
		t.Fatal(err)
	}
	for _, file := range stories {
		name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txt"), "-")
		if !told[name] {
			t.Errorf("%s belongs to no test", file)
		}
	}
}
