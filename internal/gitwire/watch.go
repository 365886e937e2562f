// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// watch ends a request that moves no bytes, or that takes too long. Its clock
// runs only while the server is to blame: not while we wait for the source of
// an upload, and not while the reader of an answer is busy elsewhere.
type watch struct {
	parent context.Context
	ctx    context.Context
	idle   time.Duration
	stop   func() // frees everything; the request ends

	mu        sync.Mutex
	timer     *time.Timer
	stopped   bool
	sourcing  bool // inside a Read of the upload's source
	uploading bool // the body is not sent whole
	waiting   bool // for the header, or inside a Read of the answer
}

// errTimeout is the cause of a request that the watch ended.
var errTimeout = errors.New("timeout")

func newWatch(parent context.Context, o Options) *watch {
	w := &watch{parent: parent, idle: o.Idle, waiting: true}
	ctx, cancel := context.WithCancelCause(parent)
	ctx, free := context.WithTimeoutCause(ctx, o.Total,
		fmt.Errorf("%w: the request took longer than %v", errTimeout, o.Total))
	w.ctx = ctx
	w.timer = time.AfterFunc(o.Idle, func() {
		cancel(fmt.Errorf("%w: the server moved no data for %v", errTimeout, o.Idle))
	})
	w.stop = func() {
		w.note(func() { w.stopped = true })
		free()
		cancel(nil)
	}
	return w
}

// note changes what is going on and starts the idle time anew.
func (w *watch) note(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	if w.stopped || w.sourcing || !w.uploading && !w.waiting {
		w.timer.Stop()
	} else {
		w.timer.Reset(w.idle)
	}
}

// explain classifies an error of the request's I/O.
func (w *watch) explain(err error) error {
	if err == nil {
		return nil
	}
	if w.parent.Err() != nil {
		return context.Cause(w.parent)
	}
	if cause := context.Cause(w.ctx); errors.Is(cause, errTimeout) {
		return fault.Wrap(fault.Transient, cause)
	}
	return classifyNetwork(err)
}
