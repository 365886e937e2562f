// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

// dialect returns the options of a service.
func dialect(name string, change ...func(*s3.Options)) s3.Options {
	var o s3.Options
	s3.Dialects[name](&o)
	for _, do := range change {
		do(&o)
	}
	return o
}

// kept is all that the bucket keeps: NAME, or NAME* for a delete marker.
func (b *bed) kept() []string {
	list := []string{}
	for _, o := range b.server.Stored("results") {
		name := strings.TrimPrefix(o.Key, "ci/")
		if o.Marker {
			name += "*"
		}
		list = append(list, name)
	}
	return list
}

// TestDialects: all that a store does works with every service, and what is
// deleted is gone.
func TestDialects(t *testing.T) {
	t.Parallel()
	for name := range s3.Dialects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, dialect(name))
			ctx := t.Context()
			file := filepath.Join(t.TempDir(), "disk")
			for _, text := range []string{"one", "another"} {
				b.put("p/small", text)
				if err := b.Put(ctx, "p/streamed", pattern(3*testPart+7), -1, "x/y"); err != nil {
					t.Fatal(err, fault.HintOf(err))
				}
				if err := os.WriteFile(file, []byte(strings.Repeat(text, testPart)), 0o644); err != nil {
					t.Fatal(err)
				}
				if err := b.Upload(ctx, "p/disk", file, UploadOptions{}); err != nil {
					t.Fatal(err, fault.HintOf(err))
				}
			}
			for _, want := range []error{nil, ErrExists} {
				if err := b.PutNew(ctx, "p/new", fmt.Append(nil, want), "x/y"); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
			}
			if err := b.Copy(ctx, "p/small", "p/copy"); err != nil {
				t.Error(err)
			}
			if err := b.Delete(ctx, "p/small"); err != nil {
				t.Error(err)
			}
			b.put("p/smaller", "x") // begins as the deleted one does
			if n, _, err := b.DeleteOlder(ctx, "p/", time.Now().Add(time.Hour), nil); n != 5 || err != nil {
				t.Errorf("got %d, %v; want 5 objects", n, err)
			}
			if n, err := b.DropUploads(ctx, "", time.Now().Add(time.Hour)); n != 0 || err != nil {
				t.Errorf("got %d uploads, %v; want none", n, err)
			}
			if got := b.kept(); len(got) > 0 {
				t.Errorf("left: %q", got)
			}
			if note, err := b.Remains(ctx, ""); note != "" || err != nil {
				t.Errorf("got %q, %v; want nothing", note, err)
			}
		})
	}
}

// TestHidden: what is deleted of that which others hid, and what stays.
func TestHidden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"backblaze", "versitygw, with versions"} {
		for size := 1; size < 9; size++ {
			testHidden(t, dialect(name, func(o *s3.Options) { o.PageSize = size }))
		}
	}
}

