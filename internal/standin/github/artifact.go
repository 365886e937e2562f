// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"archive/zip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Artifact is a file set that a run kept.
type Artifact struct {
	ID    int64
	Name  string
	Files map[string]string // by path
	// Filler is the size of one more file, filler.bin, that is made while it is
	// sent.
	Filler int64
	// Created is set by AddArtifact if it is zero. An artifact expires after 90
	// days, or when ExpireArtifact says so.
	Created time.Time

	run     *Run
	size    int64 // of the zip file
	expired bool
}

const (
	firstArtifact = 5_000_000_001
	artifactLife  = 90 * 24 * time.Hour
)

// AddArtifact adds an artifact to a run and returns its id.
func (s *Server) AddArtifact(runID int64, a Artifact) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.run = s.runByID(runID)
	a.ID = firstArtifact + int64(len(s.artifacts))
	if a.Created.IsZero() {
		a.Created = s.now()
	}
	a.Files = maps.Clone(a.Files)
	var n counter
	if err := a.writeZip(&n); err != nil {
		s.o.Fail(err)
	}
	a.size = int64(n)
	s.artifacts = append(s.artifacts, &a)
	return a.ID
}

// ExpireArtifact removes an artifact's content before its time.
func (s *Server) ExpireArtifact(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.artifacts {
		if a.ID == id {
			a.expired = true
			return
		}
	}
	s.o.Fail(fmt.Errorf("there is no artifact %d", id))
}

// counter counts what is written to it.
type counter int64

func (n *counter) Write(p []byte) (int, error) {
	*n += counter(len(p))
	return len(p), nil
}

// writeZip writes the zip file, the same bytes each time.
func (a Artifact) writeZip(out io.Writer) error {
	z := zip.NewWriter(out)
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, a.Files[name])
		}
		if err != nil {
			return err
		}
	}
	if a.Filler > 0 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "filler.bin", Method: zip.Store})
		if err == nil {
			err = fillLines(w, fillerLine, a.Filler)
		}
		if err != nil {
			return err
		}
	}
	return z.Close()
}

// isExpired needs a locked server.
func (s *Server) isExpired(a *Artifact) bool {
	return a.expired || !s.now().Before(a.Created.Add(artifactLife))
}

// listArtifacts serves GET .../actions/runs/ID/artifacts, newest first.
// https://docs.github.com/rest/actions/artifacts
func (s *Server) listArtifacts(c call) {
	run := s.findRun(c)
	if run == nil {
		return
	}
	var found []*Artifact
	for _, a := range slices.Backward(s.artifacts) {
		if a.run == run {
			found = append(found, a)
		}
	}
	list := []any{}
	for _, a := range onPage(c, found) {
		list = append(list, s.artifactInfo(a))
	}
	if s.o.ForgejoAPI {
		reply(c.w, http.StatusOK, list)
		return
	}
	reply(c.w, http.StatusOK, object{"total_count": len(found), "artifacts": list})
}

func (s *Server) artifactInfo(a *Artifact) object {
	self := s.apiURL(a.run.Repository, "actions/artifacts/%d", a.ID)
	return object{
		"id": a.ID, "node_id": fmt.Sprintf("A_%d", a.ID), "name": a.Name, "size_in_bytes": a.size, "expired": s.isExpired(a),
		"url": self, "archive_download_url": self + "/zip", "created_at": a.Created.Format(time.RFC3339),
		"updated_at": a.Created.Format(time.RFC3339), "expires_at": a.Created.Add(artifactLife).Format(time.RFC3339),
		"workflow_run": object{"id": a.run.ID, "head_branch": a.run.Branch, "head_sha": a.run.Head},
	}
}

// getArtifact serves GET .../actions/artifacts/ID/zip: the address of the zip
// file, which is good for a minute.
func (s *Server) getArtifact(c call) {
	if !mayDownload(c) {
		return
	}
	id, _ := strconv.ParseInt(c.r.PathValue("artifact"), 10, 64)
	i := slices.IndexFunc(s.artifacts, func(a *Artifact) bool { return a.ID == id && a.run.Repository == c.repo.name })
	switch {
	case i < 0 || c.r.PathValue("format") != "zip":
		fail(c.w, http.StatusNotFound, "Not Found")
	case s.isExpired(s.artifacts[i]): // dawidd6/action-download-artifact#210
		fail(c.w, http.StatusGone, "Artifact has expired")
	default:
		a := *s.artifacts[i]
		s.redirect(c, blob{name: a.Name + ".zip", contentType: "application/zip", size: a.size, write: a.writeZip})
	}
}
