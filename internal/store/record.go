// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/durable"
)

// header is the first line of PATH.part.done: what is downloaded.
type header struct {
	Key      string `json:"key"`
	ETag     string `json:"etag"`
	Modified int64  `json:"modified"` // seconds since 1970
	Size     int64  `json:"size"`
	Part     int64  `json:"part_size"`
	SHA256   string `json:"sha256,omitempty"`
}

// parseRecord reads a record: the header, and a line with the number of each
// part that is whole. The last line of a process that was killed may be half of
// one, so a line counts with its end only. It is all or nothing: a record that
// is odd elsewhere is none.
func parseRecord(data []byte) (h header, parts []int, ok bool) {
	end := bytes.LastIndexByte(data, '\n')
	if end < 0 || len(data) > maxState {
		return header{}, nil, false
	}
	first, rest, _ := bytes.Cut(data[:end+1], []byte("\n"))
	decoder := json.NewDecoder(bytes.NewReader(first))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&h) != nil || decoder.Decode(&struct{}{}) != io.EOF || h.Part <= 0 || h.Size < 0 {
		return header{}, nil, false
	}
	for line := range bytes.Lines(rest) {
		n, err := strconv.Atoi(string(bytes.TrimSuffix(line, []byte("\n"))))
		if err != nil || n < 0 || n >= partCount(h.Size, h.Part) {
			return header{}, nil, false
		}
		parts = append(parts, n)
	}
	return h, parts, true
}

// partRecord is an open record. It may be used from several goroutines.
type partRecord struct {
	file *os.File

	mu   sync.Mutex
	done map[int]bool
}

// openRecord opens the record of a download, or begins it if there is none, if
// it is about something else, or if what it is about is not there.
func openRecord(path string, want header, there bool) (*partRecord, error) {
	r := &partRecord{done: map[int]bool{}}
	data, err := durable.ReadFile(path, maxState)
	h, parts, ok := parseRecord(data)
	if err == nil && ok && there && h == want {
		for _, i := range parts {
			r.done[i] = true
		}
	}
	// Written anew: then it ends with a whole line, and has none twice.
	line, err := json.Marshal(want)
	if err != nil {
		return nil, err
	}
	line = append(line, '\n')
	for _, i := range parts {
		if r.done[i] {
			line = append(strconv.AppendInt(line, int64(i), 10), '\n')
		}
	}
	if err := durable.WriteFile(path, line); err != nil {
		return nil, err
	}
	r.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o644)
	return r, err
}

func (r *partRecord) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.done)
}

func (r *partRecord) has(i int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done[i]
}

// add says that a part is whole. It is not synced: after a loss of power the
// digest of the whole decides.
func (r *partRecord) add(i int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.file.WriteString(strconv.Itoa(i) + "\n"); err != nil {
		return err
	}
	r.done[i] = true
	return nil
}

func (r *partRecord) close() { r.file.Close() }
