// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// refusedContent is how many of a hundred patchsets hold something that the mirrors
// refuse.
const refusedContent = 4

// dice draws a history.
type dice struct {
	*rand.Rand
	h     history
	names []string
}

// generate draws the history of a seed.
func generate(seed uint64) history {
	d := &dice{Rand: rand.New(rand.NewPCG(seed, 12)), h: history{seed: seed}}
	d.h.config = d.config()
	d.upload()
	d.add("pass")
	for n := 10 + d.IntN(50); len(d.h.events) < n; {
		d.event()
	}
	return d.h
}

// one draws one of the words; "*3" behind a word makes it three times as likely.
func (d *dice) one(words ...string) string {
	var all []string
	for _, word := range words {
		name, times, given := strings.Cut(word, "*")
		n, _ := strconv.Atoi(times)
		if !given {
			n = 1
		}
		for range n {
			all = append(all, name)
		}
	}
	return all[d.IntN(len(all))]
}

func (d *dice) chance(percent int) bool { return d.IntN(100) < percent }

func (d *dice) config() config {
	c := plain()
	c.Required = 1 + d.IntN(2)
	c.Optional = d.chance(25)
	c.Rebase, c.Reword = d.one("run", "carry"), d.one("run", "carry")
	c.SkipWIP, c.SkipPriv, c.Sees = d.chance(75), d.chance(60), d.chance(50)
	c.Branches = d.one("all*2", "master")
	c.Tell = d.one("label*8", "messages", "off")
	c.Nothing = d.one("vote*2", "silent")
	c.Filter, c.LintFilter = d.one("none*5", "lib", "notdoc", "master"), d.one("none*3", "lib", "notdoc", "master")
	c.Red = d.one("run*4", "hold")
	c.Commands = d.one("all*3", "owner*2", "off")
	c.Started = d.one("off*3", "message", "reset")
	c.PerPass = []int{5, 5, 5, 1, 2}[d.IntN(5)]
	c.Gone = d.one("none*7", "autorun.yml", "lint.yml")
	c.Copy = d.one("none", "reword", "both")
	c.Lag = d.one("0s*5", "1m", "5m") // seconds are usual, minutes happen with several sites
	c.Git = d.one("memory*24", "real")
	c.Protected = d.one("none*9", "master", "stable", "master-gitea", "stable-gitea")
	c.Gate, c.GateCopy, c.OwnDates = d.one("none*5", "label", "groups", "both"), d.one("none", "same*2", "all"), d.chance(30)
	c.Projects = []int{1, 1, 2}[d.IntN(3)]
	return c
}

func (d *dice) add(words ...string) { d.h.events = append(d.h.events, words) }

func (d *dice) name() string { return d.names[d.IntN(len(d.names))] }

func (d *dice) upload() {
	name := fmt.Sprintf("c%d", len(d.names)+1)
	e := event{"upload", name, d.one("ann*2", "bob", "eve"), d.one("master*4", "stable"), d.files()}
	if d.h.config.Projects > 1 && d.chance(50) {
		if e = append(e, "second"); len(d.names) > 0 && d.chance(60) {
			e = append(e, "same="+d.name())
		}
	}
	if len(d.names) > 0 && d.chance(40) {
		e = append(e, "on="+d.name())
	}
	for _, word := range []string{"wip", "private"} {
		if d.chance(8) {
			e = append(e, word)
		}
	}
	d.names = append(d.names, name)
	d.add(e...)
}

// files draws what a patchset touches.
func (d *dice) files() string {
	if d.chance(refusedContent) {
		return d.one("big", "bad", "secret")
	}
	return d.one("lib*4", "doc", "lib+doc")
}

// mirror draws a time in which a mirror is not well.
func (d *dice) mirror() {
	which := d.one("first*2", "second")
	d.add("mirror", which, d.one(slices.Sorted(maps.Keys(moods))...), d.one("0", "1*2", "2", "5"))
	for range 1 + d.IntN(3) {
		d.add("pass")
		if d.chance(40) {
			d.event()
		}
		if d.chance(40) {
			d.add("clock", d.one("10m", "1h*2", "7h"))
		}
	}
	if d.chance(80) {
		d.add("mirror", which, "well")
	}
}

// event draws one event, or two that belong together.
func (d *dice) event() {
	switch d.one("people*36", "work*34", "words*14", "trouble*14", "pass*36") {
	case "people":
		d.people()
	case "work":
		d.work()
	case "words":
		d.words()
	case "trouble":
		d.trouble()
	default:
		d.add("pass")
	}
}

