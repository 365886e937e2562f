// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/app"
)

// pass is one run of "dispatcher sync" or "report".
type pass struct {
	step           int
	at             time.Time
	name           string
	status         int
	stdout, stderr string
	writes         []string
	healthy        bool // nothing went wrong on purpose
	// projects are what stdout says as JSON, nil where it says nothing.
	projects []projectReport
}

// projectReport is what a pass says of one project.
type projectReport struct {
	Project  string
	Listed   int
	UpToDate int `json:"up_to_date"`
	Running  int
	NotRead  int `json:"not_read"`
	Closed   int `json:"closed_meanwhile"`
	Actions  []line
	Problems []struct{ Kind, Text string }
	Warnings []string
}

// line is one action of a pass.
type line struct {
	Verb, State, Branch, Reason, Key string
	Change, Patchset                 int
}

// counted is how many changes have no line, by the pass's own word.
func (r projectReport) counted() int { return r.UpToDate + r.Running + r.NotRead + r.Closed }

func readReport(stdout string) ([]projectReport, error) {
	var all struct{ Projects []projectReport }
	err := json.Unmarshal([]byte(stdout), &all)
	return all.Projects, err
}

// text is the report in short, for people.
func (p *pass) text() string {
	var b strings.Builder
	for _, r := range p.projects {
		fmt.Fprintf(&b, "  %s: %d without a line\n", r.Project, r.counted())
		for _, l := range r.Actions {
			fmt.Fprintf(&b, "    %-10s %-10s %s%d/%d %s %s\n", l.Verb, l.State, l.Branch, l.Change, l.Patchset, l.Key, l.Reason)
		}
		for _, problem := range r.Problems {
			fmt.Fprintf(&b, "    problem: %s: %s\n", problem.Kind, problem.Text)
		}
		for _, warning := range r.Warnings {
			fmt.Fprintf(&b, "    warning: %s\n", warning)
		}
	}
	return b.String()
}

// of is what a pass says of a site's project.
func (p *pass) of(s *site) projectReport {
	i := slices.IndexFunc(p.projects, func(r projectReport) bool { return r.Project == s.name })
	if i < 0 {
		return projectReport{Project: s.name}
	}
	return p.projects[i]
}

// about are the lines about a change, those about an older patchset left out.
func (p *pass) about(c *subject) []line {
	return slices.DeleteFunc(slices.Clone(p.of(c.site).Actions), func(l line) bool {
		return l.Change != c.Number() || l.Patchset != 0 && l.Patchset != c.current()
	})
}

// names reports whether a line is about a patchset.
func (p *pass) names(c *subject) bool { return len(p.about(c)) > 0 }

// dispatch runs the program once, and writes down what it did.
func (w *world) dispatch(name string, args []string, on *wire) *pass {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	on.net, on.cancel = w.net, cancel
	p := &pass{step: w.step, at: w.clock.Now(), name: name}
	var out, errs bytes.Buffer
	a := &app.App{
		Stdout: &out, Stderr: &errs, Now: w.clock.Now, Sleep: w.clock.Sleep, Version: "soak", Transport: on,
		Getenv: func(name string) string { return w.env[name] },
		ReadFile: func(name string) ([]byte, error) {
			if name == ".github/dispatcher.yml" {
				return []byte(w.yaml), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
	}
	p.status = a.Main(ctx, args)
	p.stdout, p.stderr, p.writes = out.String(), errs.String(), on.writes
	shown := p.stdout
	if said, err := readReport(p.stdout); err == nil {
		p.projects = said
		shown = p.text()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passes = append(w.passes, p)
	w.trace("  [%s] %s, status %d\n%s%s", p.at.Format("2 15:04:05"), name, p.status, shown, p.stderr)
	return p
}

// pass makes a pass under the faults that are armed.
func (w *world) pass(on *wire) *pass {
	w.clock.advance(10 * time.Minute)
	on.faults, w.armed = w.armed, nil
	lag, well := w.net.lag, w.well()
	p := w.dispatch("sync", []string{"sync", "--json"}, on)
	p.healthy = len(on.faults) == 0 && on.kill == 0 && !lag && on.held == nil && well && (w.config.Lag == "0s" || w.calm)
	w.net.lag = false
	w.settle()
	w.afterPass(p)
	return p
}

// well reports whether no mirror is in trouble.
func (w *world) well() bool {
	return !slices.ContainsFunc(w.sites, func(s *site) bool { return s.memory != nil && s.memory.mood != "well" })
}

// both lets two dispatchers work at the same time: the first makes so many
// writes, the second then so many, the first ends, and then the second.
func (w *world) both(first, second int) {
	w.clock.advance(10 * time.Minute)
	var wires [2]*wire
	var ended [2]chan *pass
	for i, n := range []int{first, second} {
		wires[i] = &wire{hold: n, held: make(chan struct{}), goOn: make(chan struct{})}
		ended[i] = make(chan *pass, 1)
		held := wires[i].held
		go func() {
			ended[i] <- w.dispatch(fmt.Sprintf("dispatcher %d", i+1), []string{"sync", "--json"}, wires[i])
		}()
		select {
		case <-held:
		case p := <-ended[i]:
			ended[i] <- p
		}
	}
	for i := range wires {
		close(wires[i].goOn)
		p := <-ended[i]
		w.settle()
		w.afterPass(p)
	}
}
