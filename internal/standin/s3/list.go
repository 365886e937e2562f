// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const amzStamp = "2006-01-02T15:04:05.000Z"

type listed struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
}

// list serves ListObjectsV2, without delimiters.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
func (c call) list() {
	if c.q.Get("delimiter") != "" {
		c.refuse(&refusal{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "no delimiters here"})
		return
	}
	after := c.q.Get("start-after")
	if token := c.q.Get("continuation-token"); token != "" {
		after = strings.TrimPrefix(token, "after:")
	}
	size := c.pageSize()
	answer := struct {
		XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
		Name, Prefix          string
		EncodingType          string
		KeyCount, MaxKeys     int
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []listed
	}{Name: c.bucket, Prefix: c.q.Get("prefix"), EncodingType: c.q.Get("encoding-type"), MaxKeys: size}
	last := ""
	for _, o := range c.s.Objects(c.bucket) {
		if !strings.HasPrefix(o.Key, answer.Prefix) || o.Key <= after {
			continue
		}
		if len(answer.Contents) == size {
			answer.IsTruncated, answer.NextContinuationToken = true, "after:"+last
			break
		}
		last = o.Key
		answer.Contents = append(answer.Contents, listed{
			Key: c.encode(o.Key), LastModified: o.Modified.Format(amzStamp), ETag: `"` + o.ETag + `"`, Size: o.Size, StorageClass: "STANDARD",
		})
	}
	answer.KeyCount = len(answer.Contents)
	c.reply(http.StatusOK, answer)
}

// encode writes a key as the caller asked for.
func (c call) encode(key string) string {
	if c.q.Get("encoding-type") == "url" {
		return escape(key, true)
	}
	return key
}

// listUploads serves ListMultipartUploads, all on one page.
func (c call) listUploads() {
	type entry struct{ Key, UploadId, Initiated string } //nolint:revive // Amazon's names
	answer := struct {
		XMLName      xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
		Bucket       string
		Prefix       string
		EncodingType string
		IsTruncated  bool
		Upload       []entry
	}{Bucket: c.bucket, Prefix: c.q.Get("prefix"), EncodingType: c.q.Get("encoding-type")}
	c.s.mu.Lock()
	for _, id := range slices.Sorted(maps.Keys(c.s.uploads)) {
		if u := c.s.uploads[id]; u.bucket == c.bucket && strings.HasPrefix(u.object.Key, answer.Prefix) {
			answer.Upload = append(answer.Upload, entry{c.encode(u.object.Key), id, u.started.Format(time.RFC3339)})
		}
	}
	c.s.mu.Unlock()
	c.reply(http.StatusOK, answer)
}

// listParts serves ListParts.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
func (c call) listParts() {
	type entry struct {
		PartNumber int
		ETag       string
		Size       int64
	}
	answer := struct {
		XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
		Bucket, Key          string
		UploadID             string `xml:"UploadId"`
		MaxParts             int
		NextPartNumberMarker int
		IsTruncated          bool
		Part                 []entry
	}{Bucket: c.bucket, Key: c.key, UploadID: c.q.Get("uploadId"), MaxParts: c.s.o.PageSize}
	after, _ := strconv.Atoi(c.q.Get("part-number-marker"))
	c.s.mu.Lock()
	u := c.find()
	if u == nil {
		c.s.mu.Unlock()
		c.refuse(noUpload())
		return
	}
	for _, number := range slices.Sorted(maps.Keys(u.parts)) {
		if number <= after {
			continue
		}
		if len(answer.Part) == answer.MaxParts {
			answer.IsTruncated = true
			break
		}
		answer.NextPartNumberMarker = number
		answer.Part = append(answer.Part, entry{number, `"` + u.parts[number].ETag + `"`, u.parts[number].Size})
	}
	c.s.mu.Unlock()
	c.reply(http.StatusOK, answer)
}

// pageSize is how many a list has at most: what is asked for, or else the server's.
func (c call) pageSize() int {
	size, err := strconv.Atoi(c.q.Get("max-keys"))
	if err != nil || size > c.s.o.PageSize {
		return c.s.o.PageSize
	}
	return size
}
