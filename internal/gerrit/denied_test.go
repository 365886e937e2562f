// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// TestDenials: the server's own reason comes first, and a hint only where its
// words are known.
func TestDenials(t *testing.T) {
	t.Parallel()
	const right, login, passOn, front, none = "lacks a right", "set a user name", "Authorization header", "before Gerrit refuses", ""
	for _, tt := range []struct{ body, named, anonymous string }{
		{"", right, right},
		{"Forbidden", right, right},
		{"read not permitted", right, right},
		{"administrate server not permitted\n", right, right},
		{"not permitted: view plugins", right, right},
		{"Capability viewPlugins is required to access this resource", right, right},
		{`Applying label "Verified": 1 is restricted`, right, right},
		{"Authentication required", passOn, login},
		{"Resolving account 'self' requires login", passOn, login},
		{"Invalid authentication method. In order to authenticate, prefix the REST endpoint URL with /a/ (e.g. http://example.com/a/projects/).", passOn, passOn},
		{"<html><title>403 Forbidden</title>nginx", front, front},
		{"The server is in a window of maintenance", none, none},
		{"no account for not-permitted", none, none},
	} {
		for user, want := range map[string]string{"ann": tt.named, "": tt.anonymous} {
			s, _ := serve(t, standin.Options{})
			s.Faults.Add(faults.Rule{Do: faults.Answer(403, tt.body)})
			var option func(*Options)
			if user != "" {
				option = as(user)
			}
			_, err := connect(t, s, option).Version(t.Context())
			hint := fault.HintOf(err)
			if fault.KindOf(err) != fault.Configuration || want == none && hint != "" || !strings.Contains(hint, want) {
				t.Errorf("%q as %q: got %v with the hint %q, want %q", tt.body, user, err, hint, want)
			}
			if said := strings.TrimSpace(tt.body); !strings.HasPrefix(said, "<") && !strings.Contains(err.Error(), said) {
				t.Errorf("%q: got %v, want the server's words", tt.body, err)
			}
		}
	}
}
