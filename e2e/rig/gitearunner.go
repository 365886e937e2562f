// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// GiteaRunner is a runner of a Gitea that runs nothing: it takes the next job and
// says how it ended. It speaks the runner's protocol (runner.v1.RunnerService of
// code.gitea.io/actions-proto-go), which can be had as JSON.
type GiteaRunner struct {
	gitea       *Gitea
	uuid, token string
}

// NewRunner registers a runner with a label for a repository OWNER/NAME.
func (g *Gitea) NewRunner(ctx context.Context, repository, label string) (*GiteaRunner, error) {
	var ticket struct{ Token string }
	if err := g.Call(ctx, http.MethodPost, "/repos/"+repository+"/actions/runners/registration-token", nil, &ticket); err != nil {
		return nil, err
	}
	r := &GiteaRunner{gitea: g}
	var made struct {
		Runner struct{ UUID, Token string }
	}
	if err := r.call(ctx, "Register", map[string]any{"name": "rig", "token": ticket.Token, "labels": []string{label}, "version": "v1"}, &made); err != nil {
		return nil, err
	}
	r.uuid, r.token = made.Runner.UUID, made.Runner.Token
	return r, r.call(ctx, "Declare", map[string]any{"labels": []string{label}, "version": "v1"}, nil)
}

// End takes the next job and ends it with a result, success or failure. The log
// has a line of the test's, and what act writes behind the step "tests".
func (r *GiteaRunner) End(ctx context.Context, success bool, line string) error {
	var next struct {
		Task *struct {
			ID json.Number // JSON of protocol buffers has 64 bits in a string
		}
	}
	if err := r.call(ctx, "FetchTask", map[string]any{"tasksVersion": "0"}, &next); err != nil {
		return err
	}
	if next.Task == nil {
		return errors.New("Gitea has no job for the runner")
	}
	now := time.Now().UTC().Format(time.RFC3339)
	result, log := "RESULT_FAILURE", []string{"\u2b50 Run Main tests", line, "  \u274c  Failure - Main tests", "exitcode '1': failure", "\U0001f3c1  Job failed"}
	if success {
		result, log = "RESULT_SUCCESS", []string{"\u2b50 Run Main tests", line, "  \u2705  Success - Main tests", "\U0001f3c1  Job succeeded"}
	}
	var rows []any
	for _, text := range log {
		rows = append(rows, map[string]any{"time": now, "content": text})
	}
	err := r.call(ctx, "UpdateLog", map[string]any{"taskId": next.Task.ID.String(), "index": "0", "noMore": true, "rows": rows}, nil)
	if err != nil {
		return err
	}
	return r.call(ctx, "UpdateTask", map[string]any{"state": map[string]any{
		"id": next.Task.ID.String(), "result": result, "startedAt": now, "stoppedAt": now,
		"steps": []any{map[string]any{"id": "0", "result": result, "startedAt": now, "stoppedAt": now, "logIndex": "0", "logLength": strconv.Itoa(len(rows))}},
	}}, nil)
}

func (r *GiteaRunner) call(ctx context.Context, method string, in, out any) error {
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.gitea.URL+"/api/actions/runner.v1.RunnerService/"+method, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("x-runner-uuid", r.uuid)
	req.Header.Set("x-runner-token", r.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("runner: %s: %s: %s", method, resp.Status, bytes.TrimSpace(answer))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}
