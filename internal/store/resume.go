// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/spdk-community-ci/dispatcher/internal/durable"
)

// uploadState is what PATH.upload holds: which upload is that file's. Which parts
// it has is asked of the server, which may have lost some.
type uploadState struct {
	Endpoint string `json:"endpoint"`
	Bucket   string `json:"bucket"`
	Key      string `json:"key"`
	Upload   string `json:"upload"`
	SHA256   string `json:"sha256"`
	Part     int64  `json:"part_size"`
}

// parseUploadState reads a state; anything odd is no state.
func parseUploadState(data []byte) (st uploadState, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	ok = len(data) <= maxState && decoder.Decode(&st) == nil && decoder.Decode(&struct{}{}) == io.EOF
	return st, ok && st.Upload != "" && len(st.Upload) <= maxName && isDigest(st.SHA256) && st.Part > 0
}

// resume finds the unfinished upload of this content, or begins one. It returns
// the parts that the server has, by number.
func (u *fileUpload) resume(ctx context.Context) (map[int]minio.ObjectPart, error) {
	want := uploadState{
		Endpoint: u.store.at.String(), Bucket: u.store.o.Bucket, Key: u.key,
		SHA256: u.sha256, Part: u.store.part,
	}
	if old, ok := readUploadState(u.state); ok {
		u.id, want.Upload = old.Upload, old.Upload
		if old == want {
			stored, err := u.stored(ctx)
			if !noUpload(err) {
				return stored, err
			}
		} else if old.Endpoint == want.Endpoint && old.Bucket == want.Bucket && old.Key == want.Key {
			u.abort(ctx) // of what the file was before: nobody will ask for it
		}
	}
	if err := u.begin(ctx); err != nil {
		return nil, err
	}
	want.Upload = u.id
	if data, err := json.Marshal(want); err == nil {
		// A folder that cannot be written to is no reason to fail: this upload
		// cannot be resumed, that is all.
		_ = durable.WriteFile(u.state, append(data, '\n'))
	}
	return nil, nil
}

func readUploadState(path string) (uploadState, bool) {
	data, err := durable.ReadFile(path, maxState)
	if err != nil {
		return uploadState{}, false
	}
	return parseUploadState(data)
}

// stored asks which parts of the upload the server has.
func (u *upload) stored(ctx context.Context) (map[int]minio.ObjectPart, error) {
	parts := map[int]minio.ObjectPart{}
	for after := 0; ; {
		var page minio.ListObjectPartsResult
		q := u.call(func(ctx context.Context, core *minio.Core, _ *record) (err error) {
			page, err = core.ListObjectParts(ctx, u.store.o.Bucket, u.key, u.id, after, pageSize)
			return err
		})
		q.needs, q.limit = "list the parts of multi-part uploads", listLimit
		if err := u.store.do(ctx, q); err != nil {
			return nil, err
		}
		for _, p := range page.ObjectParts {
			p.ETag = strings.Trim(p.ETag, `"`) // the library leaves them here
			parts[p.PartNumber] = p
		}
		if !page.IsTruncated || page.NextPartNumberMarker <= after {
			return parts, nil
		}
		after = page.NextPartNumberMarker
	}
}
