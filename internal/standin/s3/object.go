// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Object is what a bucket holds under one key.
type Object struct {
	Key, ContentType string
	ETag             string // without quotes
	Size             int64
	Modified         time.Time

	file string
}

// body spools a request's body into a file and checks its hashes.
func (c call) body() (o Object, bad *refusal) {
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

// store puts an object under its key.
func (s *Server) store(bucket string, o Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.buckets[bucket][o.Key]; old != nil {
		os.Remove(old.file)
	}
	o.Modified = s.o.Now().UTC().Truncate(time.Millisecond)
	s.buckets[bucket][o.Key] = &o
}

// put serves PutObject.
func (c call) put() {
	o, bad := c.body()
	if bad != nil {
		c.refuse(bad)
		return
	}
	o.Key, o.ContentType = c.key, c.r.Header.Get("Content-Type")
	c.s.store(c.bucket, o)
	c.w.Header().Set("ETag", `"`+o.ETag+`"`)
}

// get serves GetObject and HeadObject.
func (c call) get() {
	o, ok := c.s.Object(c.bucket, c.key)
	if !ok {
		c.refuse(&refusal{Status: http.StatusNotFound, Code: "NoSuchKey", Message: "The specified key does not exist."})
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
	http.ServeContent(c.w, c.r, "", o.Modified, file)
}

// delete serves DeleteObject, which does not mind what is not there.
func (c call) delete() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if o := c.s.buckets[c.bucket][c.key]; o != nil {
		os.Remove(o.file)
		delete(c.s.buckets[c.bucket], c.key)
	}
	c.w.WriteHeader(http.StatusNoContent)
}
