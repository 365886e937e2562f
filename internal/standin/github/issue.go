// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Issue is an issue of a repository, or a pull request, which has the same
// kind of number.
type Issue struct {
	Number int
	Title  string
	// Closed, Locked (no comments) and PullRequest are what they say.
	Closed, Locked, PullRequest bool
	// Comments are added by the API.
	Comments []Comment
}

// Comment is a comment on an issue.
type Comment struct {
	Author, Body string
	At           time.Time
}

// maxComment is in characters.
const maxComment = 65536

// SetIssue adds an issue, or replaces the one of that number.
func (r *Repository) SetIssue(i Issue) {
	r.srv.mu.Lock()
	defer r.srv.mu.Unlock()
	r.issues[i.Number] = &i
}

// Comments returns the comments on an issue, oldest first.
func (r *Repository) Comments(number int) []Comment {
	r.srv.mu.Lock()
	defer r.srv.mu.Unlock()
	if i := r.issues[number]; i != nil {
		return slices.Clone(i.Comments)
	}
	return nil
}

func (s *Server) findIssue(c call) *Issue {
	number, _ := strconv.Atoi(c.r.PathValue("issue"))
	i := c.repo.issues[number]
	if i == nil {
		fail(c.w, http.StatusNotFound, "Not Found")
	}
	return i
}

// getIssue serves GET .../issues/N.
// https://docs.github.com/rest/issues/issues#get-an-issue
func (s *Server) getIssue(c call) {
	i := s.findIssue(c)
	if i == nil {
		return
	}
	self := s.apiURL(c.repo.name, "issues/%d", i.Number)
	state, closed := "open", any(nil)
	if i.Closed {
		state, closed = "closed", s.now().Format(time.RFC3339)
	}
	o := object{
		"id": i.Number, "node_id": fmt.Sprintf("I_%d", i.Number), "number": i.Number, "title": i.Title, "state": state, "locked": i.Locked,
		"user": s.userInfo(""), "assignee": nil, "labels": []any{}, "milestone": nil, "comments": len(i.Comments), "body": nil,
		"url": self, "html_url": s.url + "/" + c.repo.name + "/issues/" + strconv.Itoa(i.Number), "repository_url": s.apiURL(c.repo.name, ""),
		"labels_url": self + "/labels{/name}", "comments_url": self + "/comments", "events_url": self + "/events",
		"created_at": s.now().Format(time.RFC3339), "updated_at": s.now().Format(time.RFC3339), "closed_at": closed,
	}
	if i.PullRequest {
		pull := s.apiURL(c.repo.name, "pulls/%d", i.Number)
		o["pull_request"] = object{"url": pull, "html_url": pull, "diff_url": pull, "patch_url": pull}
	}
	reply(c.w, http.StatusOK, o)
}

// addComment serves POST .../issues/N/comments.
// https://docs.github.com/rest/issues/comments#create-an-issue-comment
func (s *Server) addComment(c call) {
	i := s.findIssue(c)
	if i == nil {
		return
	}
	var body struct {
		Body string `json:"body"`
	}
	if !readRequest(c, &body) {
		return
	}
	switch n := utf8.RuneCountInString(body.Body); {
	case i.Locked:
		fail(c.w, http.StatusForbidden, "Unable to create comment because issue is locked.")
		return
	case n == 0:
		fail(c.w, http.StatusUnprocessableEntity, "Validation Failed: body can't be blank")
		return
	case n > maxComment:
		fail(c.w, http.StatusUnprocessableEntity, fmt.Sprintf("Validation Failed: body is too long (maximum is %d characters)", maxComment))
		return
	}
	access, _, _ := s.identify(c.r)
	i.Comments = append(i.Comments, Comment{Author: access.User, Body: body.Body, At: s.now()})
	reply(c.w, http.StatusCreated, s.commentInfo(c, i, len(i.Comments)))
}

// commentInfo describes a comment by its place, from 1.
func (s *Server) commentInfo(c call, i *Issue, id int) object {
	comment := i.Comments[id-1]
	issue, at := s.apiURL(c.repo.name, "issues/%d", i.Number), comment.At.UTC().Format(time.RFC3339)
	return object{
		"id": id, "node_id": fmt.Sprintf("IC_%d", id), "body": comment.Body, "user": s.userInfo(comment.Author),
		"url": fmt.Sprintf("%s/comments/%d", issue, id), "issue_url": issue, "author_association": "MEMBER",
		"html_url":   fmt.Sprintf("%s/%s/issues/%d#issuecomment-%d", s.url, c.repo.name, i.Number, id),
		"created_at": at, "updated_at": at,
	}
}

// listComments serves GET .../issues/N/comments.
// https://docs.github.com/rest/issues/comments#list-issue-comments
func (s *Server) listComments(c call) {
	i := s.findIssue(c)
	if i == nil {
		return
	}
	since, err := time.Parse(time.RFC3339, c.r.URL.Query().Get("since"))
	list := []object{}
	for n, comment := range i.Comments {
		if err != nil || !comment.At.Before(since) {
			list = append(list, s.commentInfo(c, i, n+1))
		}
	}
	reply(c.w, http.StatusOK, onPage(c, list))
}
