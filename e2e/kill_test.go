// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

var (
	kills    = flag.Int("kills", 50, "how often TestKill kills the dispatcher")
	killSeed = flag.Uint64("kill-seed", 20260102, "seed of TestKill's delays and changes")
)

// killGrace is how long a claim may stand without a run: short, so that the
// test need not wait long, and much longer than all calls of one pass take here.
const killGrace = 3 * time.Second

// patience is how many calls of one patchset may be lost before a pass is left
// alone. One that loses five is given up for good, which is a bound of the
// program's and not what this test is about.
const patience = 4

// TestKill kills the dispatcher at random points while new changes come in, and
// then lets it finish in peace: whatever a dead pass had done, every patchset
// is relayed and started exactly once.
func TestKill(t *testing.T) {
	s := newScene(t, "kill", *killSeed, settings{grace: killGrace})
	rng := rand.New(rand.NewPCG(*killSeed, 2))
	all := s.author.writeThirty()
	twin := s.twin(settings{grace: killGrace})
	span := twin.measure()
	t.Logf("a pass over %d new changes takes %s", len(all), span.Round(time.Millisecond))

	hits, seen := map[string]int{}, s.readLedger()
	killed, ended := 0, 0
	for killed < *kills {
		kill := time.After(time.Duration(rng.Int64N(int64(span))))
		if seen.mostAttempts() >= patience {
			kill = nil // the program gives a patchset up after so many lost calls
		}
		r := s.run(kill)
		now := s.readLedger()
		phase := seen.phase(now)
		switch {
		case !r.Killed && r.Code != 0:
			t.Fatalf("a pass that nobody killed failed: %s", r)
		case !r.Killed: // they have less to do than the first one had
			ended++
			span = span * 85 / 100
		case phase == reading:
			span = span * 115 / 100
		}
		if r.Killed {
			killed++
			hits[phase]++
		}
		if !r.Killed || rng.IntN(3) > 0 {
			s.moreWork(rng, &all)
		}
		seen = now
	}
	t.Logf("%d kills; %d passes ended before they were hit", killed, ended)
	for _, phase := range slices.Sorted(maps.Keys(hits)) {
		t.Logf("  %2d hit it %s", hits[phase], phase)
	}
	t.Logf("after the kills: %s", seen)

	passes := s.calm()
	end := s.readLedger()
	t.Logf("after %d calm passes: %s; %d claims are second attempts", passes, end, end.secondAttempts())
	s.checkAll()
}

// TestKillAtCall kills the dispatcher at the two moments that matter most: when
// it has claimed a run but its call goes nowhere, and when the run was started
// but nobody heard the answer.
func TestKillAtCall(t *testing.T) {
	for _, c := range []struct {
		name   string
		skip   int // calls that go well before
		served bool
	}{
		{"first call not served", 0, false},
		{"second call not served", 1, false},
		{"first call served", 0, true},
		{"last call served", 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, "kill-"+strings.ReplaceAll(c.name, " ", "-"), 13, settings{grace: killGrace})
			s.author.stack("stack", 4)
			kill, dead := make(chan time.Time), make(chan struct{})
			s.hub.Faults.Add(faults.Rule{
				Method: "POST", Path: regexp.MustCompile(`/dispatches$`), Skip: c.skip, Times: 1,
				Do: func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if c.served {
							next.ServeHTTP(httptest.NewRecorder(), r)
						}
						close(kill)
						<-dead
						panic(http.ErrAbortHandler)
					})
				},
			})
			r := s.run(kill)
			close(dead)
			if !r.Killed {
				t.Fatalf("the pass was not killed: %s", r)
			}
			now, runs := s.readLedger(), c.skip
			if c.served {
				runs++
			}
			if len(now.claims) != 4 || len(now.runs) != runs || len(now.records) != 0 {
				t.Errorf("after the kill: got %s; want 4 claims, %d runs, none recorded", now, runs)
			}
			s.calm()
			s.checkAll()
			if got, want := s.readLedger().secondAttempts(), 4-runs; got != want {
				t.Errorf("got %d second attempts, want %d", got, want)
			}
		})
	}
}

// measure returns how long a pass takes over all that is new.
func (s *scene) measure() time.Duration {
	s.t.Helper()
	r := s.run(nil)
	if r.Code != 0 {
		s.t.Fatalf("the measured pass failed: %s", r)
	}
	return r.Wall
}

// moreWork pushes what happens between two passes: new changes mostly,
// sometimes a new patchset of an old one, sometimes the end of one.
func (s *scene) moreWork(rng *rand.Rand, all *[]*draft) {
	s.t.Helper()
	switch a := s.author; rng.IntN(6) {
	case 0:
		d := (*all)[rng.IntN(len(*all)-1)]
		if s.author.onServer(d).Status != "NEW" {
			return
		}
		a.amend(d)
		a.push(d, "")
	case 1:
		d := (*all)[rng.IntN(len(*all))]
		if c := a.onServer(d); c.Status == "NEW" {
			must(s.t, world.gerrit.Act(s.t.Context(), c.Number, "abandon", nil))
		}
	default:
		*all = append(*all, a.stack(fmt.Sprintf("more work %d", len(*all)), 1+rng.IntN(3))...)
	}
}

// maxCalm bounds how many passes may be needed to put everything in order.
const maxCalm = 12

// calm runs passes until one has nothing to do and returns how many it took.
func (s *scene) calm() int {
	s.t.Helper()
	for n := 1; n <= maxCalm; n++ {
		r := s.pass()
		if r.Totals.Relayed+r.Totals.Dispatched+r.Totals.Waiting+r.Totals.Failed == 0 {
			return n
		}
		select {
		case <-s.t.Context().Done():
		case <-time.After(killGrace):
		}
	}
	s.t.Fatalf("there is still something to do after %d passes: %s", maxCalm, s.run(nil))
	return 0
}

// mostAttempts returns how often a patchset without a run was claimed at most.
func (l ledger) mostAttempts() int {
	most, started := map[string]int{}, map[string]bool{}
	for key := range l.runs {
		started[key[:strings.LastIndexByte(key, '/')]] = true
	}
	for key := range l.claims {
		i := strings.LastIndexByte(key, '/')
		if n, _ := strconv.Atoi(key[i+1:]); !started[key[:i]] {
			most[key[:i]] = max(most[key[:i]], n)
		}
	}
	n := 0
	for _, attempts := range most {
		n = max(n, attempts)
	}
	return n
}

// secondAttempts counts the claims whose first call was never made.
func (l ledger) secondAttempts() int {
	n := 0
	for key := range l.claims {
		if !strings.HasSuffix(key, "/1") {
			n++
		}
	}
	return n
}
