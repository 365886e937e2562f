// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// call is one signed request for a bucket or an object.
type call struct {
	s           *Server
	w           http.ResponseWriter
	r           *http.Request
	q           url.Values
	bucket, key string
}

// serve checks the signature and finds who answers.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := call{s: s, w: w, r: r, q: r.URL.Query()}
	if refusal := s.check(r); refusal != nil {
		c.refuse(refusal)
		return
	}
	c.bucket, c.key = s.target(r)
	s.mu.Lock()
	_, exists := s.buckets[c.bucket]
	s.mu.Unlock()
	if !exists {
		c.refuse(&refusal{Status: http.StatusNotFound, Code: "NoSuchBucket", Message: "The specified bucket does not exist"})
		return
	}
	if do := c.action(); do != nil {
		do()
		return
	}
	c.refuse(&refusal{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "A header or query you provided implies functionality that is not implemented"})
}

// target reads the bucket and the key from the path, or the bucket from the
// host.
func (s *Server) target(r *http.Request) (bucket, key string) {
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, s.o.Base), "/")
	host, _, _ := strings.Cut(r.Host, ":")
	if name, virtual := strings.CutSuffix(host, "."+s.o.Domain); virtual && s.o.Domain != "" {
		return name, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// action returns what serves the call, or nil.
func (c call) action() func() {
	_, starts := c.q["uploads"]
	upload, part := c.q.Has("uploadId"), c.q.Has("partNumber")
	switch method := c.r.Method; {
	case c.key == "" && method == http.MethodGet && starts:
		return c.listUploads
	case c.key == "" && method == http.MethodGet && c.q.Get("list-type") == "2":
		return c.list
	case c.key == "" && method == http.MethodGet && c.q.Has("versions"):
		return c.listVersions
	case c.key == "" && method == http.MethodGet && c.q.Has("versioning"):
		return c.versioning
	case c.key == "" && method == http.MethodGet && c.q.Has("lifecycle"):
		return c.lifecycle
	case c.key == "":
		return nil
	case method == http.MethodPost && starts:
		return c.startUpload
	case method == http.MethodPut && upload && part:
		return c.putPart
	case method == http.MethodPost && upload:
		return c.completeUpload
	case method == http.MethodDelete && upload:
		return c.abortUpload
	case method == http.MethodGet && upload:
		return c.listParts
	case method == http.MethodDelete && c.q.Has("versionId"):
		return c.deleteVersion
	case len(c.q) > 0:
		return nil
	case method == http.MethodPut && c.r.Header.Get("X-Amz-Copy-Source") != "":
		return c.copy
	case method == http.MethodPut:
		return c.put
	case method == http.MethodGet, method == http.MethodHead:
		return c.get
	case method == http.MethodDelete:
		return c.delete
	}
	return nil
}

// refusal is an error answer.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type refusal struct {
	XMLName     xml.Name `xml:"Error"`
	Status      int      `xml:"-"`
	Code        string
	Message     string
	Resource    string
	Region      string `xml:",omitempty"`
	RequestTime string `xml:",omitempty"`
	ServerTime  string `xml:",omitempty"`
	RequestID   string `xml:"RequestId"`
}

func (c call) refuse(e *refusal) {
	e.Resource, e.RequestID = c.r.URL.Path, "0000000000000001"
	c.reply(e.Status, e)
}

func (c call) reply(status int, body any) {
	data, err := xml.Marshal(body)
	if err != nil {
		panic(err) // a mistake in this package
	}
	c.w.Header().Set("Content-Type", "application/xml")
	c.w.WriteHeader(status)
	fmt.Fprintf(c.w, "%s%s", xml.Header, data) // net/http leaves it out for HEAD
}
