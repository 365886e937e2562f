// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"cmp"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// publishing builds where results are copied to. Addresses in variables are
// left to whoever opens the storage.
func (l *loader) publishing(p *publish) Publish {
	if !l.given(&p.Bucket) && !l.boolInput("publish") {
		return Publish{}
	}
	out := Publish{
		On:       true,
		Endpoint: cmp.Or(string(p.Endpoint), l.input("s3-endpoint-url")),
		Bucket:   cmp.Or(string(p.Bucket), l.input("s3-bucket")),
		Region:   cmp.Or(string(p.Region), l.input("s3-region")),
		Prefix:   string(p.Prefix), PathStyle: l.pathStyle(p), URL: cmp.Or(string(p.URL), l.input("s3-public-url")),
		Key: Secret(l.input("s3-key")), Secret: Secret(l.input("s3-secret")),
		Artifacts: texts(p.Artifacts), Logs: p.Logs,
		Keep: time.Duration(p.Keep), Time: time.Duration(p.Time),
	}
	if !l.given(&p.Endpoint) {
		l.places[&p.Endpoint] = Place{Input: "s3-endpoint-url"}
	}
	l.checkClear(&p.Endpoint, out.Endpoint, out.Key != "")
	if u, err := url.Parse(out.Endpoint); err == nil && strings.HasSuffix(u.Hostname(), neverPublic) && out.URL == "" {
		l.fail(l.places[&p.Endpoint], "set url, or S3_PUBLIC_URL, to the bucket's own domain or its r2.dev address",
			"readers cannot open links to %s: that address of Cloudflare's is never public", u.Hostname())
	}
	return out
}

// neverPublic ends the hosts of R2's API, which answers no one without a key.
// https://developers.cloudflare.com/r2/buckets/public-buckets/
const neverPublic = ".r2.cloudflarestorage.com"

// pathStyle is the file's, or else the input's.
func (l *loader) pathStyle(p *publish) string {
	text := l.input("s3-path-style")
	if l.given(&p.PathStyle) || text == "" {
		return string(p.PathStyle)
	}
	var style pathStyle
	l.report(Place{Input: "s3-path-style"}, setText(reflect.ValueOf(&style).Elem(), text))
	return string(style)
}

func (l *loader) comments(c *comments) Comments {
	if c.Off { // the names of tests are told all the same
		return Comments{Files: texts(c.Files)}
	}
	if c.Max > verdict.MaxComments {
		l.fail(l.near(&c.Max), "more would bury the review", "max is %d, and %d comments are the most", c.Max, verdict.MaxComments)
	}
	return Comments{Files: texts(c.Files), Max: int(c.Max)}
}
