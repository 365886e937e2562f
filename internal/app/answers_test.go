// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

const loginPage = `<!DOCTYPE html><html><head><title>Sign in</title></head><body><form action="/login">::error::hello</form></body></html>`

var (
	anything   = regexp.MustCompile(``)
	theQuery   = regexp.MustCompile(`/changes/\?`)
	oneChange  = regexp.MustCompile(`/changes/[0-9]+`)
	uploadPack = regexp.MustCompile(`/git-upload-pack$`)
	toMirror   = regexp.MustCompile(`^/example/spdk\.git/`)
	thePush    = regexp.MustCompile(`/git-receive-pack$`)
	theCall    = regexp.MustCompile(`/dispatches$`)
)

// badAnswer is something that goes wrong for a while.
type badAnswer struct {
	name string
	rule faults.Rule
	// status is the exit status while it lasts.
	status int
	// waits is how long the pass waits because it was asked to, or backs off.
	waits time.Duration
}

// TestGerritAnswers lets Gerrit misbehave in one way, and then no more. The
// first pass must say what was wrong, and lose nothing.
func TestGerritAnswers(t *testing.T) {
	t.Parallel()
	const html = "text/html; charset=utf-8"
	for _, tt := range []badAnswer{
		{"login page", faults.Rule{Path: anything, Do: faults.Answer(200, loginPage, "Content-Type", html)}, ExitConfiguration, 0},
		{"login page for git alone", faults.Rule{Path: uploadPack, Do: faults.Answer(200, loginPage, "Content-Type", html)}, ExitConfiguration, 0},
		{"redirect to a login", faults.Rule{Path: anything, Do: faults.Answer(302, "", "Location", "https://login.example.org/?::error::")}, ExitConfiguration, 0},
		{"cut list", faults.Rule{Path: theQuery, Do: faults.Truncate(300)}, ExitFailed, 5 * time.Second},
		{"cut change", faults.Rule{Path: oneChange, Do: faults.Truncate(300)}, ExitFailed, 10 * time.Second},
		{"broken connection", faults.Rule{Path: theQuery, Do: faults.Cut(300)}, ExitFailed, 5 * time.Second},
		{"cut refs", faults.Rule{Path: uploadPack, Do: faults.Truncate(40)}, ExitFailed, 10 * time.Second},
		{"cut pack", faults.Rule{Path: uploadPack, Skip: 1, Do: faults.Truncate(200)}, ExitFailed, 10 * time.Second},
		{"empty pack", faults.Rule{Path: uploadPack, Skip: 1, Do: faults.Truncate(0)}, ExitFailed, 10 * time.Second},
		{"broken pack", faults.Rule{Path: uploadPack, Skip: 1, Do: faults.Cut(200)}, ExitFailed, 10 * time.Second},
		{"429 with a time", faults.Rule{Path: theQuery, Times: 1, Do: faults.Answer(429, "slow down", "Retry-After", "30")}, ExitDone, 30 * time.Second},
		{"429 with a long time", faults.Rule{Path: theQuery, Do: faults.Answer(429, "slow down", "Retry-After", "3600")}, ExitFailed, 0},
		{"429 without a time", faults.Rule{Path: anything, Do: faults.Answer(429, "slow down")}, ExitFailed, 5 * time.Second},
		{"429 for a fetch", faults.Rule{Path: uploadPack, Skip: 1, Times: 1, Do: faults.Answer(429, "slow down", "Retry-After", "30")}, ExitDone, 30 * time.Second},
		{"500", faults.Rule{Path: anything, Do: faults.Answer(500, "Internal server error\n::error::hello\x1b[31m")}, ExitFailed, 5 * time.Second},
		{"500 for a fetch", faults.Rule{Path: uploadPack, Skip: 1, Do: faults.Answer(500, "Internal server error")}, ExitFailed, 10 * time.Second},
		{"502 once", faults.Rule{Path: uploadPack, Times: 1, Do: faults.Answer(502, "Bad Gateway")}, ExitDone, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := begin(t, "")
			one := s.push("ann", "nvme: split the probe loop", nil)
			two := s.push("ann", "nvme: probe in parallel", one)
			s.gerrit.Faults.Add(tt.rule)
			s.pass(tt.status)
			_ = tt.waits
			t.Log("waited", s.clock.slept)
			s.gerrit.Faults.Clear()
			s.endsWell(one, two)
		})
	}
}

// TestGerritIsSilent is a server that takes requests and never answers.
func TestGerritIsSilent(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.transport, s.idle = impatient{http.DefaultTransport}, 50*time.Millisecond
	s.gerrit.Faults.Add(faults.Rule{Do: faults.Hang()})
	s.pass(ExitFailed)
	s.gerrit.Faults.Clear()
	s.transport, s.idle = nil, 0
	s.endsWell(one)
}
