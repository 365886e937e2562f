// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// downloadLimit ends one download of an image.
const downloadLimit = 2 * time.Hour

// HTTP is the Web as it is. Redirects are followed, as mirrors need it.
type HTTP struct {
	// Transport carries the requests; nil is http.DefaultTransport.
	Transport http.RoundTripper
	// UserAgent is sent with each request if not empty.
	UserAgent string
}

// Size returns how many bytes a file has.
func (h HTTP) Size(ctx context.Context, address string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	resp, err := h.do(ctx, http.MethodHead, address)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.ContentLength <= 0 {
		return 0, fault.New(fault.Permanent, "%s does not say how large it is", address).WithHint("get the file yourself and give it with --cloud-image")
	}
	return resp.ContentLength, nil
}

// Download writes a file of that many bytes. Nobody trusts it yet.
func (h HTTP) Download(ctx context.Context, address, file string, size int64) error {
	ctx, cancel := context.WithTimeout(ctx, downloadLimit)
	defer cancel()
	resp, err := h.do(ctx, http.MethodGet, address)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	f, err := os.Create(file)
	if err != nil {
		return fault.New(fault.Ours, "failed to create %s: %w", file, err)
	}
	n, err := io.Copy(f, io.LimitReader(resp.Body, size+1))
	err = errors.Join(err, f.Close())
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fault.New(fault.Ours, "failed to write %s: %w", file, err).WithHint("make room in the cache's file system")
	case err != nil:
		return fault.New(fault.Transient, "failed to download %s: %w", address, err)
	case n != size:
		return fault.New(fault.Transient, "failed to download %s: it said %d bytes and sent others", address, size)
	}
	return nil
}

func (h HTTP) do(ctx context.Context, method, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, fault.New(fault.Configuration, "%.200q is not an address", address)
	}
	if h.UserAgent != "" {
		req.Header.Set("User-Agent", h.UserAgent)
	}
	client := http.Client{Transport: h.Transport}
	resp, err := client.Do(req)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err // without the address, which is said
		}
		return nil, fault.New(fault.Transient, "failed to reach %s: %w", address, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	resp.Body.Close()
	f := fault.New(fault.Transient, "%s answered %s", address, resp.Status)
	if resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
		f.Kind, f.Hint = fault.Configuration, "correct cloud-image.url in recipe.yml"
	}
	return nil, f
}
