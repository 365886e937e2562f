// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

func options(change func(*Options)) Options {
	o := Options{Endpoint: "https://s3.example.org", Key: "k", Secret: "hush-hush", Bucket: "results", Now: time.Now}
	change(&o)
	return o
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		change     func(*Options)
		text, hint string
	}{
		{"no endpoint", func(o *Options) { o.Endpoint = "" }, "no storage endpoint", "set S3_ENDPOINT_URL"},
		{"no scheme", func(o *Options) { o.Endpoint = "s3.example.org" }, `"s3.example.org" must begin with https://`, "set S3_ENDPOINT_URL"},
		{"a name of this machine that name servers know", func(o *Options) { o.Endpoint = "http://s3.localhost:9000" }, "in the clear", "https"},
		{"this machine with a name for the bucket", func(o *Options) { o.Endpoint, o.PathStyle = "http://localhost:9000", Virtual }, "in the clear", "https"},
		{"host and port", func(o *Options) { o.Endpoint = "localhost:9000" }, `must begin with https://`, "set S3_ENDPOINT_URL"},
		{"another scheme", func(o *Options) { o.Endpoint = "s3://bucket/x" }, `must begin with https://`, "S3_ENDPOINT_URL"},
		{"no host", func(o *Options) { o.Endpoint = "https:///x" }, `names no host`, "S3_ENDPOINT_URL"},
		{"credentials", func(o *Options) { o.Endpoint = "https://k:hush-hush@s3.example.org" }, "must not contain '@'", "S3_ENDPOINT_URL"},
		{"a query", func(o *Options) { o.Endpoint = "https://s3.example.org/?x=1" }, "must not have a query", "S3_ENDPOINT_URL"},
		{"in the clear", func(o *Options) { o.Endpoint = "http://s3.example.org" }, "would be read and written in the clear", "https:// address"},
		{"nonsense", func(o *Options) { o.Endpoint = "https://s3.example.org:port" }, "cannot be parsed", "S3_ENDPOINT_URL"},
		{"no bucket", func(o *Options) { o.Bucket = "" }, "no storage bucket", "set S3_BUCKET"},
		{"a path as bucket", func(o *Options) { o.Bucket = "results/ci" }, `"results/ci" cannot name a bucket`, "S3_BUCKET"},
		{"no credentials", func(o *Options) { o.Key, o.Secret = "", "" }, "no storage credentials", "set S3_KEY and S3_SECRET"},
		{"no key", func(o *Options) { o.Key = "" }, "without its key", "set S3_KEY"},
		{"no secret", func(o *Options) { o.Secret = "" }, "without its secret", "set S3_SECRET"},
		{"a line end", func(o *Options) { o.Secret = "hush-hush\n" }, "a blank or a control character", "S3_KEY and S3_SECRET anew"},
		{"path style", func(o *Options) { o.PathStyle = "dns" }, `"dns" is not a path style`, "auto, path or virtual"},
		{"region", func(o *Options) { o.Region = "EU (Frankfurt)" }, `"EU (Frankfurt)" cannot name a region`, "such as eu-central-1"},
		{"all at once", func(o *Options) { o.Endpoint, o.Bucket, o.Key, o.PathStyle = "s3.example.org", "", "", "dns" },
			`no storage bucket is given; the storage secret is given without its key; "dns" is not a path style; the storage endpoint "s3.example.org" must begin with`,
			"a bucket that exists; set S3_KEY as well; set S3_PATH_STYLE (path-style in a file) to auto, path or virtual; set S3_ENDPOINT_URL to"},
		{"prefix", func(o *Options) { o.Prefix = "a/../b" }, "the storage prefix cannot be used", ""},
		{"public URL", func(o *Options) { o.PublicURL = "results.example.org" }, "public URL", "browser"},
	} {
		_, err := Open(options(c.change))
		if !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), c.text) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%s: got %v (%q), want %q (%q)", c.name, err, fault.HintOf(err), c.text, c.hint)
		}
		if strings.Contains(fmt.Sprint(err), "hush") {
			t.Errorf("%s: the secret is in %v", c.name, err)
		}
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"plain", func(*Options) {}, "https://s3.example.org/results/a/x.txt"},
		{"path and port", func(o *Options) { o.Endpoint, o.Prefix = "http://localhost:9000/s3/", "/ci/spdk/" }, "http://localhost:9000/s3/results/ci/spdk/a/x.txt"},
		{"virtual", func(o *Options) { o.PathStyle = Virtual }, "https://results.s3.example.org/a/x.txt"},
		{"Amazon", func(o *Options) { o.Endpoint = "https://s3.eu-west-1.amazonaws.com" }, "https://results.s3.eu-west-1.amazonaws.com/a/x.txt"},
		{"Amazon by path", func(o *Options) { o.Endpoint, o.PathStyle = "https://s3.eu-west-1.amazonaws.com", Path }, "https://s3.eu-west-1.amazonaws.com/results/a/x.txt"},
		{"public", func(o *Options) { o.PublicURL, o.Prefix = "https://ci.example.org/r/", "p" }, "https://ci.example.org/r/p/a/x.txt"},
	} {
		s, err := Open(options(c.change))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.URL("a/x.txt"); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	s, _ := Open(options(func(*Options) {}))
	if got, want := s.URL(`a b/+?#%&"<>'é.txt`), "https://s3.example.org/results/a%20b/%2B%3F%23%25%26%22%3C%3E%27%C3%A9.txt"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRegionOf(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"s3.us-west-004.backblazeb2.com": "us-west-004", "s3.eu-central-1.amazonaws.com": "eu-central-1",
		"s3.fr-par.scw.cloud": "fr-par", "s3.dualstack.eu-west-3.amazonaws.com": "eu-west-3",
		"s3.amazonaws.com": "us-east-1", "nyc3.digitaloceanspaces.com": "us-east-1", "127.0.0.1": "us-east-1",
		"s3.lab.example.org": "us-east-1", "localhost": "us-east-1", "s3.my-company.org": "us-east-1",
	} {
		if got := regionOf(host); got != want {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
}

// TestFollowsRegion: where none was set, the server's word is taken, once.
func TestFollowsRegion(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{Region: "eu-north-7"})
	b.put("x", "hello")
	b.put("y", "hello")
	if n := len(b.server.Requests()); n != 3 || len(b.slept) != 0 {
		t.Errorf("got %d requests and the waits %v, want 3 and none", n, b.slept)
	}
}

// TestEndpointWithPath: the path stands in front of the bucket and is signed.
func TestEndpointWithPath(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{Base: "/storage/v1/s3", Region: "eu-north-7"})
	b.put("a/b c+ü.txt", "hello")
	if err := b.Put(t.Context(), "big", pattern(testPart+1), -1, "x/y"); err != nil {
		t.Error(err)
	}
	var names []string
	err := b.List(t.Context(), "", func(o Object) error { names = append(names, o.Name); return nil })
	if got := strings.Join(names, " "); err != nil || got != "a/b c+ü.txt big" {
		t.Errorf("got %s, %v", got, err)
	}
	if data, _, err := b.read(t.Context(), "a/b c+ü.txt"); err != nil || string(data) != "hello" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestVirtualHosts(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{Domain: "s3.example.org"}, func(o *Options) {
		at := strings.TrimPrefix(o.Endpoint, "http://")
		o.Endpoint, o.PathStyle = "https://s3.example.org", Virtual
		o.Transport.(*http.Transport).RegisterProtocol("https", unencrypted(at))
	})
	b.put("x", "hello")
	if got, ok := b.server.Object("results", "ci/x"); !ok {
		t.Errorf("got %+v", got)
	}
	if r := b.server.Requests(); len(r) != 1 || r[0].Path != "/ci/x" {
		t.Errorf("got %+v, want one request without the bucket in its path", r)
	}
}

// unencrypted sends all requests to one server.
type unencrypted string

func (at unencrypted) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host, r.URL.Scheme, r.URL.Host = r.URL.Host, "http", string(at)
	return http.DefaultTransport.RoundTrip(r)
}
