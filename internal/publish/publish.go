// SPDX-License-Identifier: BSD-3-Clause

// Package publish copies the artifacts and logs of a run from GitHub to a store
// that readers without a GitHub account can open, writes a page that lists them,
// and returns links for the message about the run.
//
// What a run leaves behind is made by a patch that nobody has reviewed yet. So
// paths, sizes, numbers and types are checked here: a zip cannot write outside
// its folder or fill the store, and no file is served as something that a browser
// would execute (kind.go) unless that was asked for. What cannot be copied is
// named with the reason, and the rest goes on.
//
// The package chooses nothing (the caller says which artifacts and logs), hides
// nothing (GitHub masks secrets in logs) and restricts nobody: addresses can be
// guessed, so do not publish what belongs to a private change.
package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Store keeps what is published. Names are relative paths.
type Store interface {
	// Put stores what r gives in place of what was there; size -1 is unknown.
	Put(ctx context.Context, name string, r io.Reader, size int64, contentType string) error
	// URL is where readers find an object.
	URL(name string) string
}

// Source is where artifacts and logs are.
type Source interface {
	// Artifact opens the zip of an artifact, or the one file of an artifact that
	// is none. The error is ErrGone if it has expired.
	Artifact(ctx context.Context, repository string, id int64) (io.ReadCloser, error)
	// Log opens the log of a job. The error is ErrGone if there is none.
	Log(ctx context.Context, repository string, jobID int64) (io.ReadCloser, error)
}

// ErrGone says that the source does not have it (any more).
var ErrGone = errors.New("GitHub does not have it any more")

// Limits bound what one run may leave in the store. A zero stands for the
// default.
type Limits struct {
	Archive int64 // bytes of one artifact as GitHub has it; 4 GiB
	Log     int64 // bytes of one log; 256 MiB
	Total   int64 // bytes that are stored; 8 GiB
	Files   int   // files that are stored; 5000
}

// Publisher copies results of runs.
type Publisher struct {
	Store  Store
	Source Source
	Limits Limits
	// AllowHTML serves web pages, SVG and scripts as what they are. Then a patch
	// can run its scripts in readers' browsers under the store's address, so that
	// must be an address which nothing else uses.
	AllowHTML bool
	// Keep is how long results are kept, for the page; 0 says nothing.
	Keep time.Duration
	// Time is how long copying may take; what is not copied by then is named on the
	// page. 0 is no limit.
	Time time.Duration
	// TempDir is where artifacts are put for a while; empty is the system's.
	TempDir string
	// Now tells the time for the page; it must be set.
	Now func() time.Time
	// Log, if not nil, is told in one printable line what is being copied.
	Log func(format string, args ...any)
}

// Batch is one run and what is to be copied of it.
type Batch struct {
	// Project is Gerrit's name of it.
	Project string
	// ChangeURL and Subject are shown on the page.
	ChangeURL, Subject string
	Key                change.Key
	// Repository is OWNER/NAME of the CI repository.
	Repository string
	Run        change.Run
	// Attempt is the run attempt, from 1: a rerun has a folder of its own.
	Attempt   int
	Jobs      []change.Job // whose logs are copied
	Artifacts []change.Artifact
}

// Publish copies a batch. What it returns is valid with an error, too. The error
// says that the store cannot be used, or that ctx ended; what could not be copied
// otherwise is in the result. To publish a batch again is harmless.
func (p *Publisher) Publish(ctx context.Context, b Batch) (Published, error) {
	w, err := p.newWork(b)
	if err != nil {
		return Published{}, err
	}
	out := Published{workflow: b.Key.Workflow}
	w.copy(ctx, &out)
	if err := w.broken(ctx); err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	if err := w.writeIndex(ctx, out); err != nil {
		return out, err
	}
	out.Index = p.Store.URL(w.folder + "/" + indexName)
	return out, nil
}

// pageTime is how long the page may take, which is small.
const pageTime = 30 * time.Second

// errLate ends the copying.
var errLate = errors.New("there was no time left to copy it")

// copy copies logs and artifacts while there is time.
func (w *work) copy(ctx context.Context, out *Published) {
	if w.Time > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, w.Time, errLate)
		defer cancel()
	}
	for _, j := range w.b.Jobs {
		out.Logs = append(out.Logs, w.log(ctx, j))
	}
	for _, a := range w.b.Artifacts {
		out.Artifacts = append(out.Artifacts, w.artifact(ctx, a))
	}
}

// Cleaner deletes what a Store keeps. Prefixes and names are those of the Store.
type Cleaner interface {
	DeleteOlder(ctx context.Context, prefix string, before time.Time, keep func(name string) bool) (n int, bytes int64, err error)
	DropUploads(ctx context.Context, prefix string, before time.Time) (int, error)
}

// Expire deletes what was published of a project longer than keep ago, and
// uploads that were never finished. Where folders begin with a server's name, it
// stands before the project's, with a slash between. It returns the number of
// files and their size.
func Expire(ctx context.Context, c Cleaner, project string, now time.Time, keep time.Duration) (n int, bytes int64, err error) {
	folder, err := projectFolder(project)
	if err != nil {
		return 0, 0, err
	}
	if keep <= 0 {
		return 0, 0, fault.New(fault.Configuration, "failed to delete old results of %s: the time to keep them is not positive", folder)
	}
	n, bytes, err = c.DeleteOlder(ctx, folder+"/", now.Add(-keep), func(name string) bool { return !ofChange(folder, name) })
	// What is being uploaded now must be left alone.
	_, dropErr := c.DropUploads(ctx, folder+"/", now.Add(-max(keep, 24*time.Hour)))
	return n, bytes, errors.Join(err, dropErr)
}

// ofChange tells what was published of a change from what is in the same folder:
// a project below this one, and marks.
func ofChange(folder, name string) bool {
	number, _, _ := strings.Cut(strings.TrimPrefix(name, folder+"/"), "/")
	_, err := strconv.Atoi(number)
	return err == nil
}

// Mark names an object beside a project's results that is not one of them and
// does not expire.
func Mark(project, name string) (string, error) {
	folder, err := projectFolder(project)
	return folder + "/" + name, err
}

func (p *Publisher) say(format string, args ...any) {
	if p.Log != nil {
		p.Log("%s", change.OneLine(fmt.Sprintf(format, args...)))
	}
}
