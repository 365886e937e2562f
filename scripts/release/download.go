// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// downloadTries is how often a file is asked for that was published a moment ago.
const downloadTries = 5

// checkDownloads gets the programs as everybody does.
func (r *releaser) checkDownloads(ctx context.Context, checksums string) error {
	for _, arch := range architectures {
		if err := r.checkDownload(ctx, programName(arch), checksums); err != nil {
			return err
		}
	}
	return nil
}

func (r *releaser) checkDownload(ctx context.Context, name, checksums string) error {
	address := r.downloads + "/" + r.version.String() + "/" + name
	for try := 1; ; try++ {
		got, err := r.download(ctx, address)
		if err == nil && !strings.Contains(checksums, fmt.Sprintf("\n%x  %s\n", sha256.Sum256(got), name)) {
			return fault.New(fault.Configuration, "%s is another program than the one that was released: %s was not moved", address, r.version.series()).
				WithHint("find out who changed it; then release the next version")
		}
		if err == nil || try == downloadTries {
			return err
		}
		if err := r.sleep(ctx, time.Duration(try)*5*time.Second); err != nil {
			return err
		}
	}
}

func (r *releaser) download(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return nil, fault.New(fault.Transient, "failed to download %s: %w", address, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fault.New(fault.Transient, "failed to download %s: the answer is %d", address, resp.StatusCode).WithHint("run this again")
	}
	return io.ReadAll(io.LimitReader(resp.Body, 1<<30))
}
