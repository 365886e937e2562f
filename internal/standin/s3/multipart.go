// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// upload is a multi-part upload that has begun.
type upload struct {
	bucket  string
	object  Object // its key and type
	parts   map[int]Object
	started time.Time
}

func noUpload() *refusal {
	return &refusal{Status: http.StatusNotFound, Code: "NoSuchUpload", Message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."}
}

// startUpload serves CreateMultipartUpload.
func (c call) startUpload() {
	c.s.mu.Lock()
	c.s.files++
	id := fmt.Sprintf("upload-%d", c.s.files)
	c.s.uploads[id] = &upload{
		bucket: c.bucket, object: Object{Key: c.key, ContentType: c.r.Header.Get("Content-Type"), SHA256: c.r.Header.Get(shaMeta)},
		parts: map[int]Object{}, started: c.s.o.Now().UTC(),
	}
	c.s.mu.Unlock()
	c.reply(http.StatusOK, struct {
		XMLName     xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
		Bucket, Key string
		UploadID    string `xml:"UploadId"`
	}{Bucket: c.bucket, Key: c.key, UploadID: id})
}

// find returns the upload that the call names, or nil. It needs a locked
// server.
func (c call) find() *upload {
	u := c.s.uploads[c.q.Get("uploadId")]
	if u == nil || u.bucket != c.bucket || u.object.Key != c.key {
		return nil
	}
	return u
}

// putPart serves UploadPart.
func (c call) putPart() {
	number, err := strconv.Atoi(c.q.Get("partNumber"))
	if err != nil || number < 1 || number > 10000 {
		c.refuse(&refusal{Status: http.StatusBadRequest, Code: "InvalidArgument", Message: "Part number must be an integer between 1 and 10000, inclusive"})
		return
	}
	part, bad := c.body()
	if bad != nil {
		c.refuse(bad)
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	u := c.find()
	switch {
	case u == nil:
		os.Remove(part.file)
		c.refuse(noUpload())
		return
	case c.s.lose[number] > 0:
		c.s.lose[number]--
		os.Remove(part.file)
	default:
		os.Remove(u.parts[number].file) // sent twice; an error means that it was not
		u.parts[number] = part
	}
	c.w.Header().Set("ETag", `"`+part.ETag+`"`)
}

// partList is the body of CompleteMultipartUpload.
type partList struct {
	Part []struct {
		PartNumber int
		ETag       string
	}
}

// completeUpload serves CompleteMultipartUpload.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
func (c call) completeUpload() {
	var list partList
	if err := xml.NewDecoder(io.LimitReader(c.r.Body, 4<<20)).Decode(&list); err != nil {
		c.refuse(&refusal{Status: http.StatusBadRequest, Code: "MalformedXML", Message: err.Error()})
		return
	}
	onlyNew, bad := c.onlyNew()
	if _, exists := c.s.Object(c.bucket, c.key); bad == nil && exists && onlyNew && c.s.o.Conditions == Obeyed {
		bad = preconditionFailed() // the upload stays
	}
	var object Object
	var parts []Object
	if bad == nil {
		object, parts, bad = c.take(list)
	}
	if bad != nil {
		c.refuse(bad)
		return
	}
	c.join(object, parts, onlyNew)
}

// take ends an upload and returns its parts, if they are those of the list.
func (c call) take(list partList) (object Object, parts []Object, bad *refusal) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	u := c.find()
	if u == nil {
		return object, nil, noUpload()
	}
	for i, p := range list.Part {
		part, ok := u.parts[p.PartNumber]
		switch {
		case !ok || strings.Trim(p.ETag, `"`) != part.ETag:
			return object, nil, &refusal{Status: http.StatusBadRequest, Code: "InvalidPart", Message: "One or more of the specified parts could not be found."}
		case i < len(list.Part)-1 && part.Size < c.s.o.MinPart:
			return object, nil, &refusal{Status: http.StatusBadRequest, Code: "EntityTooSmall", Message: "Your proposed upload is smaller than the minimum allowed size"}
		}
		parts = append(parts, part)
	}
	delete(c.s.uploads, c.q.Get("uploadId"))
	return u.object, parts, nil
}

// join makes an object of parts. Its tag is the digest of the parts' digests.
func (c call) join(o Object, parts []Object, onlyNew bool) {
	file, err := c.s.create()
	if err != nil {
		c.refuse(internal(err))
		return
	}
	defer file.Close()
	digests := md5.New()
	for _, part := range parts {
		raw, _ := hex.DecodeString(part.ETag) // made by body
		digests.Write(raw)
		if err := appendFile(file, part.file); err != nil {
			c.refuse(internal(err))
			return
		}
		o.Size += part.Size
	}
	o.file, o.ETag = file.Name(), fmt.Sprintf("%x-%d", digests.Sum(nil), len(parts))
	if bad := c.s.store(c.bucket, o, onlyNew); bad != nil {
		c.refuse(bad)
		return
	}
	c.reply(http.StatusOK, struct {
		XMLName     xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
		Bucket, Key string
		ETag        string
	}{Bucket: c.bucket, Key: c.key, ETag: `"` + o.ETag + `"`})
}

func appendFile(to io.Writer, name string) error {
	defer os.Remove(name)
	return readInto(to, name)
}

func readInto(to io.Writer, name string) error {
	from, err := os.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	_, err = io.Copy(to, from)
	return err
}

// abortUpload serves AbortMultipartUpload.
func (c call) abortUpload() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	u := c.find()
	if u == nil {
		c.refuse(noUpload())
		return
	}
	for _, part := range u.parts {
		os.Remove(part.file)
	}
	delete(c.s.uploads, c.q.Get("uploadId"))
	c.w.WriteHeader(http.StatusNoContent)
}
