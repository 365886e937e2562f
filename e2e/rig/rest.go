// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// xssi is what Gerrit puts in front of JSON so that a browser cannot run it.
const xssi = ")]}'\n"

// Get reads path (relative to the server's /a/) as the administrator into out.
func (g *Gerrit) Get(ctx context.Context, path string, out any) error {
	return g.call(ctx, http.MethodGet, path, nil, out)
}

// Post sends in to path as the administrator and reads the answer into out.
// Either may be nil.
func (g *Gerrit) Post(ctx context.Context, path string, in, out any) error {
	return g.call(ctx, http.MethodPost, path, in, out)
}

// Put is Post with another method.
func (g *Gerrit) Put(ctx context.Context, path string, in, out any) error {
	return g.call(ctx, http.MethodPut, path, in, out)
}

// Delete deletes what is at path as the administrator.
func (g *Gerrit) Delete(ctx context.Context, path string) error {
	return g.call(ctx, http.MethodDelete, path, nil, nil)
}

func (g *Gerrit) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, g.URL+"/a/"+path, body)
	if err != nil {
		return err
	}
	req.SetBasicAuth(AdminUser, AdminPassword)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := g.http.Do(req)
	if err != nil {
		return err
	}
	return readJSON(resp, method+" "+path, out)
}

// readJSON reads an answer into out, if that is not nil; Gerrit's begin with a line
// against inclusion as a script.
func readJSON(resp *http.Response, what string, out any) error {
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s: %s", what, resp.Status, bytes.TrimSpace(data))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte(xssi)), out); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
