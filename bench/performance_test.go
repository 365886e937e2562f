// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

var (
	write  = flag.Bool("write", false, "write docs/performance.md")
	rounds = flag.Int("rounds", 5, "how often each measurement is repeated")
	clones = flag.Int("clones", 3, "how often the project is cloned for the baseline")
)

// numbers are what one source server gives.
type numbers struct {
	source       string // what kind of server it is
	baseline     baseline
	one, hundred work
	// Passes over an empty mirror, and with nothing to do.
	fromEmpty, idle pass
}

// work is what it takes to bring some new patchsets to the mirror.
type work struct {
	source, mirror sample // each server alone, with the same pack
	relay          sample // both, with the relay between them
	pass           pass   // the whole program
	thin, sent     int64  // C git's pack, and the source's
}

// TestPerformance measures everything and prints, or writes, the page about it.
func TestPerformance(t *testing.T) {
	page := page{machine: describeMachine(t), project: packBytes(t, projectRepository(t))}
	for _, bitmaps := range []bool{true, false} {
		t.Run(fmt.Sprintf("bitmaps=%t", bitmaps), func(t *testing.T) {
			n := measureServer(t, bitmaps)
			page.servers = append(page.servers, n)
			var b strings.Builder
			n.section(&b)
			t.Log(b.String())
		})
	}
	t.Run("program", func(t *testing.T) {
		w := newWorld(t, true)
		page.snapshot = w.measureSnapshot(t, *rounds)
		page.start = w.measureStart(t, 4**rounds)
		page.binary = binarySize(t)
		page.plan, page.index = measurePlan(t)
		page.guest = measureGuest(t, w.bin, *rounds)
	})
	t.Run("images", func(t *testing.T) { page.images = measureTransfers(t, *rounds) })
	if t.Failed() {
		return // half a page helps nobody
	}
	text := page.markdown()
	t.Log("\n" + text)
	if *write {
		must(t, os.WriteFile("../docs/performance.md", []byte(text), 0o644))
	}
}

func measureServer(t *testing.T, bitmaps bool) numbers {
	t.Helper()
	ctx := t.Context()
	w := newWorld(t, bitmaps)
	n := numbers{source: "without bitmaps"}
	if bitmaps {
		n.source = "with bitmaps"
	}
	tip, err := rig.Git{Dir: w.seed}.Run(ctx, "rev-parse", "refs/heads/master")
	must(t, err)
	haves := []string{tip}
	one, err := w.gerrit.Changes(ctx, "topic:"+oneTopic)
	must(t, err)
	hundred, err := w.gerrit.Changes(ctx, "topic:"+hundredTopic)
	must(t, err)
	if len(one) != 1 || len(hundred) != 100 {
		t.Fatalf("got %d and %d changes, want 1 and 100", len(one), len(hundred))
	}

	w.warmUp(t, hundred, haves)
	n.one = w.measureWork(t, one, haves, "topic:"+oneTopic)
	n.hundred = w.measureWork(t, hundred, haves, "topic:"+hundredTopic)
	n.fromEmpty = w.measurePass(t, 1, "topic:"+oneTopic, 1, true)
	n.idle = w.measureIdle(t, *rounds)
	n.baseline = w.measureBaseline(t, *clones, hundred)
	return n
}

func (w *world) measureWork(t *testing.T, changes []rig.Change, haves []string, query string) work {
	t.Helper()
	ctx := t.Context()
	var (
		m    work
		pack []byte
	)
	m.source = repeat(t, *rounds, func() error {
		answer, err := w.fetch(ctx, revisions(changes), haves)
		if err == nil {
			pack, err = packOf(answer)
		}
		return err
	})
	m.sent = int64(len(pack))
	for range *rounds {
		mirror := w.newMirror(t)
		m.mirror = append(m.mirror, repeat(t, 1, func() error { return w.push(ctx, mirror, changes, pack) })...)
		w.dropMirror(t, mirror)
	}
	m.relay = w.measureRelay(t, *rounds, changes, haves[0])
	m.pass = w.measurePass(t, *rounds, query, len(changes), false)
	var err error
	m.thin, err = w.thinPack(ctx, revisions(changes), haves)
	must(t, err)
	return m
}

// warmUp lets Java compile what the measurements use, in both ways of working.
func (w *world) warmUp(t *testing.T, changes []rig.Change, haves []string) {
	t.Helper()
	for range 20 {
		_, err := w.fetch(t.Context(), revisions(changes), haves)
		must(t, err)
		_, err = w.fetch(t.Context(), revisions(changes[:1]), haves)
		must(t, err)
	}
	w.measureBaseline(t, 1, changes[:10])
	w.measurePass(t, 2, "topic:"+oneTopic, 1, false)
}

func revisions(changes []rig.Change) []string {
	var all []string
	for _, c := range changes {
		all = append(all, c.Revision)
	}
	return all
}
