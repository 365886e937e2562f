// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

func TestRepositories(t *testing.T) {
	t.Parallel()
	k := newClock()
	s := serve(t, k, standin.Options{})
	c := newClient(t, k, s.URL())
	for _, name := range []string{"octo/spdk", "octo/ci", "other/x", "user-ann/spdk"} {
		s.Repository(name)
	}
	for owner, want := range map[string][]string{"octo": {"octo/ci", "octo/spdk"}, "user-ann": {"user-ann/spdk"}} {
		got, err := c.Repositories(t.Context(), owner)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", owner, err, diff)
		}
	}
	if _, err := c.Repositories(t.Context(), "nobody"); Status(err) != http.StatusNotFound || !errors.Is(err, fault.Configuration) {
		t.Errorf("got %v", err)
	}
}

// classified fails every request as a transport does that knows why.
type classified struct{ sent int }

func (c *classified) RoundTrip(*http.Request) (*http.Response, error) {
	c.sent++
	return nil, fault.New(fault.Configuration, "the proxy wants a password").WithHint("give it one")
}

// TestClassifiedByTheTransport: what the transport says is kept, and not tried
// again where that cannot help.
func TestClassifiedByTheTransport(t *testing.T) {
	t.Parallel()
	rt := &classified{}
	c, err := New(Options{Transport: rt, Now: newClock().now})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.DefaultBranch(t.Context(), "octo/ci")
	if !errors.Is(err, fault.Configuration) || fault.HintOf(err) != "give it one" || rt.sent != 1 || Status(err) != 0 {
		t.Errorf("got %v (%s) after %d requests", err, fault.HintOf(err), rt.sent)
	}
}