// people draws what people do to changes.
func (d *dice) people() {
	c := d.name()
	switch verb := d.one("upload*4", "amend*5", "rebase*4", "reword*3", "wip*3", "ready*4", "private*2", "public*2", "hide", "show*2", "abandon*3", "restore*4", "move*3", "grow*2", "see", "blind", "place*6"); verb {
	case "upload":
		if len(d.names) < 5 {
			d.upload()
		}
	case "amend":
		e := event{"amend", c, d.files()}
		if d.chance(15) {
			e = append(e, "cora")
		}
		d.add(e...)
	case "move":
		d.add("move", c, d.one("master", "stable"))
	case "place":
		d.place()
	case "grow":
		d.add("grow", d.one("master*3", "stable"))
	case "rebase":
		if d.chance(60) {
			d.add("grow", "master")
		}
		e := event{"rebase", c}
		if d.chance(25) {
			e = append(e, "cora")
		}
		d.add(e...)
	case "see", "blind":
		d.add(verb)
	default:
		d.add(verb, c)
	}
}

// place draws what becomes of tags, of a branch that no change is for, and what people
// put on the mirror.
func (d *dice) place() {
	switch tag := d.one("t1", "t2", "t3", "t4"); d.one("tag*4", "untag*2", "grow*2", "drop*2", "foreign") {
	case "tag":
		d.add("tag", tag, d.one("master*2", "stable", "rel"))
	case "untag":
		d.add("untag", tag)
	case "grow":
		d.add("grow", "rel")
	case "drop":
		d.add("drop", "rel")
	default:
		d.add("foreign", d.one("tags/"+tag, "tags/theirs", "heads/theirs", "heads/rel"))
	}
}

// work draws what becomes of runs.
func (d *dice) work() {
	file := d.one("autorun.yml*3", "lint.yml*2", "extra.yml")
	if verb := d.one("begin*2", "end*6", "reported*2"); verb == "begin" {
		d.add(verb, d.name(), file)
	} else {
		how := draw(d.Uint64(), "").name
		if file == d.h.config.Gone {
			how = "lost"
		}
		d.add(verb, d.name(), file, how)
	}
}

// words draws what people write, and votes that they take off.
func (d *dice) words() {
	c := d.name()
	if d.chance(12) {
		d.add("unvote", c, "cora")
		return
	}
	if d.h.config.Gate != "none" && d.chance(60) {
		d.add("allow", c, d.one("cora*3", "bob", "ann", "eve"), d.one("1*5", "-1", "0*2"))
		return
	}
	who := d.one("ann*3", "bob", "cora*2", "eve*2", "robo", "bot")
	text := d.one("recheck*6", "recheck failed*3", "recheck autorun*1", "recheck lint.yml", "cancel*5", "false positive: #12*3", "help", "I would recheck this.", "false positive: #13", "rechek")
	d.add(append(event{"say", c, who}, strings.Fields(text)...)...)
}

// trouble draws what goes wrong, most of it in the pass that follows.
func (d *dice) trouble() {
	switch verb := d.one("fault*6", "kill*4", "both*3", "lag*2", "forbid*2", "unlabel", "permit*3", "clock*3", "forge*3", "erase*2", "mirror*3"); verb {
	case "fault":
		d.add("fault", faults[d.IntN(len(faults))].kind)
		d.add("pass")
	case "kill":
		d.add("kill", strconv.Itoa(1+d.IntN(6)), d.one("before", "after"))
	case "both":
		d.add("both", strconv.Itoa(d.IntN(5)), strconv.Itoa(d.IntN(5)))
	case "lag":
		d.add("lag")
		d.add("pass")
	case "mirror":
		d.mirror()
	case "clock":
		d.add("clock", d.one("10m*2", "1h", "7h"))
	case "forge":
		d.add("forge", d.name(), d.one("run*2", "carried*2", "claim", "passed", "failed", "lost", "asked", "stopped", "left", "scanned", "pruned", "poisoned*2", "refused*2", "full", "unmoved", "patchset"), d.one("autorun.yml", "lint.yml"), d.one("0*2", "1"))
	case "erase":
		d.add("erase", d.name(), d.one("claims*2", "runs*2", "ended*2", "carried", "asked", "stopped", "poisoned", "changes*3", "scanned", "all"))
	default:
		d.add(verb)
	}
}
