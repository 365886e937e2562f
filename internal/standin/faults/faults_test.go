// SPDX-License-Identifier: BSD-3-Clause

package faults

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
)

// serve starts a server that answers "0123456789" and returns its faults, its
// address and a count of the requests that reached the real handler.
func serve(t *testing.T) (*Set, string, *int) {
	t.Helper()
	var set Set
	reached := new(int)
	srv := httptest.NewServer(set.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		*reached++
		io.WriteString(w, "0123456789")
	})))
	t.Cleanup(srv.Close)
	return &set, srv.URL, reached
}

func get(t *testing.T, url string) (status int, body string, err error) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestRuleCounts(t *testing.T) {
	t.Parallel()
	set, url, _ := serve(t)
	set.Add(Rule{Method: "GET", Path: regexp.MustCompile("^/a"), Skip: 1, Times: 2, Do: Answer(503, "busy", "Retry-After", "7")})
	for i, want := range []int{200, 503, 503, 200} {
		if status, _, err := get(t, url+"/a"); err != nil || status != want {
			t.Errorf("request %d: got %d, %v; want %d", i, status, err, want)
		}
	}
	if status, _, _ := get(t, url+"/b"); status != 200 {
		t.Errorf("another path: got %d, want 200", status)
	}
}

func TestTruncateLooksWhole(t *testing.T) {
	t.Parallel()
	set, url, _ := serve(t)
	set.Add(Rule{Do: Truncate(4)})
	if _, body, err := get(t, url); body != "0123" || err != nil {
		t.Errorf("got %q, %v; want the first four bytes and no error", body, err)
	}
}

func TestCutBreaksTheConnection(t *testing.T) {
	t.Parallel()
	set, url, _ := serve(t)
	set.Add(Rule{Do: Cut(4)})
	if _, body, err := get(t, url); body != "0123" || err == nil {
		t.Errorf("got %q, %v; want four bytes and an error", body, err)
	}
}

func TestLoseReplyDoesTheWork(t *testing.T) {
	t.Parallel()
	set, url, reached := serve(t)
	set.Add(Rule{Method: "POST", Do: LoseReply()})
	if _, err := http.Post(url, "text/plain", nil); err == nil {
		t.Error("got an answer, want a broken connection")
	}
	if *reached != 1 {
		t.Errorf("the handler ran %d times, want 1", *reached)
	}
}

func TestHangEndsWithTheClient(t *testing.T) {
	t.Parallel()
	set, url, _ := serve(t)
	set.Add(Rule{Do: Hang()})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := http.DefaultClient.Do(req)
		done <- err
	}()
	cancel()
	if err := <-done; err == nil {
		t.Error("got an answer, want an error")
	}
}
