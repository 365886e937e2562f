// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// passes answers comments until nothing is left to answer, and returns how many of
// each account's were, and after how many passes its first one.
func passes(t *testing.T, s *Snapshot, p Policy) (answered, first map[int]int, last Decision) {
	t.Helper()
	writers := map[string]int{}
	for _, m := range s.Change.Messages {
		writers[m.ID] = m.Author.ID
	}
	answered, first = map[int]int{}, map[int]int{}
	for pass := 1; ; pass++ {
		last = Decide(*s, p, noon)
		if last.Reply == "" {
			return answered, first, last
		}
		for _, id := range ParseResidue(last.Reply).Replies {
			if answered[writers[id]]++; first[writers[id]] == 0 {
				first[writers[id]] = pass
			}
		}
		m := answer(last.Reply)
		m.ID = fmt.Sprint("reply", pass)
		if s.Change.Messages = append(s.Change.Messages, m); pass > 1000 {
			t.Fatal("there is no end")
		}
	}
}

// TestNobodyIsDeafened: what one person writes takes nothing from anybody else.
func TestNobodyIsDeafened(t *testing.T) {
	t.Parallel()
	eve := change.Account{ID: 66, Username: "eve"}
	s := world()
	for i := range 3 * maxOfAuthor {
		s.Change.Messages = append(s.Change.Messages, change.Message{ID: fmt.Sprint("e", i), Author: eve, Patchset: 3, Text: "recheck x.yml", At: noon.Add(-time.Hour)})
	}
	s.Change.Messages = append(s.Change.Messages, change.Message{ID: "a", Author: ann, Patchset: 3, Text: "recheck", At: noon.Add(-time.Minute)})
	answered, first, last := passes(t, &s, policy)
	if answered[eve.ID] != maxOfAuthor || answered[ann.ID] != 1 || first[ann.ID] != 1 {
		t.Errorf("got %d of eve's and %d of ann's, from pass %d on; want %d, 1 and 1", answered[eve.ID], answered[ann.ID], first[ann.ID], maxOfAuthor)
	}
	if got := fmt.Sprint(last.PassedOver); got != fmt.Sprintf("[{{66 eve  } %d}]", 2*maxOfAuthor) {
		t.Errorf("got %s passed over", got)
	}
	// The next patchset begins anew, and nothing of the old one is carried out there.
	s.Change.Current.Number = 4
	if d := Decide(s, policy, noon); d.Reply != "" {
		t.Errorf("got the answer %q on the next patchset", d.Reply)
	}
	s.Change.Messages = append(s.Change.Messages, change.Message{ID: "e", Author: eve, Patchset: 4, Text: "recheck", At: noon})
	if d := Decide(s, policy, noon); len(d.Actions) != 1 || d.Actions[0].Kind != Rerun {
		t.Errorf("got %s on the next patchset", tell(d))
	}
}

// TestNobodyIsCrowdedOut: long answers leave room for somebody else's.
func TestNobodyIsCrowdedOut(t *testing.T) {
	t.Parallel()
	s := world()
	s.Workflows = nil
	for i := range maxNames {
		s.Workflows = append(s.Workflows, Workflow{Name: fmt.Sprintf("%02d%s.yml", i, strings.Repeat("w", 90)), Gate: fmt.Sprint("waits for ", i, strings.Repeat(" x", 150))})
	}
	for i := range 2 * maxAnswered {
		m := say(change.Account{ID: 66 + i%2}, 3, "recheck\nrecheck "+strings.Repeat("x", 90)+fmt.Sprint(i)+".yml")
		m.ID, m.At = fmt.Sprint("e", i), noon.Add(-time.Hour)
		s.Change.Messages = append(s.Change.Messages, m)
	}
	m := say(ann, 3, "cancel")
	m.ID, m.At = "a", noon.Add(-time.Minute)
	s.Change.Messages = append(s.Change.Messages, m)
	d := Decide(s, policy, noon)
	if !strings.Contains(d.Reply, "Nothing runs or waits for this patchset.") || !strings.Contains(d.Reply, "more answers are left out here") || len(d.Reply) > maxReplyText+2<<10 {
		t.Errorf("got no answer to ann, or all to others, in %d bytes", len(d.Reply))
	}
}

