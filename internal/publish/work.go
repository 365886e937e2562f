// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// maxFailures is how many files in a row may fail before the store is given up:
// each has been tried several times by then.
const maxFailures = 3

// work is one batch under way.
type work struct {
	*Publisher
	b      Batch
	folder string
	taken  names // paths in the folder

	left      int64 // bytes that may still be stored
	leftFiles int

	big sync.Mutex // one large file at a time, so that memory stays flat

	mu       sync.Mutex
	failures int   // of the store, in a row
	fatal    error // the store is given up
}

func (p *Publisher) newWork(b Batch) (*work, error) {
	folder, err := Folder(b.Project, b.Key, b.Attempt)
	if err != nil {
		return nil, err
	}
	w := &work{Publisher: p, b: b, folder: folder, taken: names{}}
	w.left, w.leftFiles = p.Limits.withDefaults().Total, p.Limits.withDefaults().Files
	return w, nil
}

func (l Limits) withDefaults() Limits {
	if l.Archive == 0 {
		l.Archive = 4 << 30
	}
	if l.Log == 0 {
		l.Log = 256 << 20
	}
	if l.Total == 0 {
		l.Total = 8 << 30
	}
	if l.Files == 0 {
		l.Files = 5000
	}
	return l
}

var (
	errBroken  = errors.New("the storage failed before")
	errTooMuch = errors.New("the run has more results than may be kept")
)

// broken returns why the work cannot go on, or nil.
func (w *work) broken(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fatal
}

// untried says why something was not even tried.
func untried(why error) string {
	if errors.Is(why, errLate) {
		return errLate.Error()
	}
	return errBroken.Error()
}

// put stores one file, and says why if it cannot. It may be called from several
// goroutines.
func (w *work) put(ctx context.Context, f *File, path string, r io.Reader, size int64, contentType string) {
	if err := w.broken(ctx); err != nil {
		f.Problem = untried(err)
		return
	}
	src := &source{r: r}
	err := w.Store.Put(ctx, w.folder+"/"+path, src, size, contentType)
	switch {
	case err == nil:
		f.URL, f.Size = w.Store.URL(w.folder+"/"+path), src.n
	case ctx.Err() != nil:
		f.Problem = context.Cause(ctx).Error()
		return // not the store's failure
	case src.err != nil:
		f.Problem = reason(src.err)
		return // nor this
	default:
		f.Problem = reason(err)
	}
	w.account(err)
}

// account decides when the store is given up.
func (w *work) account(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	kind := fault.KindOf(err)
	if err == nil || kind == fault.Permanent { // the name, say: others may go
		w.failures = 0
		return
	}
	w.failures++
	switch {
	case w.fatal != nil:
	case kind != fault.Transient: // a wrong secret, say
		w.fatal = err
	case w.failures == maxFailures:
		w.fatal = fault.New(fault.Transient, "failed to store %d files in a row, the last time: %w", maxFailures, err)
	}
}

// source notes whose failure a failed Put is.
type source struct {
	r   io.Reader
	n   int64
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// limited is a reader that fails when there is more than was allowed.
type limited struct {
	r    io.Reader
	left int64
	what string
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, fault.New(fault.Permanent, "%s", l.what)
	}
	return n, err
}

// reason makes one short line of an error.
func reason(err error) string {
	if errors.Is(err, ErrGone) {
		return ErrGone.Error()
	}
	text := change.OneLine(change.Clip(err.Error(), 400))
	if hint := fault.HintOf(err); hint != "" {
		text = fmt.Sprintf("%s (%s)", text, change.OneLine(hint))
	}
	return text
}
