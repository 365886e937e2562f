// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// reviewInput is what POST .../review takes, as far as it is used (ReviewInput).
type reviewInput struct {
	Message               string                    `json:"message"`
	Tag                   string                    `json:"tag"`
	Labels                map[string]int            `json:"labels"`
	Comments              map[string][]commentInput `json:"comments"`
	OmitDuplicateComments bool                      `json:"omit_duplicate_comments"`
	Notify                string                    `json:"notify"`
	NotifyDetails         map[string]notifyInfo     `json:"notify_details"`
	AddToAttentionSet     []attentionInput          `json:"add_to_attention_set"`
	IgnoreAutomaticRules  bool                      `json:"ignore_automatic_attention_set_rules"`
}

// notifyInfo names accounts (NotifyInfo).
type notifyInfo struct {
	Accounts []string `json:"accounts"`
}

// reviewResult is what it answers (ReviewResult). Labels holds what was applied;
// it is left out where no labels were sent.
type reviewResult struct {
	Labels     *map[string]int `json:"labels,omitempty"`
	ChangeInfo changeInfo      `json:"change_info"`
}

// refusal is an answer that leaves the change as it was.
type refusal struct {
	status int
	text   string
}

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

// postReview stores a message, votes and comments: all of them or nothing. What is
// wrong is told in the order of PostReview#apply and PostReviewOp#updateChange.
func (s *Server) postReview(c call, revision string) {
	ch := s.find(c)
	if ch == nil {
		return
	}
	if c.viewer == nil {
		c.fail(http.StatusForbidden, "Authentication required")
		return
	}
	i := ch.patchset(revision)
	if i < 0 {
		c.fail(http.StatusNotFound, "Not found: %s", revision)
		return
	}
	var in reviewInput
	if err := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, 1<<20)).Decode(&in); err != nil || !slices.Contains(notifications, in.Notify) {
		c.fail(http.StatusBadRequest, "Invalid application/json in request")
		return
	}
	if no := s.judgeNotify(in); no != nil {
		c.fail(no.status, "%s", no.text)
		return
	}
	applied, no := ch.judge(c.viewer, in.Labels)
	for _, judge := range []func() *refusal{
		func() *refusal { return ch.judgeComments(i, in) },
		func() *refusal { return ch.judgeAttention(in) },
		func() *refusal { return ch.judgeSizes(i, in) },
		func() *refusal { return ch.judgeState(c.viewer, applied) },
		func() *refusal { return ch.judgeUpdates(c.viewer, i, in, applied) },
	} {
		if no == nil {
			no = judge()
		}
	}
	if no != nil {
		c.fail(no.status, "%s", no.text)
		return
	}
	ch.review(c.viewer, i, in, applied)
	result := reviewResult{ChangeInfo: ch.info(options{}, c.viewer)}
	if in.Labels != nil {
		result.Labels = &applied
	}
	c.json(result)
}

// patchset returns the index of a revision, or -1.
func (c *Change) patchset(revision string) int {
	if revision == "current" {
		return len(c.patchsets) - 1
	}
	return slices.IndexFunc(c.patchsets, func(p patchset) bool { return p.revision == revision })
}

// spelled returns votes by the labels' own names: LabelTypes#byLabel looks them up
// whatever their case.
func (c *Change) spelled(votes map[string]int) map[string]int {
	own := map[string]int{}
	for name, value := range votes {
		if l, known := c.srv.label(name); known {
			name = l.Name
		}
		own[name] = value
	}
	return own
}

// moves reports whether a review changes anything.
func (c *Change) moves(who *Account, index int, in reviewInput, applied map[string]int) bool {
	return len(c.fresh(index, in)) > 0 || len(c.patchsets[index].changes(who, c.spelled(applied))) > 0 ||
		strings.TrimSpace(in.Message) != "" || len(in.AddToAttentionSet) > 0
}

// judgeUpdates refuses what would be one update too many: NoteDbUpdateManager.
func (c *Change) judgeUpdates(who *Account, index int, in reviewInput, applied map[string]int) *refusal {
	most := c.srv.o.MaxUpdates
	if most == 0 || c.updates < most || !c.moves(who, index, in, applied) {
		return nil
	}
	return refuse(http.StatusConflict, "Change %d may not exceed %d updates. It may still be abandoned, submitted and you can add/remove reviewers to/from the attention-set. "+
		"To continue working on this change, recreate it with a new Change-Id, then abandon this one.", c.number, most)
}

// review applies what was found good to one patchset. What changes nothing
// leaves no trace.
func (c *Change) review(who *Account, index int, in reviewInput, applied map[string]int) {
	if !c.moves(who, index, in, applied) {
		return
	}
	comments, changed := c.fresh(index, in), c.patchsets[index].changes(who, c.spelled(applied))
	message := strings.TrimSpace(in.Message)
	c.touch()
	text := fmt.Sprintf("Patch Set %d:", index+1)
	var copied string
	for _, v := range changed {
		v.when, v.tag = c.updated, in.Tag
		text += " " + voteText(v.label, v.value)
		copied += c.vote(index, v)
	}
	if copied != "" {
		text += "\n\nCopied votes on follow-up patch sets have been updated:" + copied
	}
	switch n := len(comments); {
	case n == 1:
		text += "\n\n(1 comment)"
	case n > 1:
		text += fmt.Sprintf("\n\n(%d comments)", n)
	}
	if message != "" {
		text += "\n\n" + message
	}
	for _, comment := range comments {
		comment.Author, comment.Date = who.Username, c.updated
		c.comments = append(c.comments, comment)
	}
	if len(changed) == 0 && !slices.Contains(c.ccs, who) {
		c.ccs = append(c.ccs, who)
	}
	c.attend(who, in, changed)
	c.say(Message{
		Author: who.Username, Patchset: index + 1, Text: text, Tag: strings.Join(strings.Fields(in.Tag), " "),
		Notify: in.Notify, Mailed: c.mailed(who, in),
	})
}
