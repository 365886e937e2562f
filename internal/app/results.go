// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/github"
	"github.com/spdk-community-ci/dispatcher/internal/publish"
	"github.com/spdk-community-ci/dispatcher/internal/store"
)

// results publishes what the runs of one project left behind. A storage that
// fails once is not tried again in this process, and all copying together gets
// the time that is configured for it: verdicts wait meanwhile.
type results struct {
	project *config.Project
	wire    *wiring
	source  publish.Source
	spent   time.Duration
	broken  error
}

var errNoTime = fault.New(fault.Transient, "no time was left for copying").
	WithHint("raise report.publish.time, and the time limit of the job with it")

// Publish copies the results of one run.
func (r *results) Publish(ctx context.Context, b publish.Batch) (publish.Published, error) {
	settings := r.project.Report.Publish
	left := settings.Time - r.spent
	switch {
	case r.broken != nil:
		return publish.Published{}, r.broken
	case settings.Time > 0 && left <= 0:
		return publish.Published{}, errNoTime
	}
	st, err := r.wire.storage(settings)
	if err != nil {
		r.broken = err
		return publish.Published{}, err
	}
	p := publish.Publisher{
		Store: st, Source: r.source, Keep: settings.Keep, Time: max(left, 0), Now: r.wire.app.Now,
		Log: func(format string, args ...any) { r.wire.log(format, args...) },
	}
	b.Key.Server = r.project.Gerrit.Name // its folder, and that of all old results: see expire
	begin := r.wire.app.Now()
	out, err := p.Publish(ctx, b)
	r.spent += r.wire.app.Now().Sub(begin)
	if err != nil && ctx.Err() == nil {
		r.broken = err
	}
	return out, err
}

// storage opens the storage that results are copied to. It sends nothing.
func (w *wiring) storage(p config.Publish) (*store.Store, error) {
	rt, err := w.transports.get("")
	if err != nil {
		return nil, err
	}
	return store.Open(store.Options{
		Endpoint: p.Endpoint, Key: p.Key.Reveal(), Secret: p.Secret.Reveal(), Region: p.Region, Bucket: p.Bucket,
		Prefix: p.Prefix, PathStyle: store.PathStyle(p.PathStyle), PublicURL: p.URL,
		Transport: rt, UserAgent: w.app.userAgent(), Now: w.app.Now, Sleep: w.app.Sleep,
	})
}

const (
	// expireEvery is the time between two looks for old results.
	expireEvery = 24 * time.Hour
	// expireTime ends such a look; the next one goes on.
	expireTime = 2 * time.Minute
	// expireMark is the object whose age tells when the last look was.
	expireMark = ".looked-for-old-results"
)

// expire deletes old results of a project, at most once a day: a pass costs one
// small request to the storage otherwise.
func (w *wiring) expire(ctx context.Context, p *config.Project) error {
	settings := p.Report.Publish
	if !settings.On || settings.Keep == 0 {
		return nil
	}
	st, err := w.storage(settings)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, expireTime)
	defer cancel()
	folder := path.Join(p.Gerrit.Name, p.Name)
	mark, err := publish.Mark(folder, expireMark)
	if err != nil {
		return err
	}
	now := w.app.Now()
	last, err := st.Stat(ctx, mark)
	switch {
	case err == nil && now.Sub(last.Modified) < expireEvery:
		return nil
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	}
	n, size, err := publish.Expire(ctx, st, folder, now, settings.Keep)
	w.log("%s: deleted %d old results, %d bytes", p.Name, n, size)
	if err != nil {
		return err
	}
	note, remains := st.Remains(ctx, folder+"/")
	if note != "" {
		w.log("%s: %s", p.Name, note)
	}
	// Deleted first, so that no bucket keeps a version of it for each day.
	return errors.Join(remains, st.Delete(ctx, mark), st.Put(ctx, mark, strings.NewReader(""), 0, "text/plain"))
}

// downloads gives what is copied.
type downloads struct{ *github.Client }

// Artifact opens an artifact.
func (d downloads) Artifact(ctx context.Context, repository string, id int64) (io.ReadCloser, error) {
	r, _, err := d.OpenArtifact(ctx, repository, id)
	if errors.Is(err, github.ErrGone) {
		return nil, publish.ErrGone
	}
	return r, err
}

// Log opens the whole log of a job.
func (d downloads) Log(ctx context.Context, repository string, jobID int64) (io.ReadCloser, error) {
	r, err := d.OpenLog(ctx, repository, jobID)
	if errors.Is(err, github.ErrGone) {
		return nil, publish.ErrGone
	}
	return r, err
}
