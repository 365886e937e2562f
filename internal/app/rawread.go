// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/github"
	"github.com/spdk-community-ci/dispatcher/internal/publish"
)

// The two reads of this file have no place in the clients of Gerrit and GitHub
// yet: each is one GET whose failure costs a comment or a copy, never a verdict.
// So they are tried once.

// send makes one GET and follows no redirect.
func send(ctx context.Context, rt http.RoundTripper, agent, address string, sign func(*http.Request)) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fault.New(fault.Ours, "the address cannot be used")
	}
	req.Header.Set("User-Agent", agent)
	sign(req)
	client := &http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // without the address, which may be as good as a password
	}
	if err != nil {
		return nil, fault.New(fault.Transient, "%s: %w", req.URL.Host, err)
	}
	return resp, nil
}

// jobLogs opens whole logs of jobs.
// https://docs.github.com/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run
type jobLogs struct {
	api, agent string
	rt         http.RoundTripper
	token      github.TokenSource
}

func (j jobLogs) open(ctx context.Context, repository string, jobID int64) (io.ReadCloser, error) {
	body, err := j.follow(ctx, fmt.Sprintf("%s/repos/%s/actions/jobs/%d/logs", j.api, repository, jobID))
	if err != nil && !errors.Is(err, publish.ErrGone) {
		return nil, fault.New(fault.KindOf(err), "failed to read the log of job %d of %s: %w", jobID, repository, err)
	}
	return body, err
}

// follow asks for the address of a log, which is good for a minute and needs no
// token, and goes there without one.
func (j jobLogs) follow(ctx context.Context, address string) (io.ReadCloser, error) {
	token, err := j.token(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := send(ctx, j.rt, j.agent, address, func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Accept", "application/vnd.github+json")
	})
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	if err := judgeStatus(resp, http.StatusFound); err != nil {
		return nil, err
	}
	to, err := resp.Location()
	if err != nil || !mayFollow(resp.Request.URL, to) {
		return nil, fault.New(fault.Permanent, "GitHub gave no address for it that can be trusted")
	}
	resp, err = send(ctx, j.rt, j.agent, to.String(), func(*http.Request) {})
	if err != nil {
		return nil, err
	}
	if err := judgeStatus(resp, http.StatusOK); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp.Body, nil
}

// judgeStatus tells what is gone from what failed.
func judgeStatus(resp *http.Response, want int) error {
	switch code := resp.StatusCode; {
	case code == want:
		return nil
	case code == http.StatusNotFound, code == http.StatusGone:
		return publish.ErrGone
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return fault.New(fault.Configuration, "%s answered %d", resp.Request.URL.Host, code).WithHint("the token needs Actions: read")
	default:
		return fault.New(fault.Transient, "%s answered %d", resp.Request.URL.Host, code)
	}
}

// mayFollow allows encrypted addresses, and servers on this machine that send to
// themselves.
func mayFollow(from, to *url.URL) bool {
	here := func(u *url.URL) bool { return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback() }
	return to.Host != "" && to.User == nil && (to.Scheme == "https" || to.Scheme == "http" && from.Scheme == "http" && here(from) && here(to))
}

// diffs reads which lines patchsets change.
// https://gerrit-review.googlesource.com/Documentation/rest-api-changes.html#get-diff
type diffs struct {
	at    config.Gerrit
	agent string
	rt    http.RoundTripper
}

// ChangedLines returns the lines of a file that a patchset adds or changes.
func (d diffs) ChangedLines(ctx context.Context, number int, rev change.Revision, file string) ([][2]int, error) {
	base := d.at.URL
	if d.at.Username != "" {
		base += "/a"
	}
	name := strings.ReplaceAll(url.QueryEscape(file), "+", "%20") // Gerrit reads a plus sign as a space
	address := fmt.Sprintf("%s/changes/%d/revisions/%s/files/%s/diff?context=0&intraline=false&whitespace=IGNORE_NONE", base, number, rev, name)
	resp, err := send(ctx, d.rt, d.agent, address, func(r *http.Request) {
		if d.at.Username != "" {
			r.SetBasicAuth(d.at.Username, d.at.Password.Reveal())
		}
	})
	if err == nil {
		defer resp.Body.Close()
		err = judgeDiff(resp)
	}
	if err != nil {
		return nil, fault.New(fault.KindOf(err), "failed to read what change %d changes in a file: %w", number, err)
	}
	return parseDiff(resp.Body)
}

func judgeDiff(resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return fault.New(fault.Transient, "%s answered %d", resp.Request.URL.Host, resp.StatusCode)
	}
	return nil
}

// maxDiff bounds a diff; Gerrit itself gives up far below.
const maxDiff = 16 << 20

// parseDiff reads Gerrit's DiffInfo: parts that are on both sides, that were
// replaced, or that are left out.
func parseDiff(r io.Reader) ([][2]int, error) {
	r = io.LimitReader(r, maxDiff)
	mark := make([]byte, len(")]}'"))
	if _, err := io.ReadFull(r, mark); err != nil || string(mark) != ")]}'" {
		return nil, fault.New(fault.Permanent, "the answer is no diff of Gerrit's")
	}
	var diff struct {
		Content []struct {
			AB   []string `json:"ab"`
			B    []string `json:"b"`
			Skip int      `json:"skip"`
		} `json:"content"`
	}
	if err := json.NewDecoder(r).Decode(&diff); err != nil {
		return nil, fault.New(fault.Permanent, "the answer is no diff of Gerrit's: %w", err)
	}
	lines := [][2]int{}
	line := 1
	for _, part := range diff.Content {
		if n := len(part.B); n > 0 {
			lines = append(lines, [2]int{line, line + n - 1})
		}
		line += len(part.AB) + len(part.B) + max(part.Skip, 0)
	}
	return lines, nil
}
