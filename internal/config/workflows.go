// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
)

// inputName is what GitHub accepts as the name of a workflow's input.
var inputName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,99}$`)

func (l *loader) workflows(p *project) []Workflow {
	var out []Workflow
	seen := map[string]bool{}
	for i := range p.Workflows {
		w := &p.Workflows[i]
		at := l.near(w, &p.Workflows, p)
		v := l.workflow(w, at)
		if seen[v.Name] && v.Name != "" {
			l.fail(at, "keep one of them: a run's key tells workflows apart by this name", "there are two workflows %s", quote(v.Name))
		}
		seen[v.Name] = true
		out = append(out, v)
	}
	if len(out) == 0 {
		l.fail(l.near(&p.Workflows, p), "list at least one, for example autorun.yml", "there are no workflows")
	}
	return out
}

func (l *loader) workflow(w *workflow, at Place) Workflow {
	out := Workflow{
		Name: cmp.Or(string(w.File), string(w.Event)), File: string(w.File), Event: string(w.Event),
		Paths: texts(w.Paths), PathsIgnore: texts(w.PathsIgnore), Branches: texts(w.Branches),
		TrivialRebase: KindPolicy(cmp.Or(w.TrivialRebase, kindPolicy(RunKind))),
		NoCodeChange:  KindPolicy(cmp.Or(w.NoCodeChange, kindPolicy(RunKind))),
		Optional:      w.Optional, PostMerge: w.PostMerge,
		Trust: Trust{Label: string(w.Trust.Label), Value: int(w.Trust.Value), Groups: texts(w.Trust.Groups)},
	}
	for _, g := range w.Inputs {
		out.Inputs = append(out.Inputs, InputGroup(g))
	}
	switch {
	case out.File != "" && out.Event != "":
		l.fail(at, "make two entries of it", "a workflow has either file or event, not both")
	case !l.given(&w.File) && !l.given(&w.Event) && out.Name == "":
		l.fail(at, "add file: NAME.yml or event: TYPE", "the workflow has neither file nor event")
	}
	if out.Trust.Label != "" && out.Trust.Value == 0 {
		out.Trust.Value = defaultTrustValue
	}
	if out.Trust.Value != 0 && !l.given(&w.Trust.Label) {
		l.fail(l.near(&w.Trust.Value, w), "add the label that the value is for", "trust has a value, but no label")
	}
	out.With = l.with(w)
	return out
}

// with checks the names of fixed inputs. The key is ours alone: a run is found
// again by it.
func (l *loader) with(w *workflow) map[string]string {
	if len(w.With) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(w.With)) {
		at := l.near(mapKey{mapID(w.With), name})
		switch {
		case !inputName.MatchString(name):
			l.fail(at, "use letters, digits, '_' and '-', beginning with a letter or '_'", "%s cannot be the name of a workflow's input", quote(name))
		case name == "key":
			l.fail(at, "use another name", "the input key is filled in by the dispatcher")
		}
		out[name] = string(w.With[name])
	}
	return out
}
