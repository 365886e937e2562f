// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7/pkg/signer"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// door carries the requests of the client library. It notes what went wrong in
// the record of the call, and ends the call's context then, so that the library
// neither tries again nor waits by itself.
type door struct {
	next        http.RoundTripper
	agent       string
	base        string // the endpoint's path, escaped
	key, secret string
}

// record is what the door saw of one try of a call.
type record struct {
	stop    context.CancelFunc
	answers int
	header  http.Header // of the last answer
	answer  *answerError
	err     error // of the connection
}

type recordKey struct{}

// answerError is an answer that says no.
type answerError struct {
	Status        int
	Code, Message string // S3's; they may be empty
	Region        string // where the bucket is, if the server says
	page          bool   // not S3: a web page
}

func (e *answerError) Error() string {
	text := fmt.Sprintf("the storage answered %d", e.Status)
	switch {
	case e.page:
		return text + " with a web page"
	case e.Code != "" && e.Message != "":
		return text + " " + e.Code + ": " + e.Message
	}
	return text + strings.TrimRight(" "+e.Code+e.Message, " ")
}

// RoundTrip sends a request and notes what became of it.
func (d *door) RoundTrip(req *http.Request) (*http.Response, error) {
	rec, ok := req.Context().Value(recordKey{}).(*record)
	if !ok {
		return nil, errors.New("a request outside a call") // a mistake in this package
	}
	resp, err := d.next.RoundTrip(d.prepare(req))
	if err != nil {
		rec.err = err
		rec.stop()
		return nil, err
	}
	rec.answers++
	rec.header = resp.Header
	if resp.StatusCode >= 300 || !ofObject(req) && isPage(resp) && !isEmptyOrXML(resp) {
		rec.answer = readRefusal(resp)
		rec.stop()
		return resp, nil
	}
	if !ofObject(req) {
		resp.Body = &bounded{body: resp.Body, rec: rec, left: maxAnswer}
	}
	return resp, nil
}

// ofObject reports whether the answer is what an object holds, or would be.
func ofObject(req *http.Request) bool {
	q := req.URL.Query()
	return (req.Method == http.MethodGet || req.Method == http.MethodHead) &&
		!slices.ContainsFunc(ofBucket, q.Has)
}

// ofBucket are queries that ask for something else than an object.
var ofBucket = []string{"list-type", "uploads", "versions", "versioning", "lifecycle"}

func isPage(resp *http.Response) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")
}

// isEmptyOrXML reports whether an answer is one of S3's although it says that it is a
// page, as those of servers whose framework's default that is.
func isEmptyOrXML(resp *http.Response) bool {
	body := bufio.NewReader(resp.Body)
	resp.Body = struct {
		io.Reader
		io.Closer
	}{body, resp.Body}
	begin, _ := body.Peek(5) // what is wrong with it is seen again when it is read
	return len(begin) == 0 || string(begin) == "<?xml"
}

// prepare adds what the library cannot: a path in front of the bucket, signed
// anew, and headers that are not signed.
func (d *door) prepare(req *http.Request) *http.Request {
	req = req.Clone(req.Context())
	if d.base != "" {
		region := regionOfScope(req.Header.Get("Authorization"))
		path := d.base + req.URL.EscapedPath()
		if plain, err := url.PathUnescape(path); err == nil { // both halves were parsed before
			req.URL.Path, req.URL.RawPath = plain, path
		}
		req.Header.Del("Authorization")
		req = signer.SignV4(*req, d.key, d.secret, "", region)
	}
	if d.agent != "" {
		req.Header.Set("User-Agent", d.agent)
	}
	// Otherwise net/http would unpack what is stored in packed form.
	req.Header.Set("Accept-Encoding", "identity")
	return req
}

// regionOfScope reads the region from "... Credential=KEY/DATE/REGION/...".
func regionOfScope(authorization string) string {
	_, scope, _ := strings.Cut(authorization, "Credential=")
	scope, _, _ = strings.Cut(scope, ",")
	parts := strings.Split(scope, "/") // a key may hold slashes
	if len(parts) < 5 {
		return defaultRegion
	}
	return parts[len(parts)-3]
}

// readRefusal reads an error answer whole and closes it; what it returns and
// the library still see the same.
func readRefusal(resp *http.Response) *answerError {
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(data))
	e := &answerError{Status: resp.StatusCode}
	var body struct {
		XMLName               xml.Name `xml:"Error"`
		Code, Message, Region string
	}
	if err == nil && xml.Unmarshal(data, &body) == nil {
		e.Code, e.Message, e.Region = printable(body.Code, 80), printable(body.Message, 300), printable(body.Region, 40)
	} else {
		e.page = isPage(resp)
	}
	if e.Region == "" {
		e.Region = printable(resp.Header.Get("X-Amz-Bucket-Region"), 40)
	}
	return e
}

// errTooLong ends an answer that no S3 server would give.
var errTooLong = fault.New(fault.Configuration, "the answer is longer than %d MiB", maxAnswer>>20)

// bounded is a body that must not have more than so many bytes. It notes a
// connection that breaks: the library would only see that half is no XML.
type bounded struct {
	body io.ReadCloser
	rec  *record
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.rec.err = errTooLong
		return 0, errTooLong
	}
	n, err := b.body.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err != nil && err != io.EOF {
		b.rec.err = err
	}
	return n, err
}

func (b *bounded) Close() error { return b.body.Close() }
