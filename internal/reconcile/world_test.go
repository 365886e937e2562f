// SPDX-License-Identifier: BSD-3-Clause

package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// world is Gerrit, a mirror and GitHub in memory: just enough of each to hold a
// pass to its promises at every point where it may be killed. What the real
// ones do on the wire is tested elsewhere.
type world struct {
	project  *config.Project
	changes  map[int]change.Change
	branches map[string]change.Revision
	tags     map[string]change.Revision
	refs     map[string]change.Revision
	// objects are the commits that were pushed.
	objects []change.Revision
	runs    []change.Run
	files   map[string]change.WorkflowFile
	now     time.Time

	// crash is the step at which the pass is killed: before the step takes
	// effect, or after it when late is set; 0 never.
	crash, step int
	late        bool
	// interrupt, if set, is called before each step.
	interrupt func(step int)
	// answer, if set, decides what GitHub says to a call.
	answer func(change.Call) (change.Outcome, change.Run, error)
	// push, if set, may fail items.
	push func(item relay.Item) error
	// refuse, if set, fails single refs.
	refuse func(ref string) bool
	// nameless answers calls without the run's number, as a 204 does.
	nameless bool
	// privateErr, if set, is why nobody can tell which changes are private.
	privateErr error
	// visible says whether a run is listed; nil lists all.
	visible func(change.Run) bool
}

// killed ends a pass the way SIGKILL does: nothing of it runs any more.
type killed struct{}

func newWorld(n int) *world {
	w := &world{
		project: &config.Project{
			Name: "spdk/spdk", Gerrit: config.Gerrit{URL: "https://review.example.org"},
			Mirror:    config.Mirror{Namespace: change.CustomRefs, Ledger: change.CustomLedger},
			CI:        config.CI{Repository: "example/ci"},
			Workflows: []config.Workflow{{Name: "autorun.yml", File: "autorun.yml"}},
			Grace:     10 * time.Minute,
			Prune:     config.Prune{Keep: 24 * time.Hour, Every: time.Hour},
		},
		changes:  map[int]change.Change{},
		branches: map[string]change.Revision{"master": rev(900)},
		refs:     map[string]change.Revision{},
		files: map[string]change.WorkflowFile{"autorun.yml": {Found: true, Events: []string{"workflow_dispatch"},
			Inputs: map[string]change.WorkflowInput{"key": {}, "revision": {}}}},
		now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
	}
	for i := range n {
		w.upload(i+1, 1)
	}
	return w
}

func rev(n int) change.Revision { return change.Revision(fmt.Sprintf("%040x", n)) }

// upload puts patchset ps of a change up for review.
func (w *world) upload(number, ps int) {
	w.changes[number] = change.Change{
		Project: "spdk/spdk", Number: number, Branch: "master", Subject: fmt.Sprintf("change %d", number),
		Status: change.New, Owner: change.Account{ID: number % 3}, Updated: w.now,
		Current: change.Patchset{Number: ps, Revision: rev(1000*ps + number), Kind: change.Rework, Created: w.now},
	}
}

// run makes one pass and reports whether it was killed.
func (w *world) run(t *testing.T, crash int, late bool) (r Result, wasKilled bool) {
	t.Helper()
	return w.through(t, w.doors(), crash, late)
}

// doors are those of a project that tells nothing to Gerrit.
func (w *world) doors() Doors {
	return Doors{Reviews: w, Origins: w, Groups: w, Source: source{w}, Mirror: mirror{w}, Mover: w, Workflows: w, Runs: w, Starter: w}
}

// Origin implements Origins: nobody knows a commit.
func (w *world) Origin(context.Context, *config.Project, change.Revision) (change.Origin, error) {
	return change.Origin{}, nil
}

// Private implements Origins.
func (w *world) Private(context.Context, *config.Project) (map[change.Revision]change.ID, error) {
	private := map[change.Revision]change.ID{}
	for _, c := range w.changes {
		if c.Private {
			private[c.Current.Revision] = c.ID()
		}
	}
	return private, w.privateErr
}

