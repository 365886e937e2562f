// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import "strings"

// denials are texts of 403 answers over git's HTTP protocol, in lower case, with
// what to do about them. Each has a blank: the answers repeat names, which have
// none. GitHub's docs, "Troubleshooting cloning errors" and
// "Archiving repositories"; the rest was reported by users (github/site-policy#1258).
var denials = []struct{ text, hint string }{
	{"was archived", hintArchived},
	{"is archived", hintArchived}, // Gitea
	{"ip allow list", "run on a host whose address is on the organization's IP allow list, or have its owners add this one"},
	{"saml sso", "authorize the token for single sign-on with that organization"},
	{"account is suspended", "use an account that is not suspended; the suspended one can appeal to the server's support"},
	{"is disabled", "the server has disabled the repository: its owner must ask the server's support"},
	{"password authentication", "give a token in place of the password"},
}

const (
	hintArchived = "unarchive the repository, or name another mirror"
	hintNoWrite  = "one of three causes: the token's account is no collaborator of the repository (invite it, and accept as that account), " +
		"it has no write permission there (give it), or the token lacks the scope to write (contents: write and workflows: write; classic: repo and workflow)"
	hintNoRead = "the account may not read this repository, or there is none at this address"
)

// hintOfDenial says what to do about a 403: what the server's text asks for, or
// the usual causes where it says that access was denied, or nothing at all. A
// text that is not known has no hint.
func (e *StatusError) hintOfDenial(pushing bool) string {
	body := strings.ToLower(e.Body)
	for _, d := range denials {
		if strings.Contains(body, d.text) {
			return d.hint
		}
	}
	usual := e.bare()
	for _, text := range []string{"denied", "write access", "not granted", "not allowed", "not permitted", "permission", "forbidden"} {
		usual = usual || strings.Contains(body, text)
	}
	switch {
	case !usual:
		return ""
	case pushing:
		return hintNoWrite
	}
	return hintNoRead
}
