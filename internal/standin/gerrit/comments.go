// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

const (
	// maxText is how many UTF-16 units a message or a comment may have
	// (change.commentSizeLimit).
	maxText = 16384
	// commentOverhead is what Gerrit adds to a comment's size for its ids.
	commentOverhead = 93
)

// Comment is a comment on a file.
type Comment struct {
	Author     string // user name
	Patchset   int
	Path       string
	Line       int // 0 is the file as a whole
	Text       string
	Unresolved bool
	Tag        string
	Date       time.Time
}

// commentInput is a comment in a review (CommentInput).
type commentInput struct {
	Line       int    `json:"line"`
	Message    string `json:"message"`
	Unresolved bool   `json:"unresolved"`
}

// commentInfo is a comment in a list (CommentInfo).
type commentInfo struct {
	Author     accountInfo `json:"author"`
	Tag        string      `json:"tag,omitempty"`
	Unresolved bool        `json:"unresolved"`
	Patchset   int         `json:"patch_set"`
	ID         string      `json:"id"`
	Line       int         `json:"line,omitempty"`
	Updated    string      `json:"updated"`
	Message    string      `json:"message"`
	Revision   string      `json:"commit_id"`
}

// Comments returns all comments, oldest first.
func (c *Change) Comments() []Comment {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return slices.Clone(c.comments)
}

func (s *Server) listComments(c call) {
	ch := s.find(c)
	if ch == nil {
		return
	}
	all := map[string][]commentInfo{}
	for i, m := range ch.comments {
		all[m.Path] = append(all[m.Path], commentInfo{
			Author: s.account(m.Author).info(detailed), Tag: m.Tag, Unresolved: m.Unresolved, Patchset: m.Patchset,
			ID: fmt.Sprintf("%08x", i), Line: m.Line, Updated: stamp(m.Date), Message: m.Text, Revision: ch.patchsets[m.Patchset-1].revision,
		})
	}
	c.json(all)
}

// judgeTexts refuses texts that are too long and comments on what is not there.
// A line past the end of a file is fine.
func (c *Change) judgeTexts(index int, in reviewInput) *refusal {
	for _, path := range slices.Sorted(maps.Keys(in.Comments)) {
		for _, comment := range in.Comments[path] {
			switch {
			case !strings.HasPrefix(path, "/") && !has(c.patchsets[index].files, path):
				return refuse(http.StatusBadRequest, "file %s not found in revision %d,%d", path, c.number, index+1)
			case comment.Line < 0:
				return refuse(http.StatusBadRequest, "negative line number %d not allowed on %s", comment.Line, path)
			}
			if no := judgeSize(commentOverhead + size(path) + size(in.Tag) + size(comment.Message)); no != nil {
				return no
			}
		}
	}
	return judgeSize(size(in.Message))
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// size counts what a Java string would have as its length.
func size(s string) int { return len(utf16.Encode([]rune(s))) }

func judgeSize(n int) *refusal {
	if n <= maxText {
		return nil
	}
	return refuse(http.StatusBadRequest, "One or more comments were rejected in validation: Comment size exceeds limit (%d > %d)", n, maxText)
}

// fresh returns a review's comments without empty ones and, if so asked, without
// those that are there already.
func (c *Change) fresh(index int, in reviewInput) []Comment {
	var list []Comment
	for _, path := range slices.Sorted(maps.Keys(in.Comments)) {
		for _, comment := range in.Comments[path] {
			m := Comment{Patchset: index + 1, Path: path, Line: comment.Line, Text: strings.TrimSpace(comment.Message), Unresolved: comment.Unresolved, Tag: in.Tag}
			again := slices.ContainsFunc(c.comments, func(old Comment) bool {
				return old.Patchset == m.Patchset && old.Path == m.Path && old.Line == m.Line && old.Text == m.Text
			})
			if m.Text != "" && !(again && in.OmitDuplicateComments) {
				list = append(list, m)
			}
		}
	}
	return list
}
