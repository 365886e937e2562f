// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// shown is what a bucket keeps, oldest version first, and what can be read.
func shown(s *Server) string {
	var b strings.Builder
	for _, o := range s.Stored("bucket") {
		fmt.Fprintf(&b, "%s %t; ", o.Key, o.Marker)
	}
	for _, o := range s.Objects("bucket") {
		fmt.Fprintf(&b, "%s=%s", o.Key, s.Content("bucket", o.Key))
	}
	return b.String()
}

// TestVersions: what is replaced or deleted stays until its version is deleted.
func TestVersions(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Versions: Kept, PageSize: 2})
	for _, step := range []struct{ method, body, want string }{
		{"PUT", "one", "k false; k=one"},
		{"PUT", "two", "k false; k false; k=two"},
		{"DELETE", "", "k false; k false; k true; "},
	} {
		c.do(step.method, "/bucket/k", step.body)
		if got := shown(c.server); got != step.want {
			t.Errorf("%s: got %q, want %q", step.method, got, step.want)
		}
	}
	id := regexp.MustCompile(`<VersionId>(.*?)</VersionId><IsLatest>true`)
	for _, want := range []string{"k false; k false; k=two", "k false; k=one", ""} {
		_, list, _ := c.do("GET", "/bucket?versions", "")
		c.do("DELETE", "/bucket/k?versionId="+id.FindStringSubmatch(list)[1], "")
		if got := shown(c.server); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestVersionPages: a page may end within a key, and the next one goes on there.
func TestVersionPages(t *testing.T) {
	t.Parallel()
	c := newClient(t, Options{Versions: Kept, PageSize: 2})
	for _, key := range []string{"a", "b", "b", "b", "c"} {
		c.do("PUT", "/bucket/"+key, key)
	}
	var pages []string
	text := func(list, name string) string {
		found := regexp.MustCompile("<" + name + ">(.*?)</").FindStringSubmatch(list)
		return append(found, "", "")[1]
	}
	for query := ""; ; {
		_, list, _ := c.do("GET", "/bucket?versions"+query, "")
		pages = append(pages, strings.Join(regexp.MustCompile("<Key>(.*?)</Key>").FindAllString(list, -1), ""))
		if text(list, "IsTruncated") == "false" {
			break
		}
		query = "&key-marker=" + text(list, "NextKeyMarker") + "&version-id-marker=" + text(list, "NextVersionIdMarker")
	}
	if got, want := strings.Join(pages, " "), "<Key>a</Key><Key>b</Key> <Key>b</Key><Key>b</Key> <Key>c</Key>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestDialects: each refuses what its service refuses.
func TestDialects(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		dialect, method, path string
		header                []string
		status                int
		text                  string
	}{
		{"amazon", "GET", "?versioning", nil, 200, "VersioningConfiguration"},
		{"amazon", "GET", "?lifecycle", nil, 404, "NoSuchLifecycleConfiguration"},
		{"amazon", "GET", "?versions", nil, 200, "<VersionId>null</VersionId>"},
		{"amazon", "PUT", "/new", nil, 200, ""},
		{"amazon, with versions", "GET", "?versioning", nil, 200, "<Status>Enabled</Status>"},
		{"amazon, with object lock", "PUT", "/new", nil, 400, "Content-MD5 OR x-amz-checksum-"},
		{"backblaze", "PUT", "/new", []string{"If-None-Match", "*"}, 501, "NotImplemented"},
		{"backblaze", "PUT", "/new", []string{"X-Amz-Sdk-Checksum-Algorithm", "CRC32"}, 400, "Unsupported header"},
		{"backblaze, with conditions and checksums", "PUT", "/there", []string{"If-None-Match", "*"}, 412, "PreconditionFailed"},
		{"r2", "GET", "?versioning", nil, 501, "NotImplemented"},
		{"r2", "GET", "?versions", nil, 501, "NotImplemented"},
		{"old", "PUT", "/there", []string{"If-None-Match", "*"}, 200, ""},
	} {
		var o Options
		Dialects[x.dialect](&o)
		locked := o.Locked
		o.Locked = false
		c := newClient(t, o)
		c.do("PUT", "/bucket/there", "x")
		c.server.o.Locked = locked
		if status, text, _ := c.do(x.method, "/bucket"+x.path, "", x.header...); status != x.status || !strings.Contains(text, x.text) {
			t.Errorf("%s: %s %s: got %d %s, want %d and %q", x.dialect, x.method, x.path, status, text, x.status, x.text)
		}
	}
}
