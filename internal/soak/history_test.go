// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"fmt"
	"path"
	"reflect"
	"strconv"
	"strings"
)

// history is one play: a configuration, and what happens under it. It can be
// written down as text, and played again from that.
type history struct {
	seed   uint64
	config config
	events []event
}

// event is a verb and its arguments: "amend c1 lib". One that makes no sense
// any more, because an event before it was taken out, does nothing.
type event []string

// arg returns an argument, or "".
func (e event) arg(i int) string {
	if i >= len(e) {
		return ""
	}
	return e[i]
}

// number returns an argument as a number, or 0.
func (e event) number(i int) int {
	n, _ := strconv.Atoi(e.arg(i))
	return n
}

// config is a variant of the dispatcher's configuration and of its surroundings.
type config struct {
	Required   int    // 1: autorun.yml; 2: lint.yml as well
	Optional   bool   // extra.yml runs, too, and does not vote
	Rebase     string // trivial-rebase: run or carry
	Reword     string // no-code-change: run or carry
	SkipWIP    bool
	SkipPriv   bool
	Branches   string // all, or the one branch that is tested
	Tell       string // label, messages or off
	Nothing    string // nothing-to-run: vote or silent
	Filter     string // of autorun.yml: none, lib, notdoc, master
	LintFilter string // of lint.yml
	Red        string // red-parents: run or hold
	Commands   string // all, owner or off
	Started    string // off, message or reset
	PerPass    int
	Gone       string // the workflow whose lab is gone for good, or none
	Sees       bool   // the account sees private changes
	Copy       string // which patchsets Gerrit copies our votes to: none, reword, both
	Lag        string // how late Gerrit's index is
	Git        string // memory, or real for C git behind both servers
	Projects   int    // on the same Gerrit, with the same CI repository
	Gate       string // who says that a patchset may run: none, label, groups or both
	GateCopy   string // which patchsets Gerrit copies those votes to: none, same or all
	Protected  string // the branch that the mirrors refuse: none, master, stable, master-gitea or stable-gitea
	OwnDates   bool   // copied votes keep their dates: Gerrit before 3.6
}

// plain is the variant that the shrinker tries to come back to.
func plain() config {
	return config{
		Required: 1, Rebase: "run", Reword: "run", SkipWIP: true, SkipPriv: true, Branches: "all", Tell: "label", Nothing: "vote",
		Filter: "none", LintFilter: "none", Red: "run", Commands: "all", Started: "off", PerPass: 5, Gone: "none", Copy: "none", Lag: "0s", Git: "memory", Projects: 1, Gate: "none", GateCopy: "none", Protected: "none",
	}
}

// String writes the seed, the configuration where it is not the plain one, and
// the events, one a line.
func (h history) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\n", h.seed)
	have, usual := reflect.ValueOf(h.config), reflect.ValueOf(plain())
	for i := range have.NumField() {
		if got := have.Field(i).Interface(); got != usual.Field(i).Interface() {
			fmt.Fprintf(&b, "config %s %v\n", have.Type().Field(i).Name, got)
		}
	}
	for _, e := range h.events {
		b.WriteString(strings.Join(e, " ") + "\n")
	}
	return b.String()
}

// parse reads what String writes. Lines that begin with # are remarks.
func parse(text string) (history, error) {
	h := history{config: plain()}
	fields := reflect.ValueOf(&h.config).Elem()
	for line := range strings.Lines(text) {
		e := event(strings.Fields(line))
		switch {
		case len(e) == 0 || strings.HasPrefix(e[0], "#"):
		case e[0] == "seed":
			h.seed, _ = strconv.ParseUint(e.arg(1), 10, 64)
		case e[0] != "config":
			h.events = append(h.events, e)
		default:
			if err := set(fields.FieldByName(e.arg(1)), e.arg(2)); err != nil {
				return h, fmt.Errorf("%q: %w", strings.TrimSpace(line), err)
			}
		}
	}
	return h, nil
}

func set(field reflect.Value, value string) error {
	switch field.Kind() {
	case reflect.String:
		field.SetString(value)
	case reflect.Bool:
		field.SetBool(value == "true")
	case reflect.Int:
		n, err := strconv.Atoi(value)
		field.SetInt(int64(n))
		return err
	default:
		return fmt.Errorf("there is no such field")
	}
	return nil
}

// workflow is what the configuration says of one workflow.
type workflow struct {
	file, filter string
	optional     bool
}

// projects are the names of those that the dispatcher looks after.
func (c config) projects() []string { return []string{"spdk/spdk", "spdk/blobfs"}[:c.Projects] }

func (c config) workflows() []workflow {
	list := []workflow{{file: "autorun.yml", filter: c.Filter}}
	if c.Required > 1 {
		list = append(list, workflow{file: "lint.yml", filter: c.LintFilter})
	}
	if c.Optional {
		list = append(list, workflow{file: "extra.yml", filter: "none", optional: true})
	}
	return list
}

// filters are the lines of YAML that each filter is.
var filters = map[string]string{
	"none": "", "lib": "paths: ['lib/**'], ", "notdoc": "paths-ignore: ['doc/**'], ", "master": "branches: [master], ",
}

// yaml writes the dispatcher's configuration file.
func (c config) yaml(gerrit string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "gerrits:\n  main: {url: %s}\nprojects:\n", gerrit)
	for _, name := range c.projects() {
		fmt.Fprintf(&b, "  - name: %s\n    mirror: example/%s\n    ci: example/ci\n", name, path.Base(name))
		c.settings(&b)
	}
	return b.String()
}

// settings are those of each project.
func (c config) settings(b *strings.Builder) {
	if c.Branches != "all" {
		fmt.Fprintf(b, "    branches: [%s]\n", c.Branches)
	}
	fmt.Fprintf(b, "    skip: {wip: %v, private: %v}\n", c.SkipWIP, c.SkipPriv)
	fmt.Fprintf(b, "    limits: {pace: 0s, per-pass: %d}\n    red-parents: %s\n", c.PerPass, c.Red)
	b.WriteString(c.report())
	b.WriteString("    workflows:\n")
	for _, w := range c.workflows() {
		fmt.Fprintf(b, "      - {file: %s, %s%strivial-rebase: %s, no-code-change: %s, optional: %v}\n", w.file, gates[c.Gate], filters[w.filter], c.Rebase, c.Reword, w.optional)
	}
}

func (c config) report() string {
	commands := map[string]string{"all": "{}", "owner": "{owner: true, groups: [core]}", "off": "{off: true}"}[c.Commands]
	switch c.Tell {
	case "label":
		return fmt.Sprintf("    report: {label: Verified, started: %s, nothing-to-run: %s, commands: %s}\n", c.Started, c.Nothing, commands)
	case "messages":
		return fmt.Sprintf("    report: {messages: true, nothing-to-run: %s, commands: %s}\n", c.Nothing, commands)
	}
	return ""
}
