// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// part is a piece of what is stored, with its digests. It can be read again.
type part struct {
	from   io.ReaderAt
	at     int64
	size   int64
	md5    [md5.Size]byte
	sha256 string // in hex
}

// newPart is a part in memory.
func newPart(data []byte) part {
	sum := sha256.Sum256(data)
	return part{from: bytes.NewReader(data), size: int64(len(data)), md5: md5.Sum(data), sha256: hex.EncodeToString(sum[:])}
}

// readPart is a part of a file. It stays there: it is read through buf once for
// the digests, and again when it is sent.
func readPart(from io.ReaderAt, at, size int64, buf []byte) (part, error) {
	p := part{from: from, at: at, size: size}
	sum, old := sha256.New(), md5.New()
	n, err := io.CopyBuffer(io.MultiWriter(sum, old), struct{ io.Reader }{p.body()}, buf)
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	p.md5, p.sha256 = [md5.Size]byte(old.Sum(nil)), hex.EncodeToString(sum.Sum(nil))
	return p, err
}

// body reads the part from its beginning.
func (p part) body() io.Reader { return io.NewSectionReader(p.from, p.at, p.size) }

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
