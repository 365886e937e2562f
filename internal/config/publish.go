// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"cmp"
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
		Prefix:   string(p.Prefix), PathStyle: string(p.PathStyle), URL: string(p.URL),
		Key: Secret(l.input("s3-key")), Secret: Secret(l.input("s3-secret")),
		Artifacts: texts(p.Artifacts), Logs: p.Logs,
		Keep: time.Duration(p.Keep), Time: time.Duration(p.Time),
	}
	if !l.given(&p.Endpoint) {
		l.places[&p.Endpoint] = Place{Input: "s3-endpoint-url"}
	}
	l.checkClear(&p.Endpoint, out.Endpoint, out.Key != "")
	return out
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
