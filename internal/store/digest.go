// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// part is a piece of an object, in memory, with its digests.
type part struct {
	data   []byte
	md5    [md5.Size]byte
	sha256 string // in hex
}

func newPart(data []byte) part {
	sum := sha256.Sum256(data)
	return part{data: data, md5: md5.Sum(data), sha256: hex.EncodeToString(sum[:])}
}

// md5Base64 is the digest as the Content-MD5 header has it.
func (p part) md5Base64() string { return base64.StdEncoding.EncodeToString(p.md5[:]) }

// compare returns an error if the server says that it stored something else.
func (p part) compare(tag string, header http.Header) error {
	if compareTags(tag, hex.EncodeToString(p.md5[:]), header) == different {
		return fault.New(fault.Transient, "the storage has other bytes than were sent")
	}
	return nil
}

// digestMeta names the metadata that holds the SHA-256 of a whole object.
const digestMeta = "Sha256"

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// isDigest reports whether text is a SHA-256 in lower-case hex.
func isDigest(text string) bool { return hexDigest.MatchString(text) }

// sameness is what two entity tags say.
type sameness int

const (
	unknown sameness = iota // the server's tag is no digest
	same
	different
)

// digestTag is a tag that S3 makes of an object: its MD5, or the MD5 of its
// parts' MD5s and their number.
var digestTag = regexp.MustCompile(`^[0-9a-f]{32}(-[0-9]+)?$`)

// compareTags compares a server's entity tag with the digest that we made. The
// tag of what the server encrypted is none, and some servers make up their tags.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
func compareTags(got, want string, header http.Header) sameness {
	_, gotParts, _ := strings.Cut(got, "-")
	_, wantParts, _ := strings.Cut(want, "-")
	switch {
	case got == want:
		return same
	case !digestTag.MatchString(got) || gotParts != wantParts || encrypted(header):
		return unknown
	}
	return different
}

func encrypted(header http.Header) bool {
	for name := range header {
		if strings.HasPrefix(name, "X-Amz-Server-Side-Encryption") {
			return true
		}
	}
	return false
}
