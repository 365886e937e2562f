// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const (
	// maxRatio is how many times its size an answer may unpack to, once it is
	// over freeUnpacked bytes: lists of refs that all point at the same object
	// come to fifty times, a bomb to a thousand.
	maxRatio     = 200
	freeUnpacked = 64 << 20
)

// decode unpacks the body of an answer, asked for or not: some proxies compress
// whatever passes.
func decode(response *http.Response) error {
	switch encoding := strings.ToLower(response.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		response.Body = &inflater{body: response.Body, free: freeUnpacked}
	default:
		if response.StatusCode != http.StatusOK { // which says enough
			response.Body = struct {
				io.Reader
				io.Closer
			}{http.NoBody, response.Body}
			return nil
		}
		return fault.New(fault.Configuration, "the answer has the content encoding %q, which was not asked for", printable(encoding, 40)).
			WithHint("a proxy may add it: let it pass git's answers as they are")
	}
	return nil
}

// inflater reads a compressed body, up to a bound.
type inflater struct {
	body    io.ReadCloser
	free    int64 // bytes that may come whatever the ratio
	in, out int64
	z       *gzip.Reader
}

// Read implements io.Reader. Errors of the body are returned as they are.
func (f *inflater) Read(p []byte) (n int, err error) {
	if f.z == nil {
		if f.z, err = gzip.NewReader(counter{f}); err != nil {
			return 0, unpackFailure(err)
		}
	}
	n, err = f.z.Read(p)
	if f.out += int64(n); f.out > f.free && f.out > f.in*maxRatio {
		return 0, malformed("the answer unpacks to more than %d times its size", maxRatio)
	}
	return n, unpackFailure(err)
}

// Close implements io.Closer.
func (f *inflater) Close() error { return f.body.Close() }

// counter reads the body and counts.
type counter struct{ *inflater }

func (c counter) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	c.in += int64(n)
	return n, err
}

func unpackFailure(err error) error {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	if corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return malformed("the answer says that it is gzip: %w", err)
	}
	return err
}
