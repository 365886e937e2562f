// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

// publishing begins a story in which results are copied to a storage, which
// settings may say more about.
func publishing(t *testing.T, settings string, change ...func(*s3.Options)) (*story, *s3.Server) {
	t.Helper()
	s := reporting(t, "")
	o := s3.Options{Key: "key-of-storage", Secret: "secret-of-storage", Buckets: []string{"results"}}
	for _, do := range change {
		do(&o)
	}
	storage, endpoint := s3.Serve(t, o)
	s.configure(defaultConfig("skip: {private: false}\nreport: {label: Verified, publish: {bucket: results, " + settings + "}}\n"))
	s.env["S3_ENDPOINT_URL"], s.env["S3_KEY"], s.env["S3_SECRET"] = endpoint, "key-of-storage", "secret-of-storage"
	s.secrets = append(s.secrets, "key-of-storage", "secret-of-storage")
	return s, storage
}

// published writes down what is in the storage.
func (s *story) published(storage *s3.Server) {
	for _, o := range storage.Objects("results") {
		fmt.Fprintf(&s.transcript, "storage: %s (%s)\n", o.Key, o.ContentType)
	}
	s.transcript.WriteString("\n")
}

// leaves adds artifacts to a run.
func (s *story) leaves(id int64, artifacts ...github.Artifact) {
	for _, a := range artifacts {
		s.github.AddArtifact(id, a)
	}
}

// TestPublishedResults follows the results of a run to a reader without an
// account on GitHub.
func TestPublishedResults(t *testing.T) {
	t.Parallel()
	s, storage := publishing(t, "artifacts: ['*-results'], keep: 30d")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.says("A test fails. One artifact is chosen by its name, one is not, and one has expired.")
	id := s.ends(testJob("unit tests", "failure", "assertion failed"), testJob("docs", "skipped"), github.Job{Name: "report", Status: "in_progress"})
	s.leaves(id, github.Artifact{Name: "unit-results", Files: map[string]string{"unit/log.txt": "not ok\n", "unit/page.html": "<script>alert(1)</script>", "../up": "x"}},
		github.Artifact{Name: "vm-image", Files: map[string]string{"disk": "x"}})
	s.github.ExpireArtifact(s.github.AddArtifact(id, github.Artifact{Name: "old-results", Files: map[string]string{"x": "x"}}))
	s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"], s.env["GITHUB_JOB"] = strconv.FormatInt(id, 10), "1", "report"
	s.shows(ExitDone, "report", "--key", "101/1/autorun.yml/1")
	s.gerritShows(c, map[string]int{"bot": -1})
	s.published(storage)
	text := c.Messages()[len(c.Messages())-1].Text
	address := regexp.MustCompile(`http://\S+/index\.html`).FindString(text)
	page := string(storage.Content("results", strings.TrimPrefix(address, s.env["S3_ENDPOINT_URL"]+"/results/")))
	if !strings.Contains(page, "nvme: split the probe loop") || !strings.Contains(page, "Kept for 30 days.") {
		t.Errorf("%s: got %q", address, page)
	}
	s.says("Called again, it copies nothing and says nothing.")
	storage.Requests()
	s.shows(ExitDone, "report", "--key", "101/1/autorun.yml/1")
	if got := storage.Requests(); len(got) > 0 {
		t.Errorf("the storage was asked: %v", got)
	}
}

// TestPublishOnAsk is the same without a file, by a flag.
func TestPublishOnAsk(t *testing.T) {
	t.Parallel()
	s, storage := publishing(t, "")
	delete(s.files, ".github/dispatcher.yml")
	s.env["S3_BUCKET"] = "results"
	for name, value := range map[string]string{"gerrit-url": s.gerrit.URL(), "gerrit-project": "spdk/spdk", "mirror": "example/spdk", "ci-repository": "example/ci", "label": "Verified"} {
		s.env["INPUT_"+strings.ToUpper(name)] = value
	}
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	id := s.ends(testJob("unit tests", "success"))
	s.env["GITHUB_RUN_ID"] = strconv.FormatInt(id, 10)
	s.shows(ExitDone, "report", "--publish", "--key", "101/1/autorun.yml/1")
	s.gerritShows(c, map[string]int{"bot": 1})
	s.published(storage)
}