// TestLookups: a comment makes us look up no more issues than may be noted, with some
// to spare, and none once all are noted.
func TestLookups(t *testing.T) {
	t.Parallel()
	s := world(say(ann, 3, "false positive: #1, #2, #3, #4, #5\nfalse positive: #6, #7, #8"), say(ann, 3, "false positive: #8, #9, #10, #11, #12"), say(ann, 3, "false positive: #13"))
	s.Runs = []Run{run("autorun.yml", 1, Failed)}
	if d := Decide(s, policy, noon); fmt.Sprint(d.Issues) != "[1 2 3 4 5 6 7 8 9 10]" || len(d.Actions) != 1 || d.Actions[0].Kind != Refuse {
		t.Errorf("got issues %v and\n%s", d.Issues, tell(d))
	}
	m := answer("Noted.\n\nIn-Reply-To: x\nNoted-On: #1\nNoted-On: #2\nNoted-On: #3\nNoted-On: #4\nNoted-On: #5")
	m.At = noon.Add(-100 * time.Minute)
	s.Change.Messages = append(s.Change.Messages, m)
	if d := Decide(s, policy, noon); len(d.Issues) != 0 || len(d.Actions) != 4 || len(ParseResidue(d.Reply).Noted) != 0 {
		t.Errorf("got issues %v and\n%s", d.Issues, tell(d))
	}
}

// TestNotedOnAnEarlierPatchset: the failures of each patchset are noted by themselves.
func TestNotedOnAnEarlierPatchset(t *testing.T) {
	t.Parallel()
	for _, patchset := range []int{2, 3} {
		m := answer("Noted.\n\nIn-Reply-To: x\nNoted-On: #12")
		m.Patchset, m.At = patchset, noon.Add(-100*time.Minute)
		s := world(m, say(ann, 3, "false positive: #12"))
		s.Runs, s.Issues = []Run{run("autorun.yml", 1, Failed)}, map[int]Issue{12: Open}
		if got := ParseResidue(Decide(s, policy, noon).Reply).Noted; (len(got) == 1) != (patchset == 2) {
			t.Errorf("noted for patchset %d: got notes on %v", patchset, got)
		}
	}
}

// TestHelpOnce: a person gets the list once on a patchset, and all else is answered.
func TestHelpOnce(t *testing.T) {
	t.Parallel()
	p := policy
	p.Called = []string{"ci"}
	s := world(say(ann, 3, "help"), say(bob, 3, "@ci what is this?"), say(ann, 3, "help\nrecheck docs"), say(ann, 3, "@ci hello"), say(bob, 3, "help"), say(ann, 3, "Thanks."))
	answered, _, last := passes(t, &s, p)
	if answered[ann.ID] != 2 || answered[bob.ID] != 1 {
		t.Errorf("got %d answers to ann and %d to bob, want 2 and 1", answered[ann.ID], answered[bob.ID])
	}
	if got := fmt.Sprint(last.PassedOver); got != "[{{1 ann  } 1} {{2 bob  } 1}]" {
		t.Errorf("got %s passed over", got)
	}
	lists := 0
	for _, m := range s.Change.Messages {
		lists += strings.Count(m.Text, "- `help`: this list")
	}
	if lists != 1 { // both were in one reply, where the same is said once
		t.Errorf("got the list %d times, want once", lists)
	}
	s.Change.Current.Number = 4
	m := say(ann, 4, "help")
	m.ID, m.At = "again", noon
	s.Change.Messages = append(s.Change.Messages, m)
	if d := Decide(s, p, noon); len(d.Actions) != 1 {
		t.Errorf("got %s on the next patchset, want the list", tell(d))
	}
}

// TestLimitsOfMany lets many people write at random: each one's limit holds, for
// nobody else, and whoever writes little is answered at once.
func TestLimitsOfMany(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := world()
		wrote := map[int]int{}
		people := 1 + r.IntN(8)
		for i := range r.IntN(300) {
			who := 100 + r.IntN(1+r.IntN(people))
			wrote[who]++
			s.Change.Messages = append(s.Change.Messages, change.Message{ID: fmt.Sprint("m", i), Author: change.Account{ID: who}, Patchset: 3,
				Text: []string{"recheck", "recheck x.yml", "cancel", "rechek"}[r.IntN(4)], At: noon.Add(time.Duration(i-400) * time.Minute / 10)})
		}
		answered, first, last := passes(t, &s, policy)
		for who, n := range wrote {
			if answered[who] != min(n, maxOfAuthor) {
				t.Errorf("seed %d: got %d answers to %d, who wrote %d", seed, answered[who], who, n)
			}
			if first[who] != 1 {
				t.Errorf("seed %d: %d is answered for the first time in pass %d", seed, who, first[who])
			}
		}
		for _, over := range last.PassedOver {
			if over.Count != wrote[over.Author.ID]-maxOfAuthor {
				t.Errorf("seed %d: got %d comments of %d passed over, who wrote %d", seed, over.Count, over.Author.ID, wrote[over.Author.ID])
			}
		}
	}
}
