// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Request is one line of a server's access log.
type Request struct {
	Method string
	// URI is the path and query.
	URI    string
	Status int
	// In and Out are bytes, headers included; In is not known for Gerrit.
	In, Out int64
	// User is who was authenticated; known for Gerrit only.
	User string
}

// String returns "POST /path 200".
func (r Request) String() string { return fmt.Sprintf("%s %s %d", r.Method, r.URI, r.Status) }

// logPatience is how long a server may take to write its log.
const logPatience = 10 * time.Second

// Requests returns what the mirror was asked since the last call of Requests,
// the call itself left out.
func (m *Mirror) Requests(ctx context.Context) ([]Request, error) {
	mark := fmt.Sprintf("/mark-%d", time.Now().UnixNano())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.URL+mark, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	lines, err := m.seen.until(ctx, filepath.Join(m.dir, "access.log"), mark)
	if err != nil {
		return nil, err
	}
	var requests []Request
	for _, line := range lines {
		f := strings.Split(line, "\t")
		if len(f) != 6 {
			return nil, fmt.Errorf("odd line in the log of nginx: %q", line)
		}
		r := Request{Method: f[0], URI: f[1]}
		r.Status, _ = strconv.Atoi(f[2])
		r.In, _ = strconv.ParseInt(f[3], 10, 64)
		r.Out, _ = strconv.ParseInt(f[4], 10, 64)
		requests = append(requests, r)
	}
	return requests, nil
}

// httpdLine is one line of Gerrit's httpd_log (its Documentation/logs.txt):
// host [thread] remote user [time] "request" status bytes ...
var httpdLine = regexp.MustCompile(`^\S+ \[[^\]]*\] \S+ (\S+) \[[^\]]*\] "(\S+) (\S+) [^"]*" (\d+) (\d+|-) `)

// Requests returns what Gerrit was asked since the last call of Requests, the
// rig's own calls included but for this one.
func (g *Gerrit) Requests(ctx context.Context) ([]Request, error) {
	mark := fmt.Sprintf("projects/?p=mark-%d", time.Now().UnixNano())
	if err := g.Get(ctx, mark, nil); err != nil {
		return nil, err
	}
	lines, err := g.seen.until(ctx, filepath.Join(g.site(), "logs/httpd_log"), mark)
	if err != nil {
		return nil, err
	}
	var requests []Request
	for _, line := range lines {
		f := httpdLine.FindStringSubmatch(line)
		if f == nil {
			return nil, fmt.Errorf("odd line in the log of Gerrit: %q", line)
		}
		r := Request{User: f[1], Method: f[2], URI: f[3]}
		r.Status, _ = strconv.Atoi(f[4])
		r.Out, _ = strconv.ParseInt(f[5], 10, 64) // "-" is none
		requests = append(requests, r)
	}
	return requests, nil
}

// cursor remembers how much of a log was read.
type cursor struct{ offset int }

// until returns the new lines before the one that holds mark, and moves past it.
// Logs are written after the answer, so it may have to wait for the line.
func (c *cursor) until(ctx context.Context, file, mark string) ([]string, error) {
	var lines []string
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	for {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(data[c.offset:])) {
			if !strings.HasSuffix(line, "\n") {
				break // it is being written
			}
			c.offset += len(line)
			if strings.Contains(line, mark) {
				return lines, nil
			}
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s does not show the last request: %w", file, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
