// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"cmp"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"
)

// Object returns one object.
func (s *Server) Object(bucket, key string) (Object, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.buckets[bucket][key]
	if o == nil {
		return Object{}, false
	}
	return *o, true
}

// AddObject puts a text under a key without a request.
func (s *Server) AddObject(bucket, key, text string) {
	file, err := s.create()
	if err == nil {
		_, err = file.WriteString(text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		panic(err)
	}
	s.store(bucket, Object{Key: key, ContentType: "text/plain", ETag: fmt.Sprintf("%x", md5.Sum([]byte(text))), Size: int64(len(text)), file: file.Name()}, false)
}

// DeleteObject deletes an object by its name without a request.
func (s *Server) DeleteObject(bucket, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hide(bucket, key)
}

// Objects returns the objects of a bucket, sorted by key.
func (s *Server) Objects(bucket string) []Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Object
	for _, o := range s.buckets[bucket] {
		list = append(list, *o)
	}
	slices.SortFunc(list, func(a, b Object) int { return cmp.Compare(a.Key, b.Key) })
	return list
}

// Content returns what an object holds; nil if there is none.
func (s *Server) Content(bucket, key string) []byte {
	o, _ := s.Object(bucket, key)
	data, err := os.ReadFile(o.file)
	if err != nil {
		return nil
	}
	return data
}

// Stored returns all versions that a bucket keeps, by key and age, delete markers
// included; where none are kept, its objects.
func (s *Server) Stored(bucket string) []Object {
	if s.o.Versions != Kept {
		return s.Objects(bucket)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Object
	for at, versions := range s.history {
		for _, o := range versions {
			if at.bucket == bucket {
				list = append(list, *o)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Object) int { return cmp.Compare(a.Key, b.Key) })
	return list
}

// Uploads returns the keys of the multi-part uploads that are not finished.
func (s *Server) Uploads() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := []string{}
	for _, id := range slices.Sorted(maps.Keys(s.uploads)) {
		keys = append(keys, s.uploads[id].object.Key)
	}
	return keys
}

// Age makes an object, all its versions and an unfinished upload of that key look
// older.
func (s *Server) Age(bucket, key string, by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.buckets[bucket][key]; o != nil && s.o.Versions != Kept {
		o.Modified = o.Modified.Add(-by)
	}
	for _, o := range s.history[versionKey{bucket, key}] {
		o.Modified = o.Modified.Add(-by)
	}
	for _, u := range s.uploads {
		if u.bucket == bucket && u.object.Key == key {
			u.started = u.started.Add(-by)
		}
	}
}

// LosePart makes the server acknowledge the next part of that number, and
// forget it.
func (s *Server) LosePart(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose[number]++
}

// CutUpload is a fault: it reads so many bytes of a request's body and breaks
// the connection.
func CutUpload(after int64) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			io.CopyN(io.Discard, r.Body, after)
			panic(http.ErrAbortHandler)
		})
	}
}
