// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Object is what a bucket holds under one key.
type Object struct {
	Key, ContentType string
	ETag             string // without quotes
	Size             int64
	Modified         time.Time
	// SHA256 is the metadata x-amz-meta-sha256, the only one that is kept.
	SHA256 string
	// Version is empty where none are kept.
	Version string
	// Marker says that this version stands for a deletion.
	Marker bool

	file string
}

// body spools a request's body into a file and checks its hashes.
func (c call) body() (o Object, bad *refusal) {
	if bad := c.checksums(); bad != nil {
		return o, bad
	}
	file, err := c.s.create()
	if err != nil {
		return o, internal(err)
	}
	defer file.Close()
	md, sha := md5.New(), sha256.New()
	o.file = file.Name()
	o.Size, err = io.Copy(io.MultiWriter(file, md, sha), c.r.Body)
	if err != nil {
		os.Remove(o.file)
		return o, &refusal{Status: http.StatusBadRequest, Code: "IncompleteBody", Message: "You did not provide the number of bytes specified by the Content-Length HTTP header"}
	}
	digest := md.Sum(nil)
	o.ETag = hex.EncodeToString(digest)
	if want := c.r.Header.Get("X-Amz-Content-Sha256"); want != hex.EncodeToString(sha.Sum(nil)) {
		return o, &refusal{Status: http.StatusBadRequest, Code: "XAmzContentSHA256Mismatch", Message: "The provided 'x-amz-content-sha256' header does not match what was computed."}
	}
	if want := c.r.Header.Get("Content-Md5"); want != "" && want != base64.StdEncoding.EncodeToString(digest) {
		return o, &refusal{Status: http.StatusBadRequest, Code: "BadDigest", Message: "The Content-MD5 you specified did not match what we received."}
	}
	return o, nil
}

func internal(err error) *refusal {
	return &refusal{Status: http.StatusInternalServerError, Code: "InternalError", Message: err.Error()}
}

// create makes the file of the next object or part.
func (s *Server) create() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files++
	return os.Create(filepath.Join(s.dir, strconv.Itoa(s.files)))
}

// store puts an object under its key, unless it must be a new one and is not.
func (s *Server) store(bucket string, o Object, onlyNew bool) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.buckets[bucket][o.Key]
	switch {
	case old != nil && onlyNew && s.o.Conditions == Obeyed:
		os.Remove(o.file)
		return preconditionFailed()
	case old != nil && s.o.Versions != Kept:
		os.Remove(old.file)
	}
	o.Modified = s.o.Now().UTC().Truncate(time.Millisecond)
	s.buckets[bucket][o.Key] = &o
	s.remember(bucket, &o)
	return nil
}

// onlyNew reports whether the request may not replace an object.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func (c call) onlyNew() (bool, *refusal) {
	header := c.r.Header.Get("If-None-Match")
	switch {
	case header == "":
		return false, nil
	case header != "*" || c.s.o.Conditions == Refused:
		return false, &refusal{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "A header you provided implies functionality that is not implemented"}
	}
	return true, nil
}

func preconditionFailed() *refusal {
	return &refusal{Status: http.StatusPreconditionFailed, Code: "PreconditionFailed", Message: "At least one of the pre-conditions you specified did not hold"}
}

// put serves PutObject.
func (c call) put() {
	onlyNew, bad := c.onlyNew()
	var o Object
	if bad == nil {
		o, bad = c.body()
	}
	if bad == nil {
		o.Key, o.ContentType, o.SHA256 = c.key, c.r.Header.Get("Content-Type"), c.r.Header.Get(shaMeta)
		bad = c.s.store(c.bucket, o, onlyNew)
	}
	if bad != nil {
		c.refuse(bad)
		return
	}
	c.w.Header().Set("ETag", `"`+o.ETag+`"`)
}

const shaMeta = "X-Amz-Meta-Sha256"

// copy serves CopyObject within the server, metadata included.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
func (c call) copy() {
	source, err := url.PathUnescape(strings.TrimPrefix(c.r.Header.Get("X-Amz-Copy-Source"), "/"))
	bucket, key, _ := strings.Cut(source, "/")
	o, ok := c.s.Object(bucket, key)
	if err != nil || !ok {
		c.refuse(noKey())
		return
	}
	if tag := c.r.Header.Get("X-Amz-Copy-Source-If-Match"); tag != "" && strings.Trim(tag, `"`) != o.ETag {
		c.refuse(preconditionFailed())
		return
	}
	file, err := c.s.create()
	if err != nil {
		c.refuse(internal(err))
		return
	}
	defer file.Close()
	if err := readInto(file, o.file); err != nil {
		c.refuse(internal(err))
		return
	}
	o.Key, o.file = c.key, file.Name()
	c.s.store(c.bucket, o, false)
	c.reply(http.StatusOK, struct {
		XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyObjectResult"`
		LastModified, ETag string
	}{LastModified: c.s.o.Now().UTC().Format(amzStamp), ETag: `"` + o.ETag + `"`})
}

func noKey() *refusal {
	return &refusal{Status: http.StatusNotFound, Code: "NoSuchKey", Message: "The specified key does not exist."}
}

// get serves GetObject and HeadObject.
func (c call) get() {
	o, ok := c.s.Object(c.bucket, c.key)
	if !ok {
		c.refuse(noKey())
		return
	}
	if tag := c.r.Header.Get("If-Match"); tag != "" && strings.Trim(tag, `"`) != o.ETag {
		c.refuse(preconditionFailed())
		return
	}
	file, err := os.Open(o.file)
	if err != nil {
		c.refuse(internal(err))
		return
	}
	defer file.Close()
	c.w.Header().Set("Content-Type", o.ContentType)
	c.w.Header().Set("ETag", `"`+o.ETag+`"`)
	if o.Version != "" {
		c.w.Header().Set("X-Amz-Version-Id", o.Version)
	}
	if o.SHA256 != "" {
		c.w.Header().Set(shaMeta, o.SHA256)
	}
	http.ServeContent(c.w, c.r, "", o.Modified, file)
}

// delete serves DeleteObject, which does not mind what is not there.
func (c call) delete() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.o.Versions == Kept {
		c.hide()
		return
	}
	if o := c.s.buckets[c.bucket][c.key]; o != nil {
		os.Remove(o.file)
		delete(c.s.buckets[c.bucket], c.key)
	}
	c.w.WriteHeader(http.StatusNoContent)
}
