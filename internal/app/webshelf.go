// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image"
)

// webShelf reads images that the storage shows to everybody, below the address
// S3_PUBLIC_URL, for jobs that run code of strangers and so have no credentials.
type webShelf struct {
	base      string
	transport http.RoundTripper
	userAgent string
}

// errReadOnly is what a shelf without credentials says of changes.
var errReadOnly = fault.New(fault.Configuration, "S3_PUBLIC_URL lets images be read only").
	WithHint("set S3_ENDPOINT_URL, S3_BUCKET, S3_KEY and S3_SECRET")

// Limits of one small and one large transfer.
const (
	webTextLimit = time.Minute
	webDiskLimit = 2 * time.Hour
)

func (s webShelf) open(ctx context.Context, name string) (io.ReadCloser, error) {
	address := strings.TrimRight(s.base, "/") + "/" + name
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil || req.URL.Host == "" {
		return nil, fault.New(fault.Configuration, "S3_PUBLIC_URL is not an address").WithHint("write https://HOST/PATH, below which images/ is")
	}
	req.Header.Set("User-Agent", s.userAgent)
	resp, err := (&http.Client{Transport: s.transport}).Do(req)
	if err != nil {
		return nil, fault.New(fault.Transient, "failed to get %s: %w", name, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	resp.Body.Close()
	f := fault.New(fault.Permanent, "failed to get %s: %s", address, resp.Status)
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, alike{f, image.ErrNotFound}
	case resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusUnauthorized:
		f.Kind = fault.Configuration
		return nil, f.WithHint("let everybody read the bucket's objects below images/, or name a file on the host as the environment's image")
	case resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests:
		f.Kind = fault.Transient
	}
	return nil, f
}

// Get reads a small object.
func (s webShelf) Get(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, webTextLimit)
	defer cancel()
	body, err := s.open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxText+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.Transient, "failed to get %s: %w", name, err)
	case len(text) > maxText:
		return nil, fault.New(fault.Permanent, "%s has more than %d MiB", name, maxText>>20)
	}
	return text, nil
}

// Download brings a disk and compares its checksum.
func (s webShelf) Download(ctx context.Context, name, file, sum string) error {
	ctx, cancel := context.WithTimeout(ctx, webDiskLimit)
	defer cancel()
	body, err := s.open(ctx, name)
	if err != nil {
		return err
	}
	defer body.Close()
	f, err := os.Create(file)
	if err != nil {
		return fault.New(fault.Ours, "failed to create %s: %w", file, err)
	}
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, hash), body)
	if err = errors.Join(err, f.Close()); err != nil {
		return fault.New(fault.Transient, "failed to download %s: %w", name, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
		return fault.New(fault.Permanent, "failed to download %s: its checksum is %s instead of %s", name, got, sum)
	}
	return nil
}

// Put changes nothing.
func (webShelf) Put(context.Context, string, []byte) error { return errReadOnly }

// Create changes nothing.
func (webShelf) Create(context.Context, string, []byte) error { return errReadOnly }

// Upload changes nothing.
func (webShelf) Upload(context.Context, string, string) error { return errReadOnly }

// Delete changes nothing.
func (webShelf) Delete(context.Context, string) error { return errReadOnly }

// List cannot be answered by every public address, and a pull needs none.
func (webShelf) List(_ context.Context, prefix string, _ func(image.Object) error) error {
	return fmt.Errorf("failed to list %s: %w", prefix, errReadOnly)
}
