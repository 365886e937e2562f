// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
)

// Versions say what becomes of an object that is replaced or deleted.
type Versions int

// The kinds of buckets.
const (
	// Gone is a bucket that never had versions.
	Gone Versions = iota
	// Kept is one with versions: what is replaced stays, and DELETE puts a marker
	// on top.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
	Kept
	// Missing is a server that knows nothing of versions and lifecycles: 501.
	Missing
)

type versionKey struct{ bucket, key string }

// remember adds a version. It needs a locked server.
func (s *Server) remember(bucket string, o *Object) {
	if s.o.Versions != Kept {
		return
	}
	s.files++
	o.Version = fmt.Sprintf("version-%06d", s.files)
	at := versionKey{bucket, o.Key}
	s.history[at] = append(s.history[at], o)
}

// hide puts a delete marker on top of an object, even where there is none. It needs
// a locked server.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
func (s *Server) hide(bucket, key string) *Object {
	o := &Object{Key: key, Marker: true, Modified: s.o.Now().UTC()}
	s.remember(bucket, o)
	delete(s.buckets[bucket], key)
	return o
}

// hide serves DeleteObject where versions are kept.
func (c call) hide() {
	o := c.s.hide(c.bucket, c.key)
	c.w.Header().Set("X-Amz-Delete-Marker", "true")
	c.w.Header().Set("X-Amz-Version-Id", o.Version)
	c.w.WriteHeader(http.StatusNoContent)
}

// deleteVersion serves DeleteObject with a version. What is below comes up again.
func (c call) deleteVersion() {
	if bad := c.may("DeleteObjectVersion"); bad != nil {
		c.refuse(bad)
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	at := versionKey{c.bucket, c.key}
	if slices.ContainsFunc(c.s.history[at], func(o *Object) bool {
		return o.Version == c.q.Get("versionId") && !o.Marker && c.s.o.Now().Sub(o.Modified) < c.s.o.Retention
	}) { // Amazon's words; markers are not held
		c.refuse(&refusal{Status: http.StatusForbidden, Code: "AccessDenied", Message: "Access Denied because object protected by object lock."})
		return
	}
	c.s.history[at] = slices.DeleteFunc(c.s.history[at], func(o *Object) bool {
		if o.Version == c.q.Get("versionId") {
			os.Remove(o.file) // a marker has none
			return true
		}
		return false
	})
	delete(c.s.buckets[c.bucket], c.key)
	if list := c.s.history[at]; len(list) > 0 && !list[len(list)-1].Marker {
		c.s.buckets[c.bucket][c.key] = list[len(list)-1]
	}
	c.w.WriteHeader(http.StatusNoContent)
}

// may returns the refusal of an action that the account may not do, or that the
// server does not have.
func (c call) may(action string) *refusal {
	switch {
	case c.s.o.Versions == Missing:
		return &refusal{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: action + " not implemented"}
	case slices.Contains(c.s.o.Deny, action):
		return &refusal{Status: http.StatusForbidden, Code: "AccessDenied", Message: "Access Denied"}
	}
	return nil
}

// versioning serves GetBucketVersioning.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
func (c call) versioning() {
	if bad := c.may("GetBucketVersioning"); bad != nil {
		c.refuse(bad)
		return
	}
	answer := struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
		Status  string   `xml:",omitempty"`
	}{}
	if c.s.o.Versions == Kept {
		answer.Status = "Enabled"
	}
	c.reply(http.StatusOK, answer)
}

// lifecycle serves GetBucketLifecycleConfiguration.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html
func (c call) lifecycle() {
	bad := c.may("GetLifecycleConfiguration")
	if bad == nil && c.s.o.Lifecycle == "" {
		bad = &refusal{Status: http.StatusNotFound, Code: "NoSuchLifecycleConfiguration", Message: "The lifecycle configuration does not exist"}
	}
	if bad != nil {
		c.refuse(bad)
		return
	}
	c.w.Header().Set("Content-Type", "application/xml")
	fmt.Fprintf(c.w, "%s%s", xml.Header, c.s.o.Lifecycle)
}

type listedVersion struct {
	XMLName      xml.Name // Version or DeleteMarker
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified string
	ETag         string `xml:",omitempty"`
	Size         *int64 // a marker has none
}

// listVersions serves ListObjectVersions: by key, and of each the newest first. A
// page may end within a key.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
func (c call) listVersions() {
	if bad := c.may("ListBucketVersions"); bad != nil {
		c.refuse(bad)
		return
	}
	size := c.pageSize()
	answer := struct {
		XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
		Name, Prefix        string
		EncodingType        string
		IsTruncated         bool
		NextKeyMarker       string `xml:",omitempty"`
		NextVersionIDMarker string `xml:"NextVersionIdMarker,omitempty"`
		List                []listedVersion
	}{Name: c.bucket, Prefix: c.q.Get("prefix"), EncodingType: c.q.Get("encoding-type")}
	for _, v := range c.versionsAfter(c.q.Get("key-marker"), c.q.Get("version-id-marker")) {
		if !strings.HasPrefix(v.Key, answer.Prefix) {
			continue
		}
		if len(answer.List) == size {
			answer.IsTruncated = true
			last := answer.List[size-1] // in the order of keys
			answer.NextKeyMarker, answer.NextVersionIDMarker = last.Key, last.VersionID
			break
		}
		v.Key = c.encode(v.Key)
		answer.List = append(answer.List, v)
	}
	if c.s.o.MarkersLast {
		slices.SortStableFunc(answer.List, func(a, b listedVersion) int { return -cmp.Compare(a.XMLName.Local, b.XMLName.Local) })
	}
	c.reply(http.StatusOK, answer)
}

// versionsAfter returns the versions behind a place in the list.
func (c call) versionsAfter(key, id string) (list []listedVersion) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	all := c.s.history
	if c.s.o.Versions != Kept {
		all = map[versionKey][]*Object{}
		for name, o := range c.s.buckets[c.bucket] {
			all[versionKey{c.bucket, name}] = []*Object{o}
		}
	}
	keys := slices.SortedFunc(maps.Keys(all), func(a, b versionKey) int { return strings.Compare(a.key, b.key) })
	for _, at := range keys {
		if at.bucket != c.bucket || at.key < key || at.key == key && id == "" {
			continue
		}
		skip := at.key == key
		for i, o := range slices.Backward(all[at]) {
			if !skip {
				list = append(list, listVersion(o, i == len(all[at])-1))
			}
			skip = skip && o.Version != id
		}
	}
	return list
}

func listVersion(o *Object, latest bool) listedVersion {
	v := listedVersion{Key: o.Key, VersionID: o.Version, IsLatest: latest, LastModified: o.Modified.Format(amzStamp)}
	if v.VersionID == "" {
		v.VersionID = "null"
	}
	v.XMLName.Local = "DeleteMarker"
	if !o.Marker {
		v.XMLName.Local, v.ETag, v.Size = "Version", `"`+o.ETag+`"`, &o.Size
	}
	return v
}