// TestStorageTroubles: whatever the storage does, the verdict is told, once.
func TestStorageTroubles(t *testing.T) {
	t.Parallel()
	s, storage := publishing(t, "time: 1s")
	put := func(do func(http.Handler) http.Handler, times int) func() {
		return func() { storage.Faults.Add(faults.Rule{Method: http.MethodPut, Times: times, Do: do}) }
	}
	refusal := `<?xml version="1.0"?><Error><Code>%s</Code><Message>no</Message></Error>`
	scene := func(text string, prepare func(), want int) *gerrit.Change {
		s.says(text)
		c := s.push("ann", "change: "+text, nil)
		s.run(s.Context(), "sync")
		s.leaves(s.ends(testJob("unit tests", "success")), github.Artifact{Name: "results", Files: map[string]string{"log": "ok\n"}})
		s.clock.advance(15 * time.Minute)
		prepare()
		s.pass(want)
		storage.Faults.Clear()
		s.gerrit.Faults.Clear()
		return c
	}
	good := map[string]int{"bot": 1}
	s.gerritShows(scene("It refuses everything.", put(faults.Answer(404, fmt.Sprintf(refusal, "NoSuchBucket")), 0), ExitDone), good)
	s.gerritShows(scene("It is down.", put(faults.Answer(503, fmt.Sprintf(refusal, "SlowDown")), 0), ExitDone), good)
	s.gerritShows(scene("It is down for a moment.", put(faults.Answer(503, fmt.Sprintf(refusal, "SlowDown")), 2), ExitDone), good)
	s.gerritShows(scene("It never answers.", put(faults.Hang(), 1), ExitDone), good)
	s.gerritShows(scene("The answer to a write is lost.", put(faults.LoseReply(), 1), ExitDone), good)
	s.gerritShows(scene("An upload breaks off.", put(s3.CutUpload(1), 1), ExitDone), good)
	s.gerritShows(scene("The secret is not set.", func() { s.env["S3_SECRET"] = "" }, ExitDone), good)
	s.env["S3_SECRET"] = "secret-of-storage"
	s.says("In a job, the same is an annotation.")
	s.env["GITHUB_ACTIONS"], s.env["S3_KEY"] = "true", ""
	s.gerritShows(scene("And nor is the key.", func() {}, ExitDone), good)
	s.env["GITHUB_ACTIONS"], s.env["S3_KEY"] = "", "key-of-storage"

	c := scene("Gerrit does not take the message: the next pass copies again, to the same place, and it is told once.", func() {
		s.gerrit.Faults.Add(faults.Rule{Method: http.MethodPost, Path: regexp.MustCompile(`/review$`), Do: faults.Answer(500, "oops")})
	}, ExitFailed)
	before := len(storage.Objects("results"))
	s.pass(ExitDone)
	s.gerritShows(c, good)
	if after := len(storage.Objects("results")); after != before {
		t.Errorf("got %d objects after %d", after, before)
	}
}

// TestLostPart: a storage that forgets a part of a large file is found out.
func TestLostPart(t *testing.T) {
	t.Parallel()
	s, storage := publishing(t, "logs: false")
	c := s.push("ann", "nvme: split the probe loop", nil)
	s.run(s.Context(), "sync")
	s.leaves(s.ends(testJob("unit tests", "success")), github.Artifact{Name: "trace", Filler: 20 << 20})
	s.clock.advance(15 * time.Minute)
	storage.LosePart(2)
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": 1})
	s.published(storage)
	for _, o := range storage.Objects("results") {
		if strings.HasSuffix(o.Key, "/filler.bin") && o.Size != 20<<20 {
			t.Errorf("%s has %d bytes", o.Key, o.Size)
		}
	}
}

// TestPrivateChange: nothing of one reaches the storage.
func TestPrivateChange(t *testing.T) {
	t.Parallel()
	s, storage := publishing(t, "")
	c := s.project.Push(gerrit.Draft{Owner: "bot", Subject: "nvme: a hole", Private: true})
	s.pass(ExitDone)
	s.leaves(s.ends(testJob("unit tests", "failure")), github.Artifact{Name: "results", Files: map[string]string{"log": "ok\n"}})
	s.clock.advance(15 * time.Minute)
	s.pass(ExitDone)
	s.gerritShows(c, map[string]int{"bot": -1})
	for _, o := range storage.Objects("results") {
		if !strings.HasSuffix(o.Key, "/"+expireMark) {
			t.Errorf("%s was stored", o.Key)
		}
	}
}

