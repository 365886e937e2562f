// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const (
	maxName    = 1000 // bytes; S3 allows 1024 with the prefix
	maxSegment = 255  // bytes; servers that keep objects as files have this limit
)

// CheckName accepts the names that objects may have: parts with slashes between
// them, as in a relative path, that mean the same to S3, to browsers and to
// file systems, and that show what they are.
func CheckName(name string) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("%q cannot name an object: %w", printable(name, 120), err)
	}
	return nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("it is empty")
	case len(name) > maxName:
		return fmt.Errorf("it is longer than %d bytes", maxName)
	case !utf8.ValidString(name):
		return errors.New("it is not UTF-8")
	case strings.Contains(name, `\`):
		return errors.New(`it holds a '\'`)
	case strings.ContainsFunc(name, hidden):
		return errors.New("it holds a character that cannot be seen")
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "":
			return errors.New("a part between slashes is empty")
		case part == "." || part == "..":
			return fmt.Errorf("%q must not be a part of it", part)
		case len(part) > maxSegment:
			return fmt.Errorf("a part between slashes is longer than %d bytes", maxSegment)
		}
	}
	return nil
}

// hidden characters are those that show nothing or change how others show:
// controls, format characters (bidirectional ones among them), line separators.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// key returns the object's key in the bucket.
func (s *Store) key(name string) (string, error) {
	if err := CheckName(name); err != nil {
		return "", fault.Wrap(fault.Permanent, err)
	}
	return s.prefix + name, nil
}

// URL returns the address where readers find an object, which need not exist.
// The name must be one that CheckName accepts.
func (s *Store) URL(name string) string {
	return s.public + "/" + s3utils.EncodePath(s.prefix+name)
}

// printable makes outside text fit for one line: what cannot be seen and broken
// UTF-8 become spaces, and what is longer than limit bytes is cut on a rune
// boundary.
func printable(s string, limit int) string {
	if len(s) > 4*limit { // keeps the work bounded
		s = s[:4*limit]
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || hidden(r) {
			return ' '
		}
		return r
	}, s)
	if s = strings.Join(strings.Fields(s), " "); len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "..."
}
