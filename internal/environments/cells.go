// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Allowances around a test's own time limit, in minutes: for what a job does
// before and after, and for the wait until a leased host is free.
const (
	aroundMinutes = 30
	leaseMinutes  = 60
)

// Plan is the job matrix.
type Plan struct {
	// Cells has an entry for each kind; a list may be empty, never nil.
	Cells map[Kind][]Cell
	// Lab are the cells whose runners are not GitHub's own.
	Lab []Waiting
}

// Waiting is a cell that waits for a runner of a lab.
type Waiting struct {
	Name   string   `json:"name"`
	Labels []string `json:"labels"`
	// Optional ones are given up alone.
	Optional bool `json:"optional,omitempty"`
}

// LabSuffix ends the names of jobs for optional environments in a lab. They are
// jobs of their own in the workflow, for which nothing waits: GitHub can end no job
// alone, so that one of a lab which is offline would hold up all that need it.
const LabSuffix = " (optional lab)"

// Make spreads environments over jobs. Shards is for environments that do not
// say themselves; no job is made that would test nothing.
func Make(list []Environment, shards int) (Plan, error) {
	p := Plan{Cells: map[Kind][]Cell{}, Lab: []Waiting{}}
	for _, k := range Kinds() {
		p.Cells[k] = []Cell{}
	}
	if shards < 1 || shards > maxCells {
		return p, fault.New(fault.Configuration, "the input shards is %d", shards).WithHint("write a number from 1 to %d", maxCells)
	}
	for _, e := range list {
		n := e.Shards
		if n == 0 {
			n = shards
		}
		if len(e.Tests) > 0 {
			n = min(n, len(e.Tests))
		}
		for i := range n {
			c, err := e.cell(i, n)
			if err != nil {
				return p, err
			}
			p.Cells[e.Kind] = append(p.Cells[e.Kind], c)
			if !hosted(e.RunsOn) {
				p.Lab = append(p.Lab, Waiting{c.Name, e.RunsOn, c.Optional})
			}
		}
	}
	for _, k := range Kinds() {
		if n := len(p.Entries(k)); n > maxCells {
			return p, fault.New(fault.Configuration, "the environments of kind %s make %d jobs", k, n).
				WithHint("use fewer shards: GitHub allows %d jobs", maxCells)
		}
	}
	if n := len(p.OptionalLabs()); n > maxCells {
		return p, fault.New(fault.Configuration, "the optional environments of labs make %d jobs", n).
			WithHint("use fewer shards: GitHub allows %d jobs", maxCells)
	}
	return p, nil
}

func (e *Environment) cell(i, n int) (Cell, error) {
	c := Cell{
		ID: e.Name, Name: e.Name, Environment: e.Name, Kind: e.Kind, RunsOn: e.RunsOn, Image: e.Image, Command: e.Command,
		Conf: e.conf(i, n), Shard: i + 1, Shards: n, Minutes: e.Minutes, JobMinutes: e.Minutes + aroundMinutes,
		Results: e.Results, Optional: e.Optional, DockerOptions: e.DockerOptions,
	}
	if n > 1 {
		// No name has a '+' in it, so no other cell has this id.
		c.ID, c.Name = fmt.Sprintf("%s+%dof%d", e.Name, i+1, n), fmt.Sprintf("%s (%d/%d)", e.Name, i+1, n)
	}
	if c.inOptionalLab() {
		c.Name += LabSuffix
	}
	if e.Kind == Metal {
		c.JobMinutes += leaseMinutes
		c.LeaseWait, c.LeaseFor = fmt.Sprintf("%dm", leaseMinutes), fmt.Sprintf("%dm", e.Minutes+aroundMinutes)
	}
	text, err := json.Marshal(e.Machine)
	c.Machine = string(text)
	return c, err
}

// conf writes a shard's auto.conf, which a shell sources.
func (e *Environment) conf(shard, shards int) string {
	var b strings.Builder
	for _, line := range e.Variables {
		name, value, _ := strings.Cut(line, "=")
		fmt.Fprintf(&b, "%s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
	}
	for i, name := range e.Tests {
		on := 0
		if i%shards == shard {
			on = 1
		}
		fmt.Fprintf(&b, "%s=%d\n", name, on)
	}
	return b.String()
}

// hostedForm are the labels of GitHub's own Linux runners. Anything else may be
// a runner of somebody's own, or a mistake; nobody can tell in advance.
var hostedForm = regexp.MustCompile(`^ubuntu-(latest|slim|[0-9]{2}\.04(-arm)?)$`)

// inOptionalLab reports whether the run does not wait for a cell.
func (c Cell) inOptionalLab() bool { return c.Optional && !hosted(c.RunsOn) }

func hosted(labels []string) bool { return len(labels) == 1 && hostedForm.MatchString(labels[0]) }
