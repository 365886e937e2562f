// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// reviewInput is what POST .../review takes, as far as it is used (ReviewInput).
type reviewInput struct {
	Message string         `json:"message"`
	Tag     string         `json:"tag"`
	Labels  map[string]int `json:"labels"`
	Notify  string         `json:"notify"`
}

// reviewResult is what it answers (ReviewResult). Labels holds what was applied;
// it is left out where no labels were sent.
type reviewResult struct {
	Labels     *map[string]int `json:"labels,omitempty"`
	ChangeInfo changeInfo      `json:"change_info"`
}

// postReview stores a message and votes.
func (s *Server) postReview(c call, revision string) {
	ch := s.find(c)
	if ch == nil {
		return
	}
	if c.viewer == nil {
		c.fail(http.StatusForbidden, "Authentication required")
		return
	}
	i := slices.IndexFunc(ch.patchsets, func(p patchset) bool { return p.revision == revision })
	if revision == "current" {
		i = len(ch.patchsets) - 1
	}
	if i < 0 {
		c.fail(http.StatusNotFound, "Not found: %s", revision)
		return
	}
	var in reviewInput
	if err := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, 1<<20)).Decode(&in); err != nil {
		c.fail(http.StatusBadRequest, "Invalid application/json in request")
		return
	}
	applied, status, problem := ch.judge(c.viewer, in.Labels)
	if problem != "" {
		c.fail(status, "%s", problem)
		return
	}
	ch.review(c.viewer, i, in, applied)
	result := reviewResult{ChangeInfo: ch.info(options{})}
	if in.Labels != nil {
		result.Labels = &applied
	}
	c.json(result)
}

// judge returns the votes that can be applied. As on a real server a vote out of
// the account's range refuses the whole review, while an unknown label or value
// is dropped without a word.
func (c *Change) judge(who *Account, votes map[string]int) (applied map[string]int, status int, problem string) {
	applied = map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(votes)) {
		value := votes[name]
		l, known := c.srv.label(name)
		switch {
		case !known || value < l.Min || value > l.Max:
		case !who.mayVote(l, value):
			return nil, http.StatusForbidden, fmt.Sprintf("Applying label %q: %d is restricted", name, value)
		case c.status != change.New:
			return nil, http.StatusConflict, "change is closed"
		default:
			applied[name] = value
		}
	}
	return applied, 0, ""
}

// review applies what was found good to one patchset.
func (c *Change) review(who *Account, index int, in reviewInput, applied map[string]int) {
	c.touch()
	text := fmt.Sprintf("Patch Set %d:", index+1)
	for _, name := range slices.Sorted(maps.Keys(applied)) {
		c.patchsets[index].vote(vote{label: name, value: applied[name], who: who, when: c.updated})
		text += " " + voteText(name, applied[name])
	}
	if in.Message != "" {
		text += "\n\n" + in.Message
	}
	c.say(Message{Author: who.Username, Patchset: index + 1, Text: text, Tag: in.Tag, Notify: in.Notify})
}

// voteText writes a vote as Gerrit's messages do.
func voteText(label string, value int) string {
	if value == 0 {
		return "-" + label
	}
	return fmt.Sprintf("%s%+d", label, value)
}
