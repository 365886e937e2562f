// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// The JSON of Gerrit's rest-api-changes documentation, as far as it is used.
type (
	changeInfo struct {
		ID              string                  `json:"id"`
		Project         string                  `json:"project"`
		Branch          string                  `json:"branch"`
		Topic           string                  `json:"topic,omitempty"`
		Hashtags        []string                `json:"hashtags"`
		ChangeID        string                  `json:"change_id"`
		Subject         string                  `json:"subject"`
		Status          string                  `json:"status"`
		Created         string                  `json:"created"`
		Updated         string                  `json:"updated"`
		Submitted       string                  `json:"submitted,omitempty"`
		Insertions      *int                    `json:"insertions,omitempty"`
		Deletions       *int                    `json:"deletions,omitempty"`
		IsPrivate       bool                    `json:"is_private,omitempty"`
		WorkInProgress  bool                    `json:"work_in_progress,omitempty"`
		Number          int                     `json:"_number"`
		VirtualID       int                     `json:"virtual_id_number,omitempty"`
		Owner           accountInfo             `json:"owner"`
		CurrentNumber   int                     `json:"current_revision_number"`
		CurrentRevision string                  `json:"current_revision,omitempty"`
		Revisions       map[string]revisionInfo `json:"revisions,omitempty"`
		Labels          map[string]labelInfo    `json:"labels,omitempty"`
		PermittedLabels *map[string][]string    `json:"permitted_labels,omitempty"`
		AttentionSet    map[string]attention    `json:"attention_set,omitempty"`
		Messages        []messageInfo           `json:"messages,omitempty"`
		MoreChanges     bool                    `json:"_more_changes,omitempty"`
	}
	accountInfo struct {
		ID       int      `json:"_account_id"`
		Name     string   `json:"name,omitempty"`
		Email    string   `json:"email,omitempty"`
		Username string   `json:"username,omitempty"`
		Tags     []string `json:"tags,omitempty"`
		Inactive bool     `json:"inactive,omitempty"`
	}
	revisionInfo struct {
		Kind     string              `json:"kind"`
		Number   int                 `json:"_number"`
		Created  string              `json:"created"`
		Uploader accountInfo         `json:"uploader"`
		Ref      string              `json:"ref"`
		Branch   string              `json:"branch"`
		Fetch    map[string]any      `json:"fetch"`
		Commit   *commitInfo         `json:"commit,omitempty"`
		Files    map[string]fileInfo `json:"files,omitempty"`
	}
	commitInfo struct {
		Parents []parentInfo `json:"parents"`
		Subject string       `json:"subject"`
		Message string       `json:"message"`
	}
	parentInfo struct {
		Commit string `json:"commit"`
	}
	fileInfo struct {
		Size int `json:"size"`
	}
	labelInfo struct {
		All    []approvalInfo    `json:"all,omitempty"`
		Values map[string]string `json:"values,omitempty"`
	}
	approvalInfo struct {
		Tag   string `json:"tag,omitempty"`
		Value int    `json:"value"`
		Date  string `json:"date,omitempty"`
		accountInfo
	}
	messageInfo struct {
		ID         string       `json:"id"`
		Tag        string       `json:"tag,omitempty"`
		Author     accountInfo  `json:"author"`
		RealAuthor *accountInfo `json:"real_author,omitempty"`
		Date       string       `json:"date"`
		Message    string       `json:"message"`
		Revision   int          `json:"_revision_number"`
	}
	attention struct {
		Account accountInfo `json:"account"`
		Reason  string      `json:"reason"`
	}
)

// options is the set of o= parameters.
type options map[string]bool

// detailed is what some answers are without being asked.
var detailed = options{"DETAILED_ACCOUNTS": true}

// any reports whether one of the options is set.
func (o options) any(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return o[n] })
}

// stamp writes a time as Gerrit does: UTC, always nine digits.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000000") }

func (a *Account) info(o options) accountInfo {
	if !o["DETAILED_ACCOUNTS"] {
		return accountInfo{ID: a.ID}
	}
	info := accountInfo{ID: a.ID, Name: a.Name, Email: a.Email, Username: a.Username, Inactive: a.inactive}
	if a.Robot {
		info.Tags = []string{"SERVICE_USER"}
	}
	return info
}

