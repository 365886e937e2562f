// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// client signs requests with the server's own code: whether that is right is
// what TestDocumentedSignatures tests.
type client struct {
	t        *testing.T
	server   *Server
	endpoint string
}

func newClient(t *testing.T, o Options) *client {
	o.Key, o.Secret, o.Buckets = "key", "secret", []string{"bucket"}
	s, endpoint := Serve(t, o)
	return &client{t: t, server: s, endpoint: endpoint}
}

// do sends a request and returns the status, the body and the entity tag.
func (c *client) do(method, target, body string, header ...string) (int, string, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.endpoint+target, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	Sign(r, "key", c.server.o.Secret, c.server.o.Region, body, time.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error(), ""
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(data), strings.Trim(resp.Header.Get("ETag"), `"`)
}

// want sends a request and checks its status and a part of its body.
func (c *client) want(status int, part, method, target, body string, header ...string) string {
	c.t.Helper()
	got, text, tag := c.do(method, target, body, header...)
	if got != status || !strings.Contains(text, part) {
		c.t.Fatalf("%s %s: got %d %q, want %d and %q", method, target, got, text, status, part)
	}
	return tag
}

func TestObjects(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Base: "/sub/s3"})
	tag := c.want(200, "", "PUT", "/bucket/a/b%20c.txt", "hello", "Content-Type", "text/plain", "Content-Md5", "XUFAKrxLKna5cZ2REBfFkg==")
	if tag != "5d41402abc4b2a76b9719d911017c592" {
		t.Errorf("got tag %s, want the MD5 of hello", tag)
	}
	if o, ok := c.server.Object("bucket", "a/b c.txt"); !ok || o.Size != 5 || o.ContentType != "text/plain" {
		t.Errorf("got %+v, %v", o, ok)
	}
	c.want(200, "hello", "GET", "/bucket/a/b%20c.txt", "")
	c.want(200, "", "HEAD", "/bucket/a/b%20c.txt", "")
	c.want(206, "ell", "GET", "/bucket/a/b%20c.txt", "", "Range", "bytes=1-3")
	c.want(400, "BadDigest", "PUT", "/bucket/x", "hello!", "Content-Md5", "XUFAKrxLKna5cZ2REBfFkg==")
	c.want(404, "NoSuchKey", "GET", "/bucket/x", "")
	c.want(404, "NoSuchBucket", "GET", "/other/x", "")
	c.want(204, "", "DELETE", "/bucket/a/b%20c.txt", "")
	c.want(204, "", "DELETE", "/bucket/a/b%20c.txt", "")
	c.want(501, "NotImplemented", "GET", "/bucket/x?acl", "")
	c.want(501, "NotImplemented", "PUT", "/bucket", "")
	if got := c.server.Requests(); len(got) != 11 || got[0].Path != "/sub/s3/bucket/a/b%20c.txt" || len(c.server.Requests()) != 0 {
		t.Errorf("got %d requests, the first one %+v", len(got), got[0])
	}
}

