// SPDX-License-Identifier: BSD-3-Clause

package loopback

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestServeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	url, err := Serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") }),
		func(err error) { t.Errorf("the server failed: %v", err) })
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("got %s, want an address on loopback", url)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "here" {
		t.Errorf("got %q", body)
	}
	stop()
	for range 1000 {
		resp, err := client.Get(url)
		if err != nil {
			return // closed
		}
		resp.Body.Close()
	}
	t.Error("the server still answers after its context ended")
}
