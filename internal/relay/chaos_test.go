// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// chaos is a source and a mirror with every trouble at random, next to a rival
// that writes the same refs.
type chaos struct {
	rng      *rand.Rand
	trouble  int // one call in so many goes wrong; 0 is never
	refs     map[string]string
	ours     map[string]bool // refs that our pushes created
	culprits map[string]bool
	wants    []string // of the latest fetch
	pushes   int
}

func (c *chaos) strike() bool { return c.trouble > 0 && c.rng.IntN(c.trouble) == 0 }

func (c *chaos) Fetch(_ context.Context, q gitwire.FetchRequest) (io.ReadCloser, error) {
	if c.strike() {
		return nil, fault.New(fault.Transient, "busy")
	}
	c.wants = q.Wants
	pack := io.Reader(bytes.NewReader(gitwire.EmptyPack()))
	if c.strike() {
		pack = io.MultiReader(pack, brokenReader{})
	}
	return io.NopCloser(pack), nil
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) {
	return 0, fault.Wrap(fault.Transient, gitwire.ErrTruncated)
}

func (c *chaos) ListRefs(_ context.Context, _ []string, visit func(gitwire.Ref) error) error {
	if c.strike() {
		return fault.New(fault.Transient, "busy")
	}
	for name, oid := range c.refs {
		visit(gitwire.Ref{Name: name, OID: oid})
	}
	return nil
}

// Push does as git would, if nothing goes wrong before, in between or after.
func (c *chaos) Push(_ context.Context, q gitwire.PushRequest) (*gitwire.Report, error) {
	c.pushes++
	defer func() { c.wants = nil }() // the next pack has its own
	if c.strike() {
		return nil, &fault.Error{Kind: fault.Transient, Err: &gitwire.StatusError{Status: []int{429, 502, 408, 503}[c.rng.IntN(4)]}}
	}
	_, source := io.ReadAll(q.Pack)
	if source != nil && c.rng.IntN(2) == 0 {
		return nil, source // nothing arrived; else all but the end mark did
	}
	if c.strike() {
		for range 3 {
			u := q.Commands[c.rng.IntN(len(q.Commands))]
			if c.refs[u.Ref] == "" {
				c.refs[u.Ref] = u.New
			}
		}
	}
	rep := c.apply(q)
	switch {
	case source != nil:
		return nil, source
	case c.strike():
		return nil, fault.New(fault.Transient, "the connection broke")
	}
	return rep, nil
}

func (c *chaos) apply(q gitwire.PushRequest) *gitwire.Report {
	if slices.ContainsFunc(c.wants, func(w string) bool { return c.culprits[w] }) {
		return says(q, "index-pack failed", "unpacker error", "error: object "+string(sha(999))+": badDate: bad date")
	}
	rep := says(q, "ok", "", "")
	for i, u := range q.Commands {
		switch {
		case c.strike():
			rep.Results[i].Reason = "internal server error"
			if c.rng.IntN(2) == 0 {
				continue
			}
		case c.refs[u.Ref] != u.Old:
			rep.Results[i].Reason = "failed to update ref"
		}
		if c.refs[u.Ref] == u.Old {
			c.refs[u.Ref], c.ours[u.Ref] = u.New, true
		}
	}
	return rep
}

// TestChaos: whatever goes wrong, the results say nothing that is not so. This
// is what a dispatch relies on: a claim is Done only if it is ours, and it is
// never another's or undone if it is ours.
func TestChaos(t *testing.T) {
	t.Parallel()
	seen := map[State]int{}
	for seed := range uint64(3000) {
		c := &chaos{rng: rand.New(rand.NewPCG(seed, 3)), trouble: []int{0, 3, 10, 30}[seed%4],
			refs: map[string]string{}, ours: map[string]bool{}, culprits: map[string]bool{}}
		items := c.items(1 + c.rng.IntN(12))
		now := time.Unix(1700000000, 0)
		r := &Relay{
			Source: c, Mirror: c, Allowed: func(string) bool { return true }, Now: func() time.Time { return now },
			Sleep: func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil },
		}
		_, results := r.Move(t.Context(), nil, items)
		if c.pushes > maxPushes {
			t.Errorf("got %d pushes", c.pushes)
		}
		for i, res := range results {
			c.check(t, items[i], res)
			for _, u := range res.Updates {
				seen[u.State]++
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for s := NotTried; s <= Unsettled; s++ {
		if seen[s] < 100 {
			t.Errorf("the state %v came up %d times: the trouble is too tame", s, seen[s])
		}
	}
}

// items makes patchsets with claims, some of them culprits.
func (c *chaos) items(n int) []Item {
	items := make([]Item, n)
	for i := range items {
		id := change.ID{Change: i + 1, Patchset: 1}
		claim := change.Entry{Kind: change.Claim, Key: change.Key{ID: id, Workflow: "ci.yml", Attempt: 1}}
		items[i] = Item{ID: id, Want: sha(i), Updates: []Update{
			{Ref: change.CustomRefs.Ref(id), New: sha(i)}, {Ref: change.CustomLedger.Ref(claim), New: sha(i)}}}
		if c.rng.IntN(12) == 0 {
			c.culprits[string(sha(i))] = true
		}
	}
	return items
}

func (c *chaos) check(t *testing.T, it Item, res ItemResult) {
	t.Helper()
	if res.Refused != "" && !c.culprits[string(it.Want)] {
		t.Errorf("%s is blamed without guilt: %v", it.ID, res.Err)
	}
	if c.trouble == 0 && (res.Refused != "") != c.culprits[string(it.Want)] {
		t.Errorf("%s: refused %q, but a culprit: %v", it.ID, res.Refused, c.culprits[string(it.Want)])
	}
	allDone := true
	for _, u := range res.Updates {
		made := c.ours[u.Ref]
		there := c.refs[u.Ref] == string(u.New)
		allDone = allDone && u.State == Done
		ok := false
		switch u.State {
		case Done:
			ok = there && (made || !isLedger(u.Ref))
		case Existed:
			ok = there && !made && isLedger(u.Ref)
		case Unsettled:
			ok = errors.Is(u.Err, fault.Transient)
		case Refused, NotTried:
			ok = !made
		}
		if !ok || (u.Err == nil) != (u.State == Done) {
			t.Errorf("%s: %s is %v (%v), but there: %v, made by us: %v", it.ID, u.Ref, u.State, u.Err, there, made)
		}
	}
	if (res.Err == nil) != allDone {
		t.Errorf("%s: got the error %v, but all done is %v", it.ID, res.Err, allDone)
	}
}
