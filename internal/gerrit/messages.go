// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	gogerrit "github.com/andygrunwald/go-gerrit"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

const (
	// serviceUser is the tag of an account in the group Service Users
	// (AccountInfo.tags).
	serviceUser = "SERVICE_USER"
	// patchsetLevel is the path of comments on a patchset as a whole.
	patchsetLevel = "/PATCHSET_LEVEL"
)

// messageIDPattern is what an id must look like: Gerrit says only that it is a
// string.
var messageIDPattern = regexp.MustCompile(`^[!-~]{1,100}$`)

type (
	// changeInfo is ChangeInfo with all that its messages tell, and the number that is
	// unique in the server: that of an imported change is not its own. Servers before
	// 3.9 do not tell it.
	changeInfo struct {
		gogerrit.ChangeInfo
		VirtualID int           `json:"virtual_id_number"`
		Messages  []messageInfo `json:"messages"`
	}
	// messageInfo is ChangeMessageInfo with the one field that go-gerrit does not
	// know: who really wrote a message, where that is not its author.
	messageInfo struct {
		gogerrit.ChangeMessageInfo
		RealAuthor gogerrit.AccountInfo `json:"real_author"`
	}
	// commentInfo is CommentInfo, as far as it is used.
	commentInfo struct {
		ID       string               `json:"id"`
		Author   gogerrit.AccountInfo `json:"author"`
		Updated  gogerrit.Timestamp   `json:"updated"`
		Patchset int                  `json:"patch_set"`
		Tag      string               `json:"tag"`
		Message  string               `json:"message"`
	}
)

// Messages returns what was said on a change, oldest first, Gerrit's own words
// included. The error is ErrGone where there is no such change.
//
// What people write in the reply field of the web page is not in it since Gerrit
// 3.3: the message is "(1 comment)" then, and Replies has the text.
func (c *Client) Messages(ctx context.Context, a change.Address) ([]change.Message, error) {
	var infos []messageInfo
	if err := c.about(ctx, a, "/messages", &infos); err != nil {
		return nil, failedOn(fmt.Sprintf("read the messages of change %d", a.Number), err, a)
	}
	return c.messages(a.Number, infos), nil
}

// Replies returns the comments on a change's patchsets as wholes, oldest first;
// comments on files are left out. The error is ErrGone where there is no such
// change.
func (c *Client) Replies(ctx context.Context, a change.Address) ([]change.Message, error) {
	var comments map[string][]commentInfo
	if err := c.about(ctx, a, "/comments", &comments); err != nil {
		return nil, failedOn(fmt.Sprintf("read the comments on change %d", a.Number), err, a)
	}
	infos := make([]messageInfo, 0, len(comments[patchsetLevel]))
	for _, m := range comments[patchsetLevel] {
		infos = append(infos, messageInfo{ChangeMessageInfo: gogerrit.ChangeMessageInfo{
			ID: m.ID, Author: m.Author, Date: m.Updated, Message: m.Message, Tag: m.Tag, RevisionNumber: m.Patchset,
		}})
	}
	return c.messages(a.Number, infos), nil
}

// messages decodes a change's messages, or comments. Those that are not what
// Gerrit would send are left out and noted, as are the oldest ones where there
// are too many.
func (c *Client) messages(number int, infos []messageInfo) []change.Message {
	var list []change.Message
	for i := range infos {
		m, err := decodeMessage(&infos[i])
		if err != nil {
			c.notes(change.OneLine(fmt.Sprintf("change %d: a message is left out: %v", number, err)))
			continue
		}
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b change.Message) int { return a.At.Compare(b.At) })
	if tooMany := len(list) - maxMessages; tooMany > 0 {
		c.notes(fmt.Sprintf("change %d: the oldest %d of %d messages are left out", number, tooMany, len(list)))
		list = list[tooMany:]
	}
	return list
}

// decodeMessage turns Gerrit's description of a message into a checked one. What
// Gerrit itself says may have no author.
func decodeMessage(info *messageInfo) (change.Message, error) {
	author := info.Author
	if info.RealAuthor.AccountID != 0 {
		author = info.RealAuthor
	}
	switch {
	case !messageIDPattern.MatchString(info.ID):
		return change.Message{}, fmt.Errorf("%q is not a message's id", change.Clip(info.ID, 60))
	case info.Date.IsZero():
		return change.Message{}, errors.New("it has no date")
	case info.RevisionNumber < 0, author.AccountID < 0:
		return change.Message{}, errors.New("its patchset or author has a negative number")
	}
	return change.Message{
		ID: info.ID, Author: account(author), Robot: slices.Contains(author.Tags, serviceUser), At: info.Date.Time,
		Patchset: info.RevisionNumber, Tag: change.Clip(info.Tag, maxText), Text: change.Clip(info.Message, maxMessageText),
	}, nil
}