// TestOldResultsExpire looks for them once a day, and costs a pass one small
// request otherwise.
func TestOldResultsExpire(t *testing.T) {
	t.Parallel()
	s, storage := publishing(t, "keep: 30d")
	s.clock.advance(time.Since(s.clock.Now())) // the storage has the machine's clock
	for _, name := range []string{"spdk/spdk/7/1/autorun.yml/1/index.html", "spdk/spdk/7/2/autorun.yml/1/index.html", "spdk/spdk/below/7/1/x"} {
		storage.AddObject("results", name, "x")
		if !strings.Contains(name, "/7/2/") {
			storage.Age("results", name, 31*24*time.Hour)
		}
	}
	sees := func(want ...string) {
		t.Helper()
		var got []string
		for _, o := range storage.Objects("results") {
			got = append(got, strings.TrimPrefix(o.Key, "spdk/spdk/"))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	pass := func() int {
		t.Helper()
		storage.Requests()
		if status := s.run(t.Context(), "sync"); status != ExitDone {
			t.Errorf("got status %d\n%s%s", status, s.stdout, s.stderr)
		}
		return len(storage.Requests())
	}
	pass()
	sees(expireMark, "7/2/autorun.yml/1/index.html", "below/7/1/x")
	if n := pass(); n != 1 {
		t.Errorf("got %d requests to the storage, want 1", n)
	}
	storage.Age("results", "spdk/spdk/"+expireMark, 25*time.Hour)
	storage.Age("results", "spdk/spdk/7/2/autorun.yml/1/index.html", 31*24*time.Hour)
	pass()
	sees(expireMark, "below/7/1/x")
	storage.Faults.Add(faults.Rule{Do: faults.Answer(500, "")})
	pass()
	if !strings.Contains(s.stderr, "warning: spdk/spdk: failed to delete old results") {
		t.Errorf("got no warning: %q", s.stderr)
	}
}

// TestOldResultsAreFreed: where the bucket keeps versions, those of old results go,
// or the pass says once a day that they stay.
func TestOldResultsAreFreed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		deny []string
		want string // in the warnings
		left int
	}{
		{"allowed", nil, "", 0},
		{"not allowed", []string{"ListBucketVersions"}, "1 deleted or replaced object(s) still stored, hidden: the bucket results keeps versions, and no lifecycle rule deletes them", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, storage := publishing(t, "keep: 30d", s3.Dialects["backblaze"], func(o *s3.Options) { o.Deny = c.deny })
			s.clock.advance(time.Since(s.clock.Now())) // the storage has the machine's clock
			const page = "spdk/spdk/7/1/autorun.yml/1/index.html"
			for range 2 { // a report that was tried again
				storage.AddObject("results", page, "x")
			}
			storage.Age("results", page, 31*24*time.Hour)
			for range 3 {
				s.run(t.Context(), "sync")
				if told := strings.Contains(s.stderr, c.want); c.want != "" && !told || c.want == "" && s.stderr != "" {
					t.Errorf("got %q, want %q", s.stderr, c.want)
				}
				c.want = ""
			}
			storage.Age("results", "spdk/spdk/"+expireMark, 25*time.Hour)
			s.run(t.Context(), "sync")
			left := 0
			for _, o := range storage.Stored("results") {
				if o.Key == page {
					left++
				} else if c.deny == nil && o.Marker {
					t.Errorf("left: %+v", o)
				}
			}
			if left != c.left {
				t.Errorf("%d versions are left, want %d", left, c.left)
			}
		})
	}
}

// TestOutputsAreDocumented: what the commands set is what action.yml says.
func TestOutputsAreDocumented(t *testing.T) {
	t.Parallel()
	s := reporting(t, "")
	s.env["GITHUB_ACTIONS"], s.env["GITHUB_OUTPUT"] = "true", filepath.Join(t.TempDir(), "output")
	s.push("ann", "nvme: split the probe loop", nil)
	set := map[string]bool{}
	note := func(args ...string) {
		if status := s.run(t.Context(), args...); status != ExitDone {
			t.Fatalf("got status %d\n%s%s", status, s.stdout, s.stderr)
		}
		text, err := os.ReadFile(s.env["GITHUB_OUTPUT"])
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^([a-z_]+)<<`).FindAllStringSubmatch(string(text), -1) {
			set[m[1]] = true
		}
	}
	note("sync")
	id := s.ends(testJob("unit tests", "success"))
	note("report", "--key", "101/1/autorun.yml/1", "--run", strconv.FormatInt(id, 10))
	for _, out := range config.Outputs() {
		if !set[out.Name] {
			t.Errorf("the output %s is in action.yml, and nobody sets it", out.Name)
		}
		delete(set, out.Name)
	}
	for name := range set {
		t.Errorf("the output %s is not in action.yml", name)
	}
}
