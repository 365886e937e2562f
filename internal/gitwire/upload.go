// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"errors"
	"io"
	"sync"
)

// payload is the body of a request.
type payload struct {
	// size is the body's length in bytes; -1 sends it in chunks.
	size int64
	// open returns the body from its first byte. It is called once when
	// streamed is set, and as often as needed otherwise.
	open     func() io.Reader
	streamed bool
	// release frees a source that may block in Read; it may be nil, is safe to
	// call at any time and more than once.
	release func()
}

// errStopped is what net/http reads from an upload that nobody wants any more.
var errStopped = errors.New("the upload was stopped")

// upload is a request body that can be stopped: net/http may go on reading a
// body after the server answered, even after RoundTrip returned.
type upload struct {
	source  io.Reader
	release func()
	watch   *watch

	turn sync.Mutex // held in Read
	err  error      // of the source, other than io.EOF; guarded by turn

	// held is closed once nobody wants more of the source, gone once the
	// request is over.
	held, gone chan struct{}
	hold, end  func() // close them; only the first call counts
}

func newUpload(p payload, w *watch) *upload {
	u := &upload{source: p.open(), release: p.release, watch: w,
		held: make(chan struct{}), gone: make(chan struct{})}
	u.hold = sync.OnceFunc(func() {
		close(u.held)
		u.rest() // a source that hangs is no excuse for the server any more
	})
	u.end = sync.OnceFunc(func() { close(u.gone) })
	w.note(func() { w.uploading = true })
	return u
}

// Read implements io.Reader. Once the upload is held it waits instead of
// failing: a failed body makes net/http break the connection, and with it the
// answer that explains why the upload is not wanted.
func (u *upload) Read(p []byte) (int, error) {
	u.turn.Lock()
	defer u.turn.Unlock()
	if u.isHeld() {
		return u.refuse()
	}
	u.watch.note(func() { u.watch.sourcing = true })
	n, err := u.source.Read(p)
	if u.isHeld() {
		return u.refuse()
	}
	u.watch.note(func() { u.watch.sourcing, u.watch.uploading = false, err == nil })
	if err != nil && err != io.EOF {
		u.err = err
	}
	return n, err
}

func (u *upload) isHeld() bool {
	select {
	case <-u.held:
		return true
	default:
		return false
	}
}

func (u *upload) refuse() (int, error) {
	<-u.gone
	return 0, errStopped
}

// Close implements io.Closer for net/http.
func (u *upload) Close() error {
	u.rest()
	return nil
}

// rest tells the watch that the server need not take more of the body.
func (u *upload) rest() {
	u.watch.note(func() { u.watch.sourcing, u.watch.uploading = false, false })
}

// finish stops the upload, frees its source, and waits until nobody reads it.
func (u *upload) finish() {
	u.hold()
	u.end()
	if u.release != nil {
		u.release()
	}
	u.turn.Lock() // waits for a Read that is under way
	defer u.turn.Unlock()
	u.rest()
}

// sourceError returns the error that ended the source, if one did. It is called
// when the request has failed, so a Read that is under way is about to end.
func (u *upload) sourceError() error {
	u.turn.Lock()
	defer u.turn.Unlock()
	return u.err
}
