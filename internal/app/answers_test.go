// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

const loginPage = `<!DOCTYPE html><html><head><title>Sign in</title></head><body><form action="/login">::error::hello</form></body></html>`

var (
	theQuery   = regexp.MustCompile(`/changes/\?`)
	theGroup   = regexp.MustCompile(`/groups/`)
	oneChange  = regexp.MustCompile(`/changes/[^?]*~[0-9]+`)
	uploadPack = regexp.MustCompile(`/git-upload-pack$`)
)

// trouble is something that goes wrong for a while.
type trouble struct {
	name  string
	rules []faults.Rule
	// status is the exit status while it lasts.
	status int
	// waits is how long the pass waits before it gives up or gets through.
	waits time.Duration
}

// play lets each trouble begin, last for one pass over a new change, and end.
// The pass must say what is wrong, and nothing may be lost or done twice.
func (s *story) play(where *faults.Set, troubles []trouble) {
	s.Helper()
	var all []*gerrit.Change
	for _, tr := range troubles {
		c := s.push("ann", "bdev: "+tr.name, nil)
		for _, rule := range tr.rules {
			where.Add(rule)
		}
		s.says(tr.name)
		s.clock.slept = 0
		s.pass(tr.status)
		if s.clock.slept != tr.waits {
			s.Errorf("%s: the pass waited %v, want %v", tr.name, s.clock.slept, tr.waits)
		}
		where.Clear()
		s.recovers(c)
		all = append(all, c)
	}
	s.endsWell(all...)
}

var (
	page = faults.Answer(200, loginPage, "Content-Type", "text/html; charset=utf-8")
	busy = faults.Answer(429, "slow down")
)

func busyFor(seconds string) func(http.Handler) http.Handler {
	return faults.Answer(429, "slow down", "Retry-After", seconds)
}

func one(r faults.Rule) []faults.Rule { return []faults.Rule{r} }

// TestGerritAnswers lets all of Gerrit, or its REST API, answer wrongly.
func TestGerritAnswers(t *testing.T) {
	t.Parallel()
	s := begin(t, "limits: {pace: 0s}")
	s.play(&s.gerrit.Faults, []trouble{
		{"A login page answers everything.", one(faults.Rule{Do: page}), ExitConfiguration, 0},
		{"Everything is sent on to a login page.", []faults.Rule{
			{Path: regexp.MustCompile(`^/login/`), Do: page},
			{Do: faults.Answer(302, "", "Location", "/login/")},
		}, ExitConfiguration, 0},
		{"The list is sent on to another server.", one(faults.Rule{Path: theQuery, Do: faults.Answer(302, "", "Location", "http://127.0.0.1:1/?::error::")}), ExitConfiguration, 0},
		{"The list is cut, in good form.", one(faults.Rule{Path: theQuery, Do: faults.Truncate(300)}), ExitFailed, 5 * time.Second},
		{"The connection breaks in the list.", one(faults.Rule{Path: theQuery, Do: faults.Cut(300)}), ExitFailed, 5 * time.Second},
		{"One change is cut.", one(faults.Rule{Path: oneChange, Do: faults.Truncate(300)}), ExitFailed, 5 * time.Second},
		{"429 once for the list, with a time.", one(faults.Rule{Path: theQuery, Times: 1, Do: busyFor("30")}), ExitDone, 30 * time.Second},
		{"429 for everything, with a time that is too long.", one(faults.Rule{Do: busyFor("3600")}), ExitFailed, 0},
		{"429 for everything, without a time.", one(faults.Rule{Do: busy}), ExitFailed, 15 * time.Second},
		{"500 for everything.", one(faults.Rule{Do: faults.Answer(500, "Internal server error\n::error::hello\x1b[31m")}), ExitFailed, 15 * time.Second},
		{"403 for the list.", one(faults.Rule{Path: theQuery, Do: faults.Answer(403, "Forbidden")}), ExitConfiguration, 0},
		{"404 for everything.", one(faults.Rule{Do: faults.Answer(404, "Not Found")}), ExitConfiguration, 0},
	})
}

// TestGerritFetches lets git's side of Gerrit answer wrongly: the first request
// lists the branches, the second one asks for the pack.
func TestGerritFetches(t *testing.T) {
	t.Parallel()
	s := begin(t, "limits: {pace: 0s}")
	s.play(&s.gerrit.Faults, []trouble{
		{"A login page answers git.", one(faults.Rule{Path: uploadPack, Do: page}), ExitConfiguration, 0},
		{"The list of branches is cut.", one(faults.Rule{Path: uploadPack, Do: faults.Truncate(40)}), ExitFailed, 10 * time.Second},
		{"The pack is cut, in good form.", one(faults.Rule{Path: uploadPack, Skip: 1, Do: faults.Truncate(200)}), ExitFailed, 10 * time.Second},
		{"The pack is empty.", one(faults.Rule{Path: uploadPack, Skip: 1, Do: faults.Truncate(0)}), ExitFailed, 10 * time.Second},
		{"The connection breaks in the pack.", one(faults.Rule{Path: uploadPack, Skip: 1, Do: faults.Cut(200)}), ExitFailed, 10 * time.Second},
		{"429 once for the branches, with a time.", one(faults.Rule{Path: uploadPack, Times: 1, Do: busyFor("30")}), ExitDone, 30 * time.Second},
		{"429 once for the pack, with a time.", one(faults.Rule{Path: uploadPack, Skip: 1, Times: 1, Do: busyFor("30")}), ExitDone, 30 * time.Second},
		{"500 for the pack.", one(faults.Rule{Path: uploadPack, Skip: 1, Do: faults.Answer(500, "Internal server error")}), ExitFailed, 10 * time.Second},
		{"502 once for the branches.", one(faults.Rule{Path: uploadPack, Times: 1, Do: faults.Answer(502, "Bad Gateway")}), ExitDone, 2 * time.Second},
	})
}

// TestSilence has servers that take requests and never answer. Each client ends
// that by its own deadline, which is short here.
func TestSilence(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	one := s.push("ann", "nvme: split the probe loop", nil)
	silence := faults.Rule{Do: faults.Hang()}
	s.says("Gerrit and the mirror are silent.")
	s.gerrit.Faults.Add(silence)
	s.github.Faults.Add(silence)
	s.transport, s.idle = impatient{regexp.MustCompile(`/changes/`)}, 50*time.Millisecond
	s.pass(ExitFailed)
	s.says("The job is ended meanwhile.")
	ctx, end := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer end()
	s.transport, s.idle = nil, 0
	s.written(s.run(ctx, "sync"), "sync")
	s.gerrit.Faults.Clear()
	s.github.Faults.Clear()
	s.says("GitHub's REST API is silent.")
	silence.Path = theAPI
	s.github.Faults.Add(silence)
	s.transport = impatient{theAPI}
	s.pass(ExitFailed)
	s.says("And that when it should start a run.")
	s.github.Faults.Clear()
	silence.Path = theCall
	s.github.Faults.Add(silence)
	s.transport = impatient{theCall}
	s.pass(ExitDone)
	s.github.Faults.Clear()
	s.transport = nil
	s.clock.advance(15 * time.Minute)
	s.recovers(one)
	s.endsWell(one)
}
