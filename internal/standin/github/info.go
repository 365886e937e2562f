// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// object is one JSON object of an answer. The answers have all fields that
// GitHub's OpenAPI description requires, with values that fit together.
type object map[string]any

func (s *Server) apiURL(repository, format string, args ...any) string {
	u := s.url + "/repos/" + repository
	if format != "" {
		u += "/" + fmt.Sprintf(format, args...)
	}
	return u
}

func (s *Server) pageURL(run *Run) string {
	return fmt.Sprintf("%s/%s/actions/runs/%d", s.url, run.Repository, run.ID)
}

func (s *Server) runInfo(repo *Repository, run *Run) object {
	if s.o.ForgejoAPI {
		return s.forgejoRun(repo, run)
	}
	base := s.apiURL(run.Repository, "actions/runs/%d", run.ID)
	o := object{
		"id": run.ID, "node_id": fmt.Sprintf("WFR_%d", run.ID), "name": run.Name, "display_title": run.Title,
		"path": workflowDir + run.Workflow, "workflow_id": workflowID(run.Workflow),
		"run_number": run.Number, "run_attempt": run.Attempt, "event": run.Event,
		"status": run.Status, "conclusion": orNull(run.Conclusion),
		"head_branch": orNull(run.Branch), "head_sha": run.Head,
		"created_at": run.Created.Format(time.RFC3339), "updated_at": run.Updated.Format(time.RFC3339),
		"run_started_at": run.Started.Format(time.RFC3339),
		"url":            base, "html_url": s.pageURL(run),
		"workflow_url":    s.apiURL(run.Repository, "actions/workflows/%d", workflowID(run.Workflow)),
		"check_suite_url": s.apiURL(run.Repository, "check-suites/%d", run.ID),
		"head_commit":     s.commitInfo(run), "pull_requests": []any{},
		"repository": s.repositoryInfo(repo), "head_repository": s.repositoryInfo(repo),
		"actor": s.userInfo(run.Actor), "triggering_actor": s.userInfo(run.Actor),
		"previous_attempt_url": nil, "referenced_workflows": []any{},
	}
	if s.o.LateAttempts && run.Attempt > 1 && run.Status == "queued" {
		o["run_attempt"] = run.Attempt - 1
	} else if run.Attempt > 1 {
		o["previous_attempt_url"] = fmt.Sprintf("%s/attempts/%d", base, run.Attempt-1)
	}
	if s.o.Gitea {
		o["run_attempt"], o["started_at"] = 0, run.Started.Format(time.RFC3339)
		delete(o, "created_at")
		delete(o, "updated_at")
		delete(o, "run_started_at")
	}
	if s.o.GiteaAPI {
		o["path"] = run.Workflow + "@refs/heads/" + run.Branch
		if run.Status == "queued" {
			o["started_at"] = "1970-01-01T00:00:00Z"
		}
	}
	for _, name := range []string{"jobs", "logs", "cancel", "rerun", "artifacts"} {
		o[name+"_url"] = base + "/" + name
	}
	return o
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (s *Server) commitInfo(run *Run) object {
	who := object{"name": "Octo Cat", "email": "octocat@example.com"}
	return object{
		"id": run.Head, "tree_id": run.Head, "message": "changed", "timestamp": run.Created.Format(time.RFC3339),
		"author": who, "committer": who,
	}
}

// userInfo is a simple-user.
func (s *Server) userInfo(login string) object {
	if login == "" {
		login = "ghost"
	}
	base := s.url + "/users/" + login
	o := object{
		"login": login, "id": workflowID(login), "node_id": "U_" + login, "gravatar_id": "", "type": "User", "site_admin": false,
		"url": base, "html_url": s.url + "/" + login, "avatar_url": s.url + "/avatars/" + login,
		"following_url": base + "/following{/other_user}", "gists_url": base + "/gists{/gist_id}",
		"starred_url": base + "/starred{/owner}{/repo}", "events_url": base + "/events{/privacy}", "repos_url": base + "/repos",
	}
	for _, name := range []string{"followers", "subscriptions", "received_events"} {
		o[name+"_url"] = base + "/" + name
	}
	o["organizations_url"] = base + "/orgs"
	return o
}

// repositoryLinks are the *_url fields of a minimal-repository and their paths.
const repositoryLinks = `archive:{archive_format}{/ref} assignees:assignees{/user} blobs:git/blobs{/sha} branches:branches{/branch}
collaborators:collaborators{/collaborator} comments:comments{/number} commits:commits{/sha} compare:compare/{base}...{head}
contents:contents/{+path} contributors:contributors deployments:deployments downloads:downloads events:events forks:forks
git_commits:git/commits{/sha} git_refs:git/refs{/sha} git_tags:git/tags{/sha} hooks:hooks issue_comment:issues/comments{/number}
issue_events:issues/events{/number} issues:issues{/number} keys:keys{/key_id} labels:labels{/name} languages:languages merges:merges
milestones:milestones{/number} notifications:notifications{?since,all,participating} pulls:pulls{/number} releases:releases{/id}
stargazers:stargazers statuses:statuses/{sha} subscribers:subscribers subscription:subscription tags:tags teams:teams trees:git/trees{/sha}`

// repositoryInfo is a minimal-repository.
func (s *Server) repositoryInfo(repo *Repository) object {
	owner, name, _ := strings.Cut(repo.name, "/")
	o := object{
		"id": repo.id, "node_id": fmt.Sprintf("R_%d", repo.id), "name": name, "full_name": repo.name, "owner": s.userInfo(owner),
		"private": repo.private, "fork": false, "description": nil,
		"url": s.apiURL(repo.name, ""), "html_url": s.url + "/" + repo.name,
	}
	for link := range strings.FieldsSeq(repositoryLinks) {
		field, path, _ := strings.Cut(link, ":")
		o[field+"_url"] = s.apiURL(repo.name, "") + "/" + path
	}
	return o
}

// listRepositories serves GET /orgs/O/repos and GET /users/U/repos: the first
// shows private ones to tokens that may see them, the second does not. Here every
// owner is an organisation, except those whose names begin with "user-".
func (s *Server) listRepositories(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.greet(w, r) {
		return
	}
	access, anonymous, known := s.identify(r)
	if !known {
		fail(w, http.StatusUnauthorized, "Bad credentials")
		return
	}
	owner, ofOrg := strings.ToLower(r.PathValue("owner")), strings.HasPrefix(r.URL.Path, "/orgs/")
	list, there := []object{}, false
	for _, name := range slices.Sorted(maps.Keys(s.repositories)) {
		repo := s.repositories[name]
		if !strings.HasPrefix(name, owner+"/") {
			continue
		}
		there = true
		if !repo.private || ofOrg && !anonymous && access.covers(repo.name) {
			list = append(list, s.repositoryInfo(repo))
		}
	}
	if !there || ofOrg && strings.HasPrefix(owner, "user-") {
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	reply(w, http.StatusOK, list)
}

// getRepository serves GET /repos/O/R: a full-repository.
func (s *Server) getRepository(c call) {
	o := s.repositoryInfo(c.repo)
	visibility := "public"
	if c.repo.private {
		visibility = "private"
	}
	for field, value := range (object{
		"default_branch": c.repo.branch, "visibility": visibility, "clone_url": s.url + "/" + c.repo.name + ".git",
		"git_url": "git:127.0.0.1/" + c.repo.name + ".git", "ssh_url": "git@127.0.0.1:" + c.repo.name + ".git", "svn_url": s.url + "/" + c.repo.name,
		"mirror_url": nil, "homepage": nil, "language": nil, "license": nil, "archived": false, "disabled": false, "size": 0,
		"has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false, "has_discussions": false,
		"forks": 0, "forks_count": 0, "open_issues": 0, "open_issues_count": 0, "stargazers_count": 0, "watchers": 0,
		"watchers_count": 0, "network_count": 0, "subscribers_count": 0,
		"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z", "pushed_at": "2020-01-01T00:00:00Z",
	}) {
		o[field] = value
	}
	reply(c.w, http.StatusOK, o)
}