func testHidden(t *testing.T, o s3.Options) {
	t.Helper()
	b := newBed(t, o)
	ctx := t.Context()
	for _, name := range []string{"p/live", "p/live", "p/gone", "p/kept", "p/kept", "p/young", "p/young", "q/other", "q/other"} {
		b.put(name, "12345")
	}
	for range 5 { // more than a page
		b.put("p/often", "12345")
	}
	b.server.DeleteObject("results", "ci/p/gone") // as an older release did
	for _, name := range []string{"live", "gone", "kept", "often"} {
		b.server.Age("results", "ci/p/"+name, 48*time.Hour)
	}
	before := time.Now().Add(-time.Hour)
	keep := func(name string) bool { return name == "p/kept" }
	if n, size, err := b.CountHidden(ctx, "p/", before, keep); n != 6 || size != 30 || err != nil {
		t.Errorf("got %d, %d, %v; want 6 versions of 30 bytes", n, size, err)
	}
	if n, size, err := b.DeleteHidden(ctx, "p/", before, keep); n != 6 || size != 30 || err != nil {
		t.Errorf("got %d, %d, %v; want 6 versions of 30 bytes", n, size, err)
	}
	want := []string{"p/kept", "p/kept", "p/live", "p/often", "p/young", "p/young", "q/other", "q/other"}
	if diff := cmp.Diff(want, b.kept()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n, size, err := b.DeleteOlder(ctx, "p/", before, keep); n != 2 || size != 10 || err != nil {
		t.Errorf("got %d, %d, %v; want 2 objects of 10 bytes", n, size, err)
	}
	if diff := cmp.Diff([]string{"p/kept", "p/kept", "p/young", "p/young", "q/other", "q/other"}, b.kept()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDeletedStaysDeleted: a clean-up that is cut off shows no older version, and
// the next one goes on.
func TestDeletedStaysDeleted(t *testing.T) {
	t.Parallel()
	for cut := range 4 { // the list, and each of three deletions
		b := newBed(t, dialect("backblaze"))
		b.put("x", "old")
		b.put("x", "new")
		method, path, skip := "DELETE", "versionId", cut-1
		if cut == 0 {
			method, path, skip = "GET", "versions", 0
		}
		b.server.Faults.Add(faults.Rule{Method: method, Path: regexp.MustCompile(path), Skip: skip, Times: maxTries, Do: faults.Answer(503, "")})
		if err := b.Delete(t.Context(), "x"); !errors.Is(err, fault.Transient) {
			t.Errorf("cut %d: got %v, want Transient", cut, err)
		}
		if got := b.names(""); len(got) != 0 {
			t.Errorf("cut %d: %q came up again", cut, got)
		}
		if _, _, err := b.DeleteHidden(t.Context(), "", time.Now().Add(time.Hour), nil); err != nil || len(b.kept()) != 0 {
			t.Errorf("cut %d: left %q, %v", cut, b.kept(), err)
		}
	}
}

// TestWrittenMeanwhile: what somebody writes under a name that is being deleted
// stays, whenever they do it.
func TestWrittenMeanwhile(t *testing.T) {
	t.Parallel()
	for name, when := range map[string]faults.Rule{
		"before the list":     {Method: "GET", Path: regexp.MustCompile("versions")},
		"after the list":      {Method: "DELETE", Path: regexp.MustCompile("versionId")},
		"before the last one": {Method: "DELETE", Path: regexp.MustCompile("versionId"), Skip: 2},
	} {
		for _, service := range []string{"backblaze", "versitygw, with versions"} {
			b := newBed(t, dialect(service))
			b.put("x", "old")
			b.put("x", "new")
			when.Times, when.Do = 1, func(next http.Handler) http.Handler {
				b.server.AddObject("results", "ci/x", "newest")
				return next
			}
			b.server.Faults.Add(when)
			if err := b.Delete(t.Context(), "x"); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff([]string{"x"}, b.kept()); diff != "" || string(b.server.Content("results", "ci/x")) != "newest" {
				t.Errorf("%s, %s: it does not have the newest alone (-want +got):\n%s", service, name, diff)
			}
		}
	}
}

// TestLocked: what Object Lock still holds stays, hidden, and is in the way of nothing
// that it let go of; once it lets go, the next clean-up frees it.
func TestLocked(t *testing.T) {
	t.Parallel()
	b := newBed(t, dialect("amazon, with versions", func(o *s3.Options) { o.Retention = 48 * time.Hour }))
	const many = 2 * maxLocks
	for i := range many {
		for _, name := range []string{fmt.Sprintf("p/%02d-held", i), fmt.Sprintf("p/%02d-old", i)} {
			b.put(name, "12345")
			b.server.DeleteObject("results", "ci/"+name) // as a pass that was refused left it
		}
		b.server.Age("results", fmt.Sprintf("ci/p/%02d-old", i), 72*time.Hour)
		b.put(fmt.Sprintf("p/%02d-today", i), "12345")
	}
	before := len(b.server.Requests())
	n, bytes, err := b.DeleteOlder(t.Context(), "p/", time.Now().Add(time.Hour), nil)
	if n != many || bytes != 5*many || err != nil || len(b.names("")) != 0 {
		t.Errorf("got %d, %d, %v, and %q is seen; want the old ones freed, and the others hidden", n, bytes, err, b.names(""))
	}
	for _, name := range b.kept() {
		if strings.Contains(name, "-old") {
			t.Errorf("left: %s", name)
		}
	}
	if asked := len(b.server.Requests()) - before; asked > 6*many { // a deletion, a list, two for what is old
		t.Errorf("it asked %d times", asked)
	}
	_, err = b.Remains(t.Context(), "p/")
	if want := fmt.Sprintf("%d deleted or replaced object(s)", 2*many); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(fault.HintOf(err), "Object Lock") {
		t.Errorf("got %v, %q; want %q", err, fault.HintOf(err), want)
	}
	for i := range many {
		for _, kind := range []string{"held", "today"} {
			b.server.Age("results", fmt.Sprintf("ci/p/%02d-%s", i, kind), 72*time.Hour)
		}
	}
	b.open(b.o)
	if n, _, err := b.DeleteHidden(t.Context(), "p/", time.Now().Add(time.Hour), nil); n != 2*many || err != nil || len(b.kept()) != 0 {
		t.Errorf("later: got %d, %v, left %q", n, err, b.kept())
	}
}

// TestVersionWithoutID: a list of versions that names none deletes no object.
func TestVersionWithoutID(t *testing.T) {
	t.Parallel()
	b := newBed(t, dialect("backblaze"))
	b.put("x", "live")
	const one = "<Version><Key>ci/x</Key><VersionId></VersionId><IsLatest>%t</IsLatest><LastModified>2026-01-0%dT00:00:00Z</LastModified><Size>1</Size></Version>"
	list := `<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` + fmt.Sprintf(one, true, 2) + fmt.Sprintf(one, false, 1) + "</ListVersionsResult>"
	b.fault("GET", "versions", 0, faults.Answer(200, list, "Content-Type", "application/xml"))
	if n, _, err := b.DeleteHidden(t.Context(), "", time.Now().Add(time.Hour), nil); n != 0 || err != nil || len(b.names("")) != 1 {
		t.Errorf("got %d, %v, and %q is left; want nothing deleted", n, err, b.names(""))
	}
}

const rule = `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>x</ID>%s<Status>%s</Status>%s</Rule></LifecycleConfiguration>`

// TestRemains: an account that may not delete versions is told what stays, and
// whether a rule of the bucket takes care of it.
func TestRemains(t *testing.T) {
	t.Parallel()
	const noncurrent = "<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration>"
	const unruled = "the bucket results keeps versions, and no lifecycle rule deletes them"
	for _, c := range []struct {
		name      string
		lifecycle string
		deny      []string
		want      string
	}{
		{"all is allowed", "", nil, ""},
		{"it may not ask, but delete", "", []string{"GetBucketVersioning"}, ""},
		{"it may not list", "", []string{"ListBucketVersions"}, "2 deleted or replaced object(s) still stored, hidden: " + unruled + ": failed to list versions in the bucket results: the storage answered 403 AccessDenied: Access Denied"},
		{"it may not delete", "", []string{"DeleteObjectVersion"}, "3 deleted or replaced object(s) (0.3 MB) still stored, hidden: " + unruled + ": failed to delete a version of p/a: the storage answered 403 AccessDenied: Access Denied"},
		{"a rule", fmt.Sprintf(rule, "<Filter><Prefix></Prefix></Filter>", "Enabled", noncurrent), []string{"DeleteObjectVersion"}, "3 deleted or replaced object(s) (0.3 MB) still stored, hidden: the bucket results keeps versions, and its lifecycle rule deletes them 3 day(s) after that"},
		{"a rule of the folder", fmt.Sprintf(rule, "<Filter><Prefix>ci/</Prefix></Filter>", "Enabled", noncurrent), []string{"ListBucketVersions"}, "lifecycle rule deletes them 3 day(s) after that"},
		{"an old rule", fmt.Sprintf(rule, "<Prefix>ci/p/</Prefix>", "Enabled", noncurrent), []string{"DeleteObjectVersion"}, "lifecycle rule deletes them 3 day(s) after that"},
		{"a rule of another folder", fmt.Sprintf(rule, "<Filter><Prefix>images/</Prefix></Filter>", "Enabled", noncurrent), []string{"DeleteObjectVersion"}, unruled},
		{"a rule that is off", fmt.Sprintf(rule, "<Filter><Prefix></Prefix></Filter>", "Disabled", noncurrent), []string{"DeleteObjectVersion"}, unruled},
		{"a rule for some", fmt.Sprintf(rule, "<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>", "Enabled", noncurrent), []string{"DeleteObjectVersion"}, unruled},
		{"a rule for current ones", fmt.Sprintf(rule, "<Filter></Filter>", "Enabled", "<Expiration><Days>3</Days></Expiration>"), []string{"DeleteObjectVersion"}, unruled},
		{"rules that cannot be read", "", []string{"DeleteObjectVersion", "GetLifecycleConfiguration"}, "whether a lifecycle rule deletes them is not known (failed to read the lifecycle rules of the bucket results: the storage answered 403"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, dialect("backblaze", func(o *s3.Options) { o.Lifecycle, o.Deny = c.lifecycle, c.deny }))
			for _, name := range []string{"p/a", "p/a", "p/b"} {
				b.put(name, strings.Repeat("x", 100_000))
			}
			n, bytes, err := b.DeleteOlder(t.Context(), "p/", time.Now().Add(time.Hour), nil)
			if n != 2 || err != nil || len(b.names("")) != 0 {
				t.Errorf("got %d, %v, and %q is left; want 2 objects deleted", n, err, b.names(""))
			}
			note, err := b.Remains(t.Context(), "p/")
			if err != nil {
				if note += err.Error(); !errors.Is(err, fault.Configuration) || !strings.Contains(fault.HintOf(err), "s3:DeleteObjectVersion") {
					t.Errorf("got %v with the hint %q", fault.KindOf(err), fault.HintOf(err))
				}
			}
			if ruled := strings.Contains(c.want, "3 day(s)"); (err == nil) != (ruled || c.want == "") {
				t.Errorf("got the error %v", err)
			}
			if c.want == "" && (note != "" || bytes != 300_000) || c.want != "" && bytes != 0 || !strings.Contains(note, c.want) {
				t.Errorf("got %q and %d bytes freed, want %q", note, bytes, c.want)
			}
		})
	}
}

// TestDocumentedRule: the lifecycle rule that docs/publishing.md has to paste is one
// that Remains counts on.
func TestDocumentedRule(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/publishing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(doc), "<!-- lifecycle -->\n```json\n")
	block, _, _ = strings.Cut(block, "```")
	var rules struct {
		XMLName xml.Name `json:"-" xml:"LifecycleConfiguration"`
		Rules   []struct {
			ID, Status                     string
			Filter                         struct{ Prefix string }
			NoncurrentVersionExpiration    struct{ NoncurrentDays int }
			Expiration                     struct{ ExpiredObjectDeleteMarker bool }
			AbortIncompleteMultipartUpload struct{ DaysAfterInitiation int }
		} `xml:"Rule"`
	}
	decoder := json.NewDecoder(strings.NewReader(block))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&rules); err != nil {
		t.Fatalf("%v in %s", err, block)
	}
	text, err := xml.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	b := newBed(t, dialect("backblaze", func(o *s3.Options) { o.Lifecycle, o.Deny = string(text), []string{"DeleteObjectVersion"} }))
	b.put("p/a", "x")
	if err := b.Delete(t.Context(), "p/a"); err != nil {
		t.Fatal(err)
	}
	if note, err := b.Remains(t.Context(), "p/"); err != nil || !strings.Contains(note, "deletes them 1 day(s) after that") {
		t.Errorf("got %q, %v", note, err)
	}
}