func TestPayloadHash(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	c.want(400, "XAmzContentSHA256Mismatch", "PUT", "/bucket/x", "hello", "X-Amz-Content-Sha256", emptyHash)
	if len(c.server.Objects("bucket")) != 0 {
		t.Error("the object was stored")
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{PageSize: 2})
	for _, key := range []string{"p/c", "p/a%2Bb", "q", "p/d"} {
		c.want(200, "", "PUT", "/bucket/"+key, "x")
	}
	names := regexp.MustCompile("<Key>(.*?)</Key>")
	token := regexp.MustCompile("<NextContinuationToken>(.*?)</NextContinuationToken>")
	var got []string
	target := "/bucket?list-type=2&encoding-type=url&prefix=p%2F"
	for next := target; next != ""; {
		_, text, _ := c.do("GET", next, "")
		for _, m := range names.FindAllStringSubmatch(text, -1) {
			got = append(got, m[1])
		}
		next = ""
		if m := token.FindStringSubmatch(text); m != nil {
			next = target + "&continuation-token=" + url.QueryEscape(m[1])
		}
	}
	if want := "p/a%2Bb p/c p/d"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.want(200, "<Key>p/d</Key>", "GET", target+"&start-after=p%2Fc", "")
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	_, text, _ := c.do("POST", "/bucket/big?uploads", "", "Content-Type", "text/csv")
	id := regexp.MustCompile("<UploadId>(.*?)</UploadId>").FindStringSubmatch(text)[1]
	at := "/bucket/big?uploadId=" + id
	first := strings.Repeat("a", 5<<20)
	one := c.want(200, "", "PUT", at+"&partNumber=1", first)
	two := c.want(200, "", "PUT", at+"&partNumber=2", "tail")
	c.want(404, "NoSuchUpload", "PUT", "/bucket/other?uploadId="+id+"&partNumber=1", "x")
	c.want(200, "<Key>big</Key>", "GET", "/bucket?uploads", "")
	part := func(n int, tag string) string {
		return fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%q</ETag></Part>", n, tag)
	}
	complete := func(parts ...string) string {
		return "<CompleteMultipartUpload>" + strings.Join(parts, "") + "</CompleteMultipartUpload>"
	}
	c.want(400, "InvalidPart", "POST", at, complete(part(1, two)))
	c.want(400, "EntityTooSmall", "POST", at, complete(part(2, two), part(1, one)))
	c.want(200, "-2&#34;", "POST", at, complete(part(1, one), part(2, two)))
	c.want(404, "NoSuchUpload", "POST", at, complete(part(1, one), part(2, two)))
	if got := c.server.Content("bucket", "big"); !bytes.Equal(got, []byte(first+"tail")) {
		t.Errorf("got %d bytes", len(got))
	}
	if o, _ := c.server.Object("bucket", "big"); o.ContentType != "text/csv" || o.Size != 5<<20+4 {
		t.Errorf("got %+v", o)
	}
}

func TestLostAndAbortedParts(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{})
	_, text, _ := c.do("POST", "/bucket/big?uploads", "")
	at := "/bucket/big?uploadId=" + regexp.MustCompile("<UploadId>(.*?)</UploadId>").FindStringSubmatch(text)[1]
	c.server.LosePart(1)
	tag := c.want(200, "", "PUT", at+"&partNumber=1", "x")
	c.want(400, "InvalidPart", "POST", at, "<C><Part><PartNumber>1</PartNumber><ETag>"+tag+"</ETag></Part></C>")
	if got := c.server.Uploads(); len(got) != 1 || got[0] != "big" {
		t.Errorf("got uploads %q", got)
	}
	c.want(204, "", "DELETE", at, "")
	if got := c.server.Uploads(); len(got) != 0 {
		t.Errorf("got uploads %q, want none", got)
	}
}

func TestListParts(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{PageSize: 2})
	_, text, _ := c.do("POST", "/bucket/big?uploads", "")
	at := "/bucket/big?uploadId=" + regexp.MustCompile("<UploadId>(.*?)</UploadId>").FindStringSubmatch(text)[1]
	for n := 1; n <= 3; n++ {
		c.want(200, "", "PUT", fmt.Sprintf("%s&partNumber=%d", at, n), "part")
	}
	c.want(200, "<NextPartNumberMarker>2</NextPartNumberMarker><IsTruncated>true</IsTruncated>", "GET", at+"&part-number-marker=0", "")
	c.want(200, "<IsTruncated>false</IsTruncated><Part><PartNumber>3</PartNumber>", "GET", at+"&part-number-marker=2", "")
	c.want(404, "NoSuchUpload", "GET", "/bucket/big?uploadId=other", "")
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for conditions, want := range map[Conditions]int{Obeyed: 412, Ignored: 200, Refused: 501} {
		c := newClient(t, Options{Conditions: conditions})
		c.want(200, "", "PUT", "/bucket/x", "old")
		if got, text, _ := c.do("PUT", "/bucket/x", "new", "If-None-Match", "*"); got != want {
			t.Errorf("%v: got %d %s, want %d", conditions, got, text, want)
		}
	}
	c := newClient(t, Options{})
	tag := c.want(200, "", "PUT", "/bucket/x", "hello")
	for header, want := range map[string]int{`"` + tag + `"`: 206, `"other"`: 412} {
		if got, text, _ := c.do("GET", "/bucket/x", "", "If-Match", header, "Range", "bytes=1-2"); got != want || want == 206 && text != "el" {
			t.Errorf("%s: got %d %q, want %d", header, got, text, want)
		}
	}
}
