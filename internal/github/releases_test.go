// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestRelease goes from a draft to a published release whose upload broke once.
func TestRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	ctx, c := t.Context(), w.client
	draft, err := c.DraftRelease(ctx, "org/ci", "v1.0.0", "notes")
	if err != nil {
		t.Fatal(err)
	}
	w.server.Faults.Add(faults.Rule{Path: regexp.MustCompile("/assets"), Times: 1, Do: faults.LoseReply()})
	if err := c.UploadAsset(ctx, "org/ci", draft, "program", []byte("bytes")); fault.KindOf(err) != fault.Transient {
		t.Errorf("a lost answer: got %v", err)
	}
	checkFailure(t, c.UploadAsset(ctx, "org/ci", draft, "program", []byte("bytes")), fault.Configuration, "already_exists")
	found, err := c.Releases(ctx, "org/ci", "v1.0.0")
	if err != nil || len(found) != 1 || len(found[0].Assets) != 1 || found[0].Assets[0].Digest == "" {
		t.Fatalf("got %+v, %v; want one release with one file", found, err)
	}
	for range 2 {
		if err := c.DeleteAsset(ctx, "org/ci", draft, found[0].Assets[0]); err != nil {
			t.Error(err)
		}
	}
	if err := c.UploadAsset(ctx, "org/ci", draft, "program", []byte("bytes")); err != nil {
		t.Error(err)
	}
	for range 2 {
		if r, err := c.PublishRelease(ctx, "org/ci", draft, "notes", true); err != nil || r.Draft || len(r.Assets) != 1 {
			t.Errorf("publish: got %+v, %v", r, err)
		}
	}
	if other, err := c.Releases(ctx, "org/ci", "v1.0.1"); len(other) != 0 || err != nil {
		t.Errorf("another tag: got %v, %v", other, err)
	}
}

// TestReleaseRefused: what must not be believed, and where the token must not go.
func TestReleaseRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	ctx, c := t.Context(), w.client
	err := c.UploadAsset(ctx, "org/ci", Release{Tag: "v1.0.0", upload: "http://uploads.example.org/x"}, "program", []byte("bytes"))
	checkFailure(t, err, fault.Configuration, "begins with https")
	w.server.Faults.Add(faults.Rule{Method: http.MethodPost, Do: faults.Answer(http.StatusCreated, `{"id":1,"tag_name":"v2.0.0","draft":true}`)})
	_, err = c.DraftRelease(ctx, "org/ci", "v1.0.0", "")
	checkFailure(t, err, fault.Transient, "not what GitHub's REST API describes")
	w.server.Faults.Clear()
	w.server.Faults.Add(faults.Rule{Method: http.MethodPost, Do: faults.Answer(http.StatusNotFound, `{"message":"Not Found"}`)})
	_, err = c.DraftRelease(ctx, "org/ci", "v1.0.0", "")
	checkFailure(t, err, fault.Configuration, "Workflows: write")
	_, err = c.Releases(ctx, "ci", "v1.0.0")
	checkFailure(t, err, fault.Configuration, "OWNER/NAME")
}

func TestRunsOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	head := w.repo.Refs()["refs/heads/main"]
	w.server.AddRun(standin.Run{Repository: "org/ci", Workflow: "ci.yml", Event: "push", Branch: "main", Head: head, Status: "completed", Conclusion: "success"})
	w.server.AddRun(standin.Run{Repository: "org/ci", Workflow: "ci.yml", Event: "push", Branch: "main", Head: "1" + head[1:]})
	runs, err := w.client.RunsOf(t.Context(), "org/ci", change.Revision(head))
	if err != nil || len(runs) != 1 || runs[0].Workflow != "ci.yml" || runs[0].Conclusion != "success" {
		t.Errorf("got %+v, %v", runs, err)
	}
}
