// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// The services of gitprotocol-http(5).
const (
	uploadPack  = "git-upload-pack"
	receivePack = "git-receive-pack"
)

// call is one request.
type call struct {
	service string
	url     *url.URL
	body    *payload // nil makes a GET of info/refs
	v2      bool     // ask for protocol v2
	list    bool     // the answer is a list of refs, which is worth compressing
	refs    int      // that are pushed
}

// contentType returns the type that gitprotocol-http(5) prescribes for the
// answer.
func (c call) contentType() string {
	if c.body == nil {
		return "application/x-" + c.service + "-advertisement"
	}
	return "application/x-" + c.service + "-result"
}

// answer is the body of a checked answer. Close ends the request, and returns
// once nobody reads the request's body any more.
type answer struct {
	response *http.Response
	watch    *watch
	upload   *upload // nil without a request body
}

// post sends a request to a service. It follows a redirect in git's way: the
// repository's address is looked up with a GET, and the request repeated there.
// So is one that finds nothing at an address that was never looked up: GitLab
// redirects the GET alone where the address lacks its ".git".
func (r *Remote) post(ctx context.Context, c call) (*answer, error) {
	c.url = r.endpoint(c.service)
	a, err := r.send(ctx, c)
	_, moved := errors.AsType[*movedError](err)
	if !moved && !r.mayBeElsewhere(err) {
		return a, err
	}
	before := r.String()
	if failed := r.relocate(ctx, c.service); failed != nil && moved {
		return nil, failed
	} else if failed != nil || !moved && r.String() == before {
		return nil, err
	}
	if c.body.streamed {
		return nil, fault.New(fault.Transient, "the repository's address moved to %s while a pack was on its way; nothing was pushed", r).
			WithHint("the next try uses the new address; put it in the configuration")
	}
	c.url = r.endpoint(c.service)
	a, err = r.send(ctx, c)
	if _, moved := errors.AsType[*movedError](err); moved {
		return nil, fault.Wrap(fault.Configuration, err)
	}
	return a, err
}

// send makes one request and checks the head of its answer.
func (r *Remote) send(ctx context.Context, c call) (*answer, error) {
	o := r.options
	o.Idle += time.Duration(c.refs/refsPerIdle) * o.Idle
	w := newWatch(ctx, o)
	a := &answer{watch: w}
	req, err := r.request(w.ctx, c, a)
	if err == nil {
		a.response, err = r.options.Transport.RoundTrip(req)
		err = w.explain(err)
	}
	if err == nil {
		w.note(func() { w.waiting = false })
		err = decode(a.response)
	}
	if err == nil {
		err = r.check(c, a)
	}
	if err != nil {
		return nil, a.fail(err)
	}
	return a, nil
}

func (r *Remote) request(ctx context.Context, c call, a *answer) (*http.Request, error) {
	method := http.MethodGet
	if c.body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url.String(), nil)
	if err != nil {
		return nil, fault.Wrap(fault.Ours, err)
	}
	req.Header.Set("User-Agent", gitClient+" ("+printable(r.options.UserAgent, 100)+")")
	if c.v2 {
		req.Header.Set("Git-Protocol", "version=2")
	}
	if err := r.authorize(req); err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // a pack is compressed already
	if c.body == nil || c.list {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	if c.body == nil {
		return req, nil
	}
	req.Header.Set("Content-Type", "application/x-"+c.service+"-request")
	req.Header.Set("Accept", c.contentType())
	a.upload = newUpload(*c.body, a.watch)
	req.Body, req.ContentLength = a.upload, c.body.size
	if !c.body.streamed {
		req.GetBody = func() (io.ReadCloser, error) { return newUpload(*c.body, a.watch), nil }
	}
	return req, nil
}

// authorize adds the credentials, unless a redirect led to another host.
func (r *Remote) authorize(req *http.Request) error {
	if r.options.Credential == nil || !mayHoldCredentials(r.origin, req.URL) {
		return nil
	}
	user, password, err := r.options.Credential(req.Context())
	if err != nil {
		return fmt.Errorf("failed to get the credentials for %s: %w", r.origin.Host, err)
	}
	req.SetBasicAuth(user, password)
	return nil
}

// mayHoldCredentials tells whether what was meant for one address may be sent
// to another one: to the same server, or to its encrypted side.
func mayHoldCredentials(origin, u *url.URL) bool {
	if !strings.EqualFold(origin.Hostname(), u.Hostname()) {
		return false
	}
	upgraded := origin.Scheme == "http" && u.Scheme == "https"
	return origin.Scheme == u.Scheme && port(origin) == port(u) || upgraded
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// Read reads the answer's body; its errors other than io.EOF are classified.
func (a *answer) Read(p []byte) (int, error) {
	a.watch.note(func() { a.watch.waiting = true })
	n, err := a.response.Body.Read(p)
	a.watch.note(func() { a.watch.waiting = false })
	if err != io.EOF {
		err = a.watch.explain(err)
	}
	return n, err
}

// Close implements io.Closer; it may be called while a Read waits.
func (a *answer) Close() error {
	a.watch.stop()
	if a.response != nil {
		a.response.Body.Close()
	}
	if a.upload != nil {
		a.upload.finish()
	}
	return nil
}

// fail closes the answer and returns err, or the error of the request body's
// source where that is what broke the request.
func (a *answer) fail(err error) error {
	a.Close()
	if a.upload == nil {
		return err
	}
	if _, answered := errors.AsType[*StatusError](err); answered {
		return err
	}
	if source := a.upload.sourceError(); source != nil {
		return sourceFailure(source)
	}
	return err
}
