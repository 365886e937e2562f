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
func parseEndpoint(raw string) (*url.URL, error) {
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
func checkClear(o Options, at *url.URL) error {
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

// checkOptions checks what is not an address, and trims the prefix.
func checkOptions(o *Options) error {
	if o.PathStyle == "" {
		o.PathStyle = Auto
	}
	o.Prefix = strings.Trim(o.Prefix, "/")
	_, known := lookup[o.PathStyle]
	bad := func(text string, args ...any) *fault.Error { return fault.New(fault.Configuration, text, args...) }
	switch {
	case o.Bucket == "":
		return bad("no storage bucket is given").WithHint("set S3_BUCKET to the name of a bucket that exists")
	case !bucketName.MatchString(o.Bucket) || strings.Contains(o.Bucket, ".."):
		return bad("%q cannot name a bucket", printable(o.Bucket, 80)).
			WithHint("set S3_BUCKET to the bucket's name alone: 3 to 63 letters, digits, '.', '_' and '-'")
	case o.Key == "" && o.Secret == "":
		return bad("no storage credentials are given").WithHint("set S3_KEY and S3_SECRET")
	case o.Key == "":
		return bad("the storage secret is given without its key").WithHint("set S3_KEY as well")
	case o.Secret == "":
		return bad("the storage key is given without its secret").WithHint("set S3_SECRET as well")
	case strings.ContainsFunc(o.Key+o.Secret, notPrintable):
		return bad("the storage key or its secret holds a blank or a control character").
			WithHint("store S3_KEY and S3_SECRET anew, without line ends")
	case !known:
		return bad("%q is not a path style", printable(string(o.PathStyle), 40)).WithHint("use auto, path or virtual")
	case o.Prefix != "" && CheckName(o.Prefix) != nil:
		return bad("the storage prefix cannot be used: %w", CheckName(o.Prefix))
	}
	return nil
}

// notPrintable is true for all but the visible ASCII characters.
func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

// publicURL returns the base of the links that readers open.
func publicURL(o Options, at *url.URL) (string, error) {
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
