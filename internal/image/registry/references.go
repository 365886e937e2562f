// SPDX-License-Identifier: BSD-3-Clause

package registry

import (
	"context"
	"encoding/json"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// References returns the manifests that a manifest is an index of, and the one that
// it says something about, if any. The error is ErrNotFound if there is none.
// https://github.com/opencontainers/image-spec/blob/main/image-index.md
func (c *Client) References(ctx context.Context, reference string) (parts []string, subject string, err error) {
	ref, err := parse(reference)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	d, err := remote.Get(ref, c.options(ctx)...)
	if err != nil {
		return nil, "", explain("read "+reference, ref, err)
	}
	type descriptor struct {
		Digest string `json:"digest"`
	}
	var m struct {
		Manifests []descriptor `json:"manifests"`
		Subject   descriptor   `json:"subject"`
	}
	if err := json.Unmarshal(d.Manifest, &m); err != nil {
		return nil, "", fault.New(fault.Permanent, "failed to read %s: it is no manifest: %w", reference, err)
	}
	for _, part := range m.Manifests {
		parts = append(parts, part.Digest)
	}
	return parts, m.Subject.Digest, nil
}