// through makes one pass through some doors and reports whether it was killed.
func (w *world) through(t *testing.T, doors Doors, crash int, late bool) (r Result, wasKilled bool) {
	t.Helper()
	w.step, w.crash, w.late = 0, crash, late
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(killed); !ok {
				panic(p)
			}
			wasKilled = true
		}
	}()
	pass := Pass{
		Project: w.project, Now: func() time.Time { return w.now },
		Sleep: func(_ context.Context, d time.Duration) error { w.now = w.now.Add(d); return nil },
		Doors: doors,
	}
	r = pass.Run(t.Context())
	accounted(t, r)
	return r, false
}

// accounted holds that each listed change has lines or is counted once.
func accounted(t *testing.T, r Result) {
	t.Helper()
	left := len(r.Listed)
	for _, k := range r.Listed {
		if slices.ContainsFunc(r.Lines, func(l Line) bool { return l.About() == k.Change }) {
			left--
		}
	}
	for _, n := range r.Idle {
		left -= n
	}
	if left != 0 {
		t.Errorf("%d of %d listed changes are not accounted for: got counts %v and\n%s", left, len(r.Listed), r.Idle, strings.Join(told(r), "\n"))
	}
}

// effect is one change of the outside world: the points at which a kill tells.
func (w *world) effect(do func()) {
	w.step++
	if w.interrupt != nil {
		w.interrupt(w.step)
	}
	if w.step == w.crash && !w.late {
		panic(killed{})
	}
	do()
	if w.step == w.crash {
		panic(killed{})
	}
}

func (w *world) Open(context.Context, *config.Project) ([]change.Change, error) {
	var open []change.Change
	for _, n := range slices.Sorted(maps.Keys(w.changes)) {
		if w.changes[n].Status == change.New {
			open = append(open, w.changes[n])
		}
	}
	return open, nil
}

func (w *world) Change(_ context.Context, a change.Address) (change.Change, bool, error) {
	c, ok := w.changes[a.Number]
	return c, ok, nil
}

func (w *world) Hidden(context.Context, *config.Project, []int) (map[int]bool, error) {
	return nil, nil
}

func (w *world) Closed(_ context.Context, _ *config.Project, numbers []int) ([]change.Change, error) {
	var closed []change.Change
	for _, n := range numbers {
		if c, ok := w.changes[n]; ok && c.Status != change.New {
			closed = append(closed, c)
		}
	}
	return closed, nil
}

func (w *world) Merged(context.Context, *config.Project, time.Duration) ([]change.Change, error) {
	var merged []change.Change
	for _, c := range w.changes {
		if c.Status == change.Merged {
			merged = append(merged, c)
		}
	}
	return merged, nil
}

func (w *world) Members(_ context.Context, group string) (map[int]bool, error) {
	if group != "core" {
		return nil, fault.New(fault.Configuration, "no group %s", group)
	}
	return map[int]bool{1: true}, nil
}

type source struct{ *world }

func (s source) ListRefs(_ context.Context, prefixes []string, visit func(string, change.Revision) error) error {
	for name, rev := range s.tags {
		if !slices.Contains(prefixes, "refs/tags/") {
			break
		}
		if err := visit("refs/tags/"+name, rev); err != nil {
			return err
		}
	}
	for name, rev := range s.branches {
		if err := visit("refs/heads/"+name, rev); err != nil {
			return err
		}
	}
	return nil
}

type mirror struct{ *world }

func (m mirror) ListRefs(_ context.Context, prefixes []string, visit func(string, change.Revision) error) error {
	for name, rev := range m.refs {
		if !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			continue
		}
		if err := visit(name, rev); err != nil {
			return err
		}
	}
	return nil
}

