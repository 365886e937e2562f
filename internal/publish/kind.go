// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"bytes"
	"net/http"
	"path"
	"strings"
)

const (
	textType   = "text/plain; charset=utf-8"
	binaryType = "application/octet-stream"
	// sniffLength is how much of a file http.DetectContentType looks at.
	sniffLength = 512
)

// Browsers execute some files: pages, SVG and XML with scripts in them. Served
// under the store's address, the script of a patch that nobody has reviewed could
// read whatever readers' browsers keep for that address and show them a page
// that looks like ours. So those files are served as plain text, which no browser
// makes anything else of (https://mimesniff.spec.whatwg.org/), unless the store
// has an address of its own and somebody allowed it.
var executable = map[string]string{
	".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8",
	".xhtml": "application/xhtml+xml", ".svg": "image/svg+xml", ".xml": "application/xml",
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
}

// inert are types that browsers show without executing anything, or save. A file
// must look like the type, too, where that can be told.
var inert = map[string]struct{ contentType, sniffed string }{
	".png": {"image/png", "image/png"}, ".gif": {"image/gif", "image/gif"}, ".webp": {"image/webp", "image/webp"},
	".jpg": {"image/jpeg", "image/jpeg"}, ".jpeg": {"image/jpeg", "image/jpeg"},
	".pdf": {"application/pdf", "application/pdf"}, ".webm": {"video/webm", "video/webm"}, ".mp4": {"video/mp4", "video/mp4"},
	".zip": {"application/zip", "application/zip"}, ".gz": {"application/gzip", "application/x-gzip"}, ".tgz": {"application/gzip", "application/x-gzip"},
	".xz": {"application/x-xz", binaryType}, ".zst": {"application/zstd", binaryType},
	".json": {"application/json", textType},
}

// typeOf says as what a file is served, from its name and how it begins.
func typeOf(name string, head []byte, allowHTML bool) string {
	ext := strings.ToLower(path.Ext(name))
	if t, ok := executable[ext]; ok && allowHTML && isText(head) {
		return t
	}
	sniffed := http.DetectContentType(head)
	if isText(head) {
		sniffed = textType
	}
	if t, ok := inert[ext]; ok && t.sniffed == sniffed {
		return t.contentType
	}
	if sniffed == textType || strings.HasPrefix(sniffed, "text/plain; charset=utf-16") {
		return sniffed
	}
	return binaryType
}

// isText reports whether a file's beginning has none of the bytes that text does
// not have; escape is one that it may have. An empty file is text.
// https://mimesniff.spec.whatwg.org/#binary-data-byte
func isText(head []byte) bool {
	return !bytes.ContainsFunc(head, func(r rune) bool {
		return r < 0x09 || r == 0x0b || r >= 0x0e && r <= 0x1a || r >= 0x1c && r <= 0x1f
	})
}
