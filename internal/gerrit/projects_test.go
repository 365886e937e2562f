// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestProjectsLike finds what a slip of the pen left of a name.
func TestProjectsLike(t *testing.T) {
	t.Parallel()
	s := standin.Serve(t, standin.Options{})
	for _, name := range []string{"spdk/spdk", "spdk/dpdk", "All-Projects", "linux"} {
		s.Project(name)
	}
	c := connect(t, s, nil)
	for name, want := range map[string]string{
		"spdk/spkd": "spdk/spdk", "spkd/spdk": "spdk/spdk", "sdpk/spdk": "spdk/spdk", "spdk": "spdk/spdk", "linxu": "linux", "spdk/sp(k": "spdk/spdk", "SPDK/SPDK": "spdk/spdk", "LINUX": "linux",
	} {
		got, err := c.ProjectsLike(t.Context(), name)
		if err != nil || !slices.Contains(got, want) || slices.Contains(got, "All-Projects") {
			t.Errorf("%s: got %q, %v; want %s among them", name, got, err, want)
		}
	}
	if got, err := c.ProjectsLike(t.Context(), "zzz"); err != nil || len(got) > 0 {
		t.Errorf("got %q, %v; want none", got, err)
	}
}

// FuzzLikePattern holds the pattern to what RE2 can read, too.
func FuzzLikePattern(f *testing.F) {
	for _, name := range []string{"spdk/spdk", "", "a", "ab", "(*", `\"{}`, "ä/ö~&<>@#"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		pattern, err := regexp.Compile("^(?:" + likePattern(name) + ")$")
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if one := regexp.MustCompile(`^[ -~]+$`); one.MatchString(name) && !pattern.MatchString(name) {
			t.Errorf("%q is not like itself: %s", name, pattern)
		}
	})
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
	c, err := New(Options{URL: "https://review.example.org", Transport: rt, Sleep: nil, Now: nil})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Version(t.Context())
	if !errors.Is(err, fault.Configuration) || fault.HintOf(err) != "give it one" || rt.sent != 1 || Status(err) != 0 {
		t.Errorf("got %v (%s) after %d requests", err, fault.HintOf(err), rt.sent)
	}
}
