// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// open asks for the address of a log or an artifact, which is good for a
// minute, and begins the download, which may take so long in all. The address
// is a secret: whoever has it needs no token, and so none is sent there.
func (c *Client) open(ctx context.Context, q call, total time.Duration) (*download, error) {
	if c.gitea {
		return c.openHere(ctx, q, total)
	}
	q.stay = true
	resp, err := c.once(ctx, q, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusFound {
		return nil, unexpected(q, resp.StatusCode)
	}
	at, err := resp.Location()
	if err != nil {
		return nil, fault.New(fault.Transient, "failed to %s: GitHub gave no address for it", q.doing)
	}
	if !mayDownload(c.api.BaseURL, at) {
		return nil, fault.New(fault.Configuration, "failed to %s: the address that GitHub gave for it, on %s, does not begin with https", q.doing, at.Host)
	}
	return c.begin(ctx, q.doing, at, "", total)
}

// openHere begins a download that the API itself sends, or redirects to.
func (c *Client) openHere(ctx context.Context, q call, total time.Duration) (*download, error) {
	req, err := c.request(ctx, q)
	if err != nil {
		return nil, err
	}
	return c.begin(ctx, q.doing, req.URL, req.Header.Get("Authorization"), total)
}

// mayDownload allows a step from one address to another: encrypted, but for
// servers on this machine that send to themselves.
func mayDownload(from, to *url.URL) bool {
	if to.Host == "" || to.User != nil {
		return false
	}
	return to.Scheme == "https" || to.Scheme == "http" && from.Scheme == "http" && !change.InTheClear(from.String()) && !change.InTheClear(to.String())
}

// checkDetour follows redirects between servers of downloads. The address of
// the one before is not told to the next, as net/http would, and a token not to
// another port or a subdomain either.
func checkDetour(r *http.Request, via []*http.Request) error {
	r.Header.Del("Referer")
	if first := via[0].URL; r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
		r.Header.Del("Authorization")
	}
	if len(via) > maxRedirects || !mayDownload(via[0].URL, r.URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

// begin sends the request for a download, with an authorization if it goes to the
// API itself.
func (c *Client) begin(ctx context.Context, doing string, at *url.URL, authorization string, total time.Duration) (*download, error) {
	d := newDownload(ctx, c.idle, total)
	d.doing, d.host = doing, at.Host
	req, err := http.NewRequestWithContext(d.ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		d.end()
		return nil, d.explain(err)
	}
	req.Header.Set("User-Agent", c.api.UserAgent)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := c.plain.Do(req)
	d.timer.Stop()
	if err != nil {
		err = d.explain(err)
		d.end()
		return nil, err
	}
	d.body, d.size = resp.Body, resp.ContentLength
	switch resp.StatusCode {
	case http.StatusOK:
		return d, nil
	case http.StatusNotFound, http.StatusGone:
		err = fault.New(fault.Permanent, "failed to %s: %w: %s answered %d", doing, ErrGone, d.host, resp.StatusCode)
	default: // 403 among them: the address was not good any more
		err = fault.New(fault.Transient, "failed to %s: %s answered %d", doing, d.host, resp.StatusCode)
	}
	d.Close()
	return nil, err
}

// download is the content of a log or an artifact on its way. It ends with
// Close, when the server is silent for too long, or when it takes too long as a
// whole.
type download struct {
	doing, host string
	body        io.ReadCloser
	size        int64 // -1 if the server does not tell
	ctx         context.Context
	end         func()
	idle        time.Duration
	timer       *time.Timer // runs while the server is to blame, not the reader
}

func newDownload(parent context.Context, idle, total time.Duration) *download {
	ctx, stop := context.WithCancelCause(parent)
	ctx, free := context.WithTimeoutCause(ctx, total, fmt.Errorf("it was not there as a whole within %s", total))
	timer := time.AfterFunc(idle, func() { stop(fmt.Errorf("the server sent nothing for %s", idle)) })
	return &download{ctx: ctx, idle: idle, timer: timer, end: func() {
		timer.Stop()
		free()
		stop(nil)
	}}
}

// Read reads the content; its errors other than io.EOF are classified. Content
// that is cut short never ends in io.EOF.
func (d *download) Read(p []byte) (int, error) {
	d.timer.Reset(d.idle)
	n, err := d.body.Read(p)
	d.timer.Stop()
	if err != nil && err != io.EOF {
		err = d.explain(err)
	}
	return n, err
}

// Close ends the download, whether it is finished or not.
func (d *download) Close() error {
	d.end()
	return d.body.Close()
}

// explain classifies an error of the download's I/O, without the address.
func (d *download) explain(err error) error {
	if cause := context.Cause(d.ctx); cause != nil {
		err = cause
	}
	e := &apiError{err: withoutURL(err)}
	f := fault.New(fault.Transient, "failed to %s: from %s: %w", d.doing, d.host, e)
	explainNoAnswer(f, e, d.host)
	return f
}
