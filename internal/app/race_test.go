// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestTwoDispatchersInTurn lets a second dispatcher make a whole pass in the
// middle of a first one's, before each of its requests in turn. Whoever is
// first starts the run; the other one sees that.
func TestTwoDispatchersInTurn(t *testing.T) {
	t.Parallel()
	s := begin(t, "limits: {pace: 0s, running: 0}")
	for at := 1; ; at++ {
		c := s.push("ann", fmt.Sprintf("bdev: step %d", at), nil)
		var seen atomic.Int32
		s.dispatcher("first", before(func(*http.Request) {
			if int(seen.Add(1)) == at {
				s.dispatcher("second", nil)
			}
		}))
		s.check()
		s.clock.advance(15 * time.Minute)
		s.recovers(c)
		if n := int(seen.Load()); n < at {
			if n < 8 {
				t.Errorf("the first one made %d requests only", n)
			}
			s.endsWell(c)
			return
		}
	}
}

// TestTwoDispatchersAtOnce lets two run as they like, several times.
func TestTwoDispatchersAtOnce(t *testing.T) {
	t.Parallel()
	s := begin(t, "limits: {pace: 0s, running: 0}")
	for round := range 3 {
		one := s.push("ann", fmt.Sprintf("bdev: round %d", round), nil)
		two := s.push("bob", fmt.Sprintf("nvme: round %d", round), one)
		var wg sync.WaitGroup
		for _, name := range []string{"first", "second"} {
			wg.Go(func() { s.dispatcher(name, nil) })
		}
		wg.Wait()
		s.check()
		s.clock.advance(15 * time.Minute)
		s.recovers(one, two)
	}
	s.endsWell()
}

// dispatcher makes a pass that is not written down: one of several.
func (s *story) dispatcher(name string, transport http.RoundTripper) {
	var out, errs bytes.Buffer
	a := s.app(name, &out, &errs)
	a.Transport = transport
	status := a.Main(s.Context(), []string{"sync"})
	s.Logf("%s: status %d\n%s%s", name, status, &out, &errs)
	if status != ExitDone {
		s.Errorf("the %s dispatcher ended with status %d:\n%s%s", name, status, &out, &errs)
	}
}
