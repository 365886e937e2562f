// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"fmt"
	"slices"
	"strings"
)

// Words of Gerrit's 403 answers, in lower case: RestApiServlet#checkUserSession
// and AccountResolver; PermissionDeniedException, RequiresCapability of servers
// before 2.16, and PostReview#checkLabels. Each has a blank, as the answers
// repeat names that have none.
var (
	wantsLogin = []string{"authentication required", "requires login"}
	losesLogin = []string{"invalid authentication method"}
	lacksRight = []string{"not permitted", "is required to access this resource", "is restricted"}
)

// hintOfDenial says what to do about a 403 whose text is known, or that has none.
func (d *door) hintOfDenial(s *statusError) string {
	says := func(texts []string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(s.reason), text) })
	}
	switch {
	case s.page:
		return "something before Gerrit refuses this request: ask whoever runs it"
	case says(wantsLogin) && d.user == "":
		return "set a user name and an HTTP password or token"
	case says(wantsLogin), says(losesLogin):
		return "something before Gerrit takes the credentials away: let the Authorization header pass"
	case s.bare(), says(lacksRight):
		return fmt.Sprintf("%s lacks a right in Gerrit: ask its administrator", d.who())
	}
	return ""
}