// info describes a change as a viewer sees it; what is not asked for is not
// there.
func (c *Change) info(o options, viewer *Account) changeInfo {
	last := c.current()
	info := changeInfo{
		ID: url.PathEscape(c.project.name) + fmt.Sprintf("~%d", c.number), Project: c.project.name, Branch: c.branch,
		Topic: c.topic, Hashtags: append([]string{}, c.hashtags...), ChangeID: c.changeID, Subject: last.subject,
		Status: string(c.status), Created: stamp(c.created), Updated: stamp(c.updated),
		IsPrivate: c.private, WorkInProgress: c.wip, Number: c.number, Owner: c.owner.info(o), CurrentNumber: len(c.patchsets),
	}
	if !c.srv.o.NoVirtualIDs {
		info.VirtualID = c.virtualID()
	}
	if c.status == change.Merged {
		info.Submitted = stamp(c.submitted)
	}
	if !o["SKIP_DIFFSTAT"] {
		added, removed := 0, 0
		for _, text := range last.files {
			added += strings.Count(text, "\n")
		}
		info.Insertions, info.Deletions = &added, &removed
	}
	if o.any("CURRENT_REVISION", "ALL_REVISIONS") {
		info.CurrentRevision, info.Revisions = last.revision, c.revisions(o)
	}
	if o.any("LABELS", "DETAILED_LABELS") {
		info.Labels = c.labels(o)
	}
	if o["DETAILED_LABELS"] && viewer != nil {
		permitted := c.permitted(viewer)
		info.PermittedLabels = &permitted
	}
	for name, reason := range c.attention {
		a := c.srv.account(name)
		if info.AttentionSet == nil {
			info.AttentionSet = map[string]attention{}
		}
		info.AttentionSet[strconv.Itoa(a.ID)] = attention{Account: a.info(o), Reason: reason}
	}
	if o["MESSAGES"] {
		info.Messages = c.messageInfos(o)
	}
	return info
}

// virtualID is the number by which a server keeps changes apart: that of an imported
// change has the place of its server's id in the list of gerrit.importedServerId above
// 28 bits for its own (ChangeNumberBitmapMaskAlgorithm).
func (c *Change) virtualID() int {
	if c.imported {
		return 1<<28 | c.number
	}
	return c.number
}

func (c *Change) messageInfos(o options) []messageInfo {
	var list []messageInfo
	for i, m := range c.messages {
		info := messageInfo{
			ID: fmt.Sprintf("%040x", c.number<<16+i), Author: c.srv.account(m.Author).info(o), Date: stamp(m.Date),
			Message: m.Text, Tag: m.Tag, Revision: m.Patchset,
		}
		if m.Behalf != "" {
			real := info.Author
			info.RealAuthor, info.Author = &real, c.srv.account(m.Behalf).info(o)
		}
		list = append(list, info)
	}
	return list
}

func (c *Change) revisions(o options) map[string]revisionInfo {
	all := map[string]revisionInfo{}
	for i := range c.patchsets {
		p := &c.patchsets[i]
		current := i == len(c.patchsets)-1
		if !current && !o["ALL_REVISIONS"] {
			continue
		}
		info := revisionInfo{
			Kind: p.kind, Number: i + 1, Created: stamp(p.created), Uploader: p.uploader.info(o), Branch: "refs/heads/" + c.branch,
			Ref: change.CustomRefs.Ref(change.ID{Change: c.number, Patchset: i + 1}), Fetch: map[string]any{},
		}
		if o["ALL_COMMITS"] || current && o["CURRENT_COMMIT"] {
			info.Commit = &commitInfo{Subject: p.subject, Message: c.commitMessage(p), Parents: []parentInfo{}}
			if p.parent != "" {
				info.Commit.Parents = append(info.Commit.Parents, parentInfo{p.parent})
			}
		}
		if o["ALL_FILES"] || current && o["CURRENT_FILES"] {
			info.Files = map[string]fileInfo{}
			for path, text := range p.files {
				info.Files[path] = fileInfo{Size: len(text)}
			}
		}
		all[p.revision] = info
	}
	return all
}

// labels describes the votes. Gerrit also lists reviewers who did not vote, with
// the value 0; here that is the change's owner.
func (c *Change) labels(o options) map[string]labelInfo {
	all := map[string]labelInfo{}
	for _, l := range c.srv.labels {
		info := labelInfo{}
		if o["DETAILED_LABELS"] {
			info.Values = map[string]string{}
			for v := l.Min; v <= l.Max; v++ {
				info.Values[signed(v)] = fmt.Sprintf("%s is %d", l.Name, v)
			}
			info.All = append(info.All, approvalInfo{accountInfo: c.owner.info(o)})
			for _, v := range c.current().votes {
				if v.label != l.Name {
					continue
				}
				if v.who == c.owner {
					info.All = info.All[1:]
				}
				info.All = append(info.All, approvalInfo{Tag: v.tag, Value: v.value, Date: stamp(v.when), accountInfo: v.who.info(o)})
			}
		}
		all[l.Name] = info
	}
	return all
}
