// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"cmp"
	"os"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// place says where the text of a commit is. Of a tag only the offset counts.
type place struct {
	kind   int
	offset int64 // in the pack
	id     commitID
	start  int64 // in the store's file
	size   int32
}

// store keeps the commits that deltas may need: their texts in a temporary
// file, so that memory does not depend on the length of the history's messages.
// The zero value is empty.
type store struct {
	file   *os.File
	end    int64
	places []place        // by offset, as they were added
	index  map[string]int // by id; made when the first reference delta comes
}

// maxStore bounds the file: a few bytes of deltas can promise a lot of text, and
// the longest histories known have a fraction of it.
const maxStore = 4 << 30

// addTag notes where a tag is; offsets must grow.
func (s *store) addTag(offset int64) {
	s.places = append(s.places, place{kind: typeTag, offset: offset})
}

// addCommit appends a commit; offsets must grow.
func (s *store) addCommit(offset int64, id commitID, body []byte) error {
	if s.file == nil {
		f, err := os.CreateTemp("", "gitwire-commits-*")
		if err != nil {
			return fault.New(fault.Ours, "failed to create a file for commits: %w", err)
		}
		os.Remove(f.Name()) // the open file stays usable, and nothing is left behind
		s.file = f
	}
	if s.end+int64(len(body)) > maxStore {
		return fault.New(fault.Permanent, "the commits of the pack have more than %d bytes", int64(maxStore))
	}
	if _, err := s.file.WriteAt(body, s.end); err != nil {
		return fault.New(fault.Ours, "failed to keep a commit in a file: %w", err)
	}
	if s.index != nil {
		s.index[string(id[:])] = len(s.places)
	}
	s.places = append(s.places, place{typeCommit, offset, id, s.end, int32(len(body))})
	s.end += int64(len(body))
	return nil
}

// at finds a commit by its offset in the pack.
func (s *store) at(offset int64) (place, bool) {
	i, ok := slices.BinarySearchFunc(s.places, offset, func(p place, offset int64) int {
		return cmp.Compare(p.offset, offset)
	})
	if !ok {
		return place{}, false
	}
	return s.places[i], true
}

// byID finds a commit by the 20 bytes of its object id.
func (s *store) byID(id string) (place, bool) {
	if s.index == nil {
		s.index = make(map[string]int, len(s.places))
		for i, p := range s.places {
			s.index[string(p.id[:])] = i // tags share the zero id, which nothing has
		}
	}
	i, ok := s.index[id]
	if !ok {
		return place{}, false
	}
	return s.places[i], true
}

func (s *store) read(p place) ([]byte, error) {
	body := make([]byte, p.size)
	if _, err := s.file.ReadAt(body, p.start); err != nil {
		return nil, fault.New(fault.Ours, "failed to read a commit back: %w", err)
	}
	return body, nil
}

func (s *store) close() {
	if s.file != nil {
		s.file.Close()
	}
}
