// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// parseEndpoint checks S3_ENDPOINT_URL and takes off a final slash.
func parseEndpoint(raw string) (*url.URL, *fault.Error) {
	if raw == "" {
		return nil, fault.New(fault.Configuration, "no storage endpoint is given").
			WithHint("set S3_ENDPOINT_URL to the address of the S3 service, such as https://s3.us-west-004.backblazeb2.com")
	}
	u, err := parseURL(raw)
	if err != nil {
		return nil, fault.New(fault.Configuration, "the storage endpoint %w", err).
			WithHint("set S3_ENDPOINT_URL to the address of the S3 service without the bucket's name, such as https://s3.us-west-004.backblazeb2.com")
	}
	return u, nil
}

// checkClear refuses to send what others could read on the way; there are always
// credentials.
func checkClear(o Options, at *url.URL) *fault.Error {
	u := *at
	if o.PathStyle == Virtual {
		u.Host = o.Bucket + "." + u.Host
	}
	if !change.InTheClear(u.String()) {
		return nil
	}
	return fault.New(fault.Configuration, "the storage at %s would be read and written in the clear", u.Host).
		WithHint("set S3_ENDPOINT_URL to its https:// address; http:// is for servers on this machine, with the path style")
}

// parseURL accepts http and https addresses without anything that could be a
// secret or a mistake. Its errors go on behind the name of the setting.
func parseURL(raw string) (*url.URL, error) {
	quoted := "\"" + printable(raw, 100) + "\" "
	u, err := url.Parse(raw)
	switch {
	case strings.Contains(raw, "@"):
		// Not repeated: what stands before the @ may be a password.
		return nil, fault.New(fault.Configuration, "must not contain '@': key and secret have settings of their own")
	case err != nil:
		return nil, fault.New(fault.Configuration, "%scannot be parsed", quoted)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fault.New(fault.Configuration, "%smust begin with https:// (or http://)", quoted)
	case u.Hostname() == "" || u.Opaque != "":
		return nil, fault.New(fault.Configuration, "%snames no host", quoted)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fault.New(fault.Configuration, "%smust not have a query or a fragment", quoted)
	}
	return url.Parse(u.Scheme + "://" + u.Host + strings.TrimRight(u.EscapedPath(), "/"))
}

// bucketName is what Amazon's naming rules have in common with what other
// servers accept.
var bucketName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,61}[a-zA-Z0-9]$`)

// regionForm is wider than Amazon's names: Ceph and Swift have RegionOne.
var regionForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// checkOptions checks what is not an address, and trims the prefix.
func checkOptions(o *Options) (found []*fault.Error) {
	if o.PathStyle == "" {
		o.PathStyle = Auto
	}
	o.Prefix = strings.Trim(o.Prefix, "/")
	bad := func(hint, text string, args ...any) {
		found = append(found, fault.New(fault.Configuration, text, args...).WithHint("%s", hint))
	}
	switch {
	case o.Bucket == "":
		bad("set S3_BUCKET to the name of a bucket that exists", "no storage bucket is given")
	case !bucketName.MatchString(o.Bucket) || strings.Contains(o.Bucket, ".."):
		bad("set S3_BUCKET to the bucket's name alone: 3 to 63 letters, digits, '.', '_' and '-'", "%q cannot name a bucket", printable(o.Bucket, 80))
	}
	switch {
	case o.Key == "" && o.Secret == "":
		bad("set S3_KEY and S3_SECRET", "no storage credentials are given")
	case o.Key == "":
		bad("set S3_KEY as well", "the storage secret is given without its key")
	case o.Secret == "":
		bad("set S3_SECRET as well", "the storage key is given without its secret")
	}
	if strings.ContainsFunc(o.Key+o.Secret, notPrintable) {
		bad("store S3_KEY and S3_SECRET anew, without line ends", "the storage key or its secret holds a blank or a control character")
	}
	if o.Region != "" && !regionForm.MatchString(o.Region) {
		bad("set S3_REGION to the region alone, such as eu-central-1; for R2, auto", "%q cannot name a region", printable(o.Region, 40))
	}
	if _, known := lookup[o.PathStyle]; !known {
		bad("set S3_PATH_STYLE (path-style in a file) to auto, path or virtual", "%q is not a path style", printable(string(o.PathStyle), 40))
	}
	if o.Prefix != "" {
		if err := CheckName(o.Prefix); err != nil {
			bad("give a folder in the bucket, such as ci", "the storage prefix cannot be used: %w", err)
		}
	}
	return found
}

// problems is one error of all that is wrong; nil if there is nothing.
func problems(found []*fault.Error) error {
	var texts, hints []string
	for _, e := range found {
		texts, hints = append(texts, e.Error()), append(hints, e.Hint)
	}
	switch len(found) {
	case 0:
		return nil
	case 1:
		return found[0]
	}
	return fault.New(fault.Configuration, "%s", strings.Join(texts, "; ")).WithHint("%s", strings.Join(hints, "; "))
}

// notPrintable is true for all but the visible ASCII characters.
func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

// publicURL returns the base of the links that readers open.
func publicURL(o Options, at *url.URL) (string, *fault.Error) {
	if o.PublicURL != "" {
		u, err := parseURL(o.PublicURL)
		if err != nil {
			return "", fault.New(fault.Configuration, "the storage's public URL %w", err).
				WithHint("give the address below which a browser finds the bucket's objects")
		}
		return u.String(), nil
	}
	u := *at
	if o.PathStyle == Virtual || o.PathStyle == Auto && s3utils.IsVirtualHostSupported(u, o.Bucket) {
		u.Host = o.Bucket + "." + u.Host
		return u.String(), nil
	}
	return u.String() + "/" + o.Bucket, nil
}

// defaultRegion is what servers without regions go by.
const defaultRegion = "us-east-1"

// regionOf guesses the region from hosts like s3.eu-central-1.example.com, as
// Amazon, Backblaze, Scaleway, Wasabi and others have them.
func regionOf(host string) string {
	labels := strings.Split(host, ".")
	if net.ParseIP(host) != nil || len(labels) < 4 {
		return defaultRegion
	}
	for i, label := range labels[:len(labels)-2] {
		if i > 0 && strings.HasPrefix(labels[0], "s3") && strings.Contains(label, "-") {
			return label
		}
	}
	return defaultRegion
}