// Move sets refs as receive-pack does: each by itself, creates only where
// nothing is.
func (w *world) Move(_ context.Context, branches, items []relay.Item) (b, i []relay.ItemResult) {
	move := func(list []relay.Item) (results []relay.ItemResult) {
		for _, item := range list {
			results = append(results, w.moveOne(item))
		}
		return results
	}
	// Half of the refs of a push may be there when the pusher dies.
	w.effect(func() { b = move(branches) })
	half := len(items) / 2
	w.effect(func() { i = move(items[:half]) })
	w.effect(func() { i = append(i, move(items[half:])...) })
	return b, i
}

func (w *world) moveOne(item relay.Item) relay.ItemResult {
	var r relay.ItemResult
	switch {
	case item.OnMirror && !w.has(item.Want):
		r.Err = fault.New(fault.Transient, "the mirror has no %s", item.Want)
	case w.push != nil:
		r.Err = w.push(item)
	}
	if r.Err == nil && !item.OnMirror {
		w.objects = append(append(w.objects, item.Want), item.Parents...)
	}
	for _, u := range item.Updates {
		result := relay.UpdateResult{Update: u, State: relay.Done}
		switch old, there := w.refs[u.Ref]; {
		case r.Err != nil:
			result.State, result.Err = relay.Refused, r.Err
			switch {
			case errors.Is(r.Err, fault.Permanent):
				r.Refused = change.LargeFile
			case errors.Is(r.Err, fault.Configuration) && strings.HasPrefix(u.Ref, "refs/heads/"):
				r.Refused = change.Protected
			}
		case w.refuse != nil && w.refuse(u.Ref):
			result.State, result.Err = relay.Refused, fault.New(fault.Permanent, "%s is refused", u.Ref)
		case there && u.Old == "":
			result.State, result.Err = relay.Existed, fault.New(fault.Permanent, "%s exists", u.Ref)
		case u.Old != old:
			result.State, result.Err = relay.Refused, fault.New(fault.Permanent, "%s moved", u.Ref)
		default:
			w.refs[u.Ref] = u.New
		}
		r.Updates = append(r.Updates, result)
	}
	return r
}

// has reports whether the mirror has a commit: of a ref, or brought by one.
func (w *world) has(commit change.Revision) bool {
	return slices.Contains(w.objects, commit) || slices.Contains(slices.Collect(maps.Values(w.refs)), commit)
}

func (w *world) Delete(_ context.Context, updates []relay.Update) (results []relay.UpdateResult) {
	w.effect(func() {
		for _, u := range updates {
			r := relay.UpdateResult{Update: u, State: relay.Done}
			switch {
			case w.refuse != nil && w.refuse(u.Ref):
				r.State, r.Err = relay.Refused, fault.New(fault.Permanent, "%s is refused", u.Ref)
			case w.refs[u.Ref] == u.Old:
				delete(w.refs, u.Ref)
			}
			results = append(results, r)
		}
	})
	return results
}

func (w *world) DefaultBranch(context.Context, string) (string, error) { return "main", nil }

func (w *world) WorkflowFile(_ context.Context, _, _, file string) (change.WorkflowFile, error) {
	return w.files[file], nil
}

func (w *world) Runs(_ context.Context, _ string, since time.Time) ([]change.Run, error) {
	var runs []change.Run
	for _, r := range w.runs {
		if !r.Created.Before(since) && (w.visible == nil || w.visible(r)) {
			runs = append(runs, r)
		}
	}
	return runs, nil
}

func (w *world) Busy(context.Context, string) ([]change.Run, error) { return nil, nil }

func (w *world) Dispatch(_ context.Context, call change.Call) (outcome change.Outcome, run change.Run, err error) {
	if w.answer != nil {
		if outcome, run, err = w.answer(call); outcome != change.Accepted {
			return outcome, run, err
		}
	}
	w.effect(func() {
		run = change.Run{ID: int64(len(w.runs) + 1), Name: call.Inputs["key"], Workflow: call.File, Created: w.now}
		run.URL = fmt.Sprintf("https://github.example.org/runs/%d", run.ID)
		w.runs = append(w.runs, run)
	})
	if w.nameless {
		run = change.Run{}
	}
	return change.Accepted, run, nil
}
