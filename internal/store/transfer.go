// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// workers returns how many parts travel at once.
func workers(asked, parts int) int {
	if asked <= 0 {
		asked = defaultWorkers
	}
	return max(1, min(asked, maxWorkers, parts))
}

// partCount is the number of parts of an object; an empty one has none.
func partCount(size, part int64) int { return int((size + part - 1) / part) }

// partLength is the size of part i, counted from 0.
func partLength(i int, size, part int64) int64 { return min(part, size-int64(i)*part) }

// inParallel calls work for 0 to n-1, in order, from so many goroutines, each of
// which has a work of its own. The first failure ends the others.
func inParallel(ctx context.Context, workers, n int, newWork func() func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var group sync.WaitGroup
	for range workers {
		work := newWork()
		group.Go(func() {
			for i := range next {
				if err := work(ctx, i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
feed:
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	group.Wait()
	return context.Cause(ctx)
}

// progress counts what is done and tells it.
type progress struct {
	tell  func(done, total int64)
	total int64

	mu   sync.Mutex
	done int64
}

func (p *progress) add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	if p.tell != nil {
		p.tell(p.done, p.total)
	}
}

// restart begins to count anew.
func (p *progress) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = 0
}

// sourceFile is a file that is uploaded. It must not change meanwhile.
type sourceFile struct {
	*os.File
	size  int64
	mtime time.Time
}

func openSource(path, doing string) (*sourceFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to %s: %w", doing, err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fault.New(fault.Permanent, "failed to %s: %s is no regular file", doing, path)
	case info.Size() > MaxObject:
		err = fault.New(fault.Permanent, "failed to %s: it is larger than %d GiB", doing, MaxObject>>30)
	default:
		return &sourceFile{File: file, size: info.Size(), mtime: info.ModTime()}, nil
	}
	file.Close()
	return nil, err
}

// unchanged returns an error if somebody wrote to the file since it was opened.
func (f *sourceFile) unchanged(doing string) error {
	info, err := f.Stat()
	if err != nil {
		return fault.New(fault.Ours, "failed to %s: %w", doing, err)
	}
	if info.Size() != f.size || !info.ModTime().Equal(f.mtime) {
		return fault.New(fault.Permanent, "failed to %s: %s was changed meanwhile", doing, f.Name()).
			WithHint("end what writes to it (a virtual machine that runs from it, say), and upload it again")
	}
	return nil
}
