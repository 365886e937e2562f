// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"net/http"
	"strings"
)

// Dialects are services that differ from Amazon, by name, as changes of the
// options.
var Dialects = map[string]func(*Options){
	// Amazon's bucket as it is made, and one whose owner switched versions on.
	"amazon":                func(*Options) {},
	"amazon, with versions": func(o *Options) { o.Versions = Kept },
	// Object Lock comes with versions, and wants a checksum with each upload, parts
	// included; x-amz-content-sha256 does not count:
	// https://github.com/s3tools/s3cmd/issues/1436
	"amazon, with object lock": func(o *Options) { o.Versions, o.Locked = Kept, true },
	// Buckets of Backblaze always have versions, and DELETE inserts a marker:
	// https://www.backblaze.com/docs/cloud-storage-s3-compatible-api-bucket-versions
	// https://www.backblaze.com/apidocs/s3-delete-object
	// Conditional writes: 501 in 2026 (github.com/sathinduga/obsidian-s3-sync-and-backup
	// #84); others have it that they work (github.com/taylorfinnell/awscr-s3 #162).
	// Newer checksums were refused in 2025 (github.com/boto/s3transfer #327), and not
	// everywhere in 2026 (the first of these).
	"backblaze": func(o *Options) { o.Versions, o.Conditions, o.PlainUploads = Kept, Refused, true },
	"backblaze, with conditions and checksums": func(o *Options) { o.Versions = Kept },
	// R2 has no versions and no bucket policies; its region is "auto", and
	// us-east-1 means the same: https://developers.cloudflare.com/r2/api/s3/api/
	"r2": func(o *Options) { o.Versions = Missing },
	// Spaces has versions where the API switched them on:
	// https://docs.digitalocean.com/products/spaces/reference/s3-compatibility/
	"spaces":                func(o *Options) { o.PlainUploads = true },
	"spaces, with versions": func(o *Options) { o.Versions, o.PlainUploads = Kept, true },
	// versitygw 1.8 and moto 5 list what a page has of versions, and then of delete
	// markers, as e2e's TestServices saw.
	"versitygw, with versions": func(o *Options) { o.Versions, o.MarkersLast = Kept, true },
	// Older Ceph, Swift and appliances ignore conditions and know no versions.
	"old": func(o *Options) { o.Versions, o.Conditions, o.PlainUploads = Missing, Ignored, true },
}

// checksums refuses an upload for the checksums that it has, or has not.
func (c call) checksums() *refusal {
	for name := range c.r.Header {
		name = strings.ToLower(name)
		if c.s.o.PlainUploads && (strings.HasPrefix(name, "x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm" || name == "x-amz-trailer") {
			return &refusal{Status: http.StatusBadRequest, Code: "InvalidArgument", Message: "Unsupported header '" + name + "' received for this API call."}
		}
	}
	if c.s.o.Locked && c.r.Header.Get("Content-Md5") == "" {
		return &refusal{Status: http.StatusBadRequest, Code: "InvalidRequest", Message: "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Part requests with Object Lock parameters"}
	}
	return nil
}
