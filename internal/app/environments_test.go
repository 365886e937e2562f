// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// inWorkflow is a step of the workflow autorun, as a story.
func inWorkflow(t *testing.T, pairs ...string) *story {
	t.Helper()
	s := begin(t, "")
	s.env["GITHUB_ACTIONS"], s.env["GITHUB_REPOSITORY"] = "true", "example/ci"
	s.env["REVISION"], s.env["PROJECT"] = strings.Repeat("0a", 20), "spdk/spdk"
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		s.env[name] = value
	}
	return s
}

// output is a file for the step's outputs; the result reads one of them.
func (s *story) output() func(name string) string {
	file := filepath.Join(s.TempDir(), "output")
	s.env["GITHUB_OUTPUT"] = file
	return func(name string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			return ""
		}
		_, rest, found := strings.Cut(string(text), name+"<<")
		delimiter, rest, _ := strings.Cut(rest, "\n")
		value, _, _ := strings.Cut(rest, "\n"+delimiter)
		if !found {
			return ""
		}
		return value
	}
}

// decode reads an output that is JSON.
func decode[T any](t *testing.T, text string, into *T) *T {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return into
}

func packed(t *testing.T, p environments.Plan) string {
	t.Helper()
	text, err := p.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestPlanOutputs: the runner leaves out an output that contains a secret's text
// (actions/runner JobExtension.cs), and an account's name is in other names soon.
// No secret is found in ours, 300 jobs are described in what GitHub hands on
// (1 MB, two bytes for a character), and each part of it fits into a variable.
func TestPlanOutputs(t *testing.T) {
	t.Parallel()
	const variable = 128 << 10 // MAX_ARG_STRLEN of Linux
	list := func(shards int, labels ...string) string {
		text := "environments:\n"
		for i, kind := range environments.Kinds() {
			text += fmt.Sprintf("  - {name: nvme-over-fabrics-%d, kind: %s, runs-on: [self-hosted, %s], shards: %d", i, kind, strings.Join(labels, ", "), shards)
			if kind != environments.Metal {
				text += ", image: spdk-fedora"
			}
			text += ", tests: ["
			for n := range 128 {
				text += fmt.Sprintf("SPDK_TEST_%03d_FUNCTIONAL, ", n)
			}
			text += "]}\n"
		}
		return text
	}
	s := inWorkflow(t, "ENVIRONMENTS="+list(100, "nvme-lab"), "MIRROR=spdk/spdk")
	output := s.output()
	if status := s.run(s.Context(), "environments", "plan"); status != ExitDone {
		t.Fatalf("got %d, %s", status, s.stdout)
	}
	total := 0
	for _, name := range []string{"docker", "guest", "metal", "lab", "plan", "mirror"} {
		text := output(name)
		total += len(text)
		for _, secret := range []string{"spdk", "ci", "nvme", "lab", "hosted", "fedora", "H4s"} {
			if text == "" || strings.Contains(text, secret) {
				t.Errorf("the output %s is empty, or contains %s", name, secret)
			}
		}
	}
	if plan := decode(t, output("plan"), new(string)); 2*total > 1<<20 || len(*plan) >= variable-len("PLAN=") {
		t.Errorf("the outputs have %d characters, the plan %d", total, len(*plan))
	}
	entries := decode(t, output("metal"), new([]environments.Entry))
	if cell, err := environments.ParseCell((*entries)[99].ID, *decode(t, output("plan"), new(string))); err != nil || cell.Shard != 100 || !strings.Contains(cell.Conf, "SPDK_TEST_099_FUNCTIONAL=1") {
		t.Errorf("got %+v, %v", cell, err)
	}
	long := strings.Repeat("x", 90)
	s.env["ENVIRONMENTS"] = list(128, long+"1", long+"2", long+"3")
	if status := s.run(s.Context(), "environments", "plan"); status != ExitConfiguration || !strings.Contains(s.stdout, "fewer shards") {
		t.Errorf("got %d, %s", status, s.stdout)
	}
}

// TestPlan: the list comes from the input, a file, or the default.
func TestPlan(t *testing.T) {
	t.Parallel()
	s := inWorkflow(t)
	output := s.output()
	s.says("Nobody says what to test in: SPDK's unit and NVMe tests.")
	s.shows(ExitDone, "environments", "plan")
	var entries []environments.Entry
	decode(t, output("guest"), &entries)
	plan := decode(t, output("plan"), new(string))
	if cell, err := environments.ParseCell(entries[0].ID, *plan); err != nil || len(entries) != 1 || cell.Image != "spdk-fedora" {
		t.Errorf("got %+v, %+v, %v", entries, cell, err)
	}
	if mirror := decode(t, output("mirror"), new(string)); output("metal") != "[]" || *mirror != "example/spdk" || output("lab") != "1" {
		t.Errorf("got the outputs %q, %q, %q", output("metal"), *mirror, output("lab"))
	}
	s.says("A file of the repository, and tests spread over two jobs.")
	s.files[".github/environments.yml"] = "environments:\n  - {name: bdev, kind: docker, image: debian, tests: [A, B, C]}\n"
	s.env["SHARDS"], s.env["MIRROR"] = "2", "other/name"
	s.shows(ExitDone, "environments", "plan")
	s.says("One environment alone, and one that there is not.")
	s.files[".github/environments.yml"] += "  - {name: nvme, kind: docker, image: debian}\n"
	s.env["ONLY"] = "nvme"
	s.shows(ExitDone, "environments", "plan")
	s.env["ONLY"] = "nvme,nmve"
	s.shows(ExitConfiguration, "environments", "plan")
	s.env["ONLY"] = ""
	s.says("The input wins, and is wrong in several places; so is nearly all else.")
	s.env["ENVIRONMENTS"] = `{"environments": [{"name": "unit", "kind": "docker", "imgae": "debian"}]}`
	s.env["SHARDS"], s.env["MIRROR"], s.env["REVISION"], s.env["LAB_DEADLINE"] = "many", "$(id)\n::error::x", "'; exit 1\n#", "1y"
	s.shows(ExitConfiguration, "environments", "plan")
	s.says("The file that is named is not there.")
	s.env["ENVIRONMENTS"], s.env["ENVIRONMENTS_FILE"] = "", ".github/none.yml"
	s.shows(ExitConfiguration, "environments", "plan")
	s.says("There is no such command, flag or argument.")
	s.shows(ExitConfiguration, "environments", "blan")
	s.shows(ExitConfiguration, "environments", "plan", "--verbose")
	s.shows(ExitConfiguration, "environments", "plan", "now")
}

// watched is a run whose jobs wait for a lab.
func watched(t *testing.T) (*story, int64) {
	s := inWorkflow(t, "GITHUB_TOKEN="+token, "GITHUB_JOB=lab", "LAB_DEADLINE=30m",
		"PLAN="+packed(t, environments.Plan{Lab: []environments.Waiting{{Name: "nvme", Labels: []string{"self-hosted", "qemuhost"}}}}))
	s.push("ann", "nvme: split the probe loop", nil)
	s.run(s.Context(), "sync")
	run := s.github.Runs()[0].ID
	s.env["GITHUB_RUN_ID"], s.env["GITHUB_RUN_ATTEMPT"] = fmt.Sprint(run), "1"
	return s, run
}

// TestWatch: a label that no runner has is named after the deadline, and the
// run ends; a lab that comes in time is left alone.
func TestWatch(t *testing.T) {
	t.Parallel()
	s, run := watched(t)
	lab := github.Job{Name: "autorun / lab", Status: "in_progress", Runner: "hosted"}
	s.github.SetJobs(run, lab, github.Job{Name: "autorun / unit", Conclusion: "success"}, github.Job{Name: "autorun / nvme", Status: "in_progress", Runner: "qemu-1"})
	s.says("The lab is there.")
	s.shows(ExitDone, "environments", "watch")
	s.says("The lab is offline, or the label is wrong.")
	s.github.SetJobs(run, lab, github.Job{Name: "autorun / unit", Conclusion: "success"}, github.Job{Name: "autorun / nvme"})
	begun := s.clock.Now()
	s.shows(ExitFailed, "environments", "watch")
	if waited := s.clock.Now().Sub(begun); waited < 30*time.Minute || waited > 32*time.Minute {
		t.Errorf("it waited for %v", waited)
	}
	if got := s.github.Jobs(run, 1)[2]; got.Conclusion != "cancelled" {
		t.Errorf("the job that waits is %+v", got)
	}
	s.says("GitHub does not let it look: the tests go on.")
	s.env["GITHUB_TOKEN"] = "ghp-expired"
	s.secrets = append(s.secrets, "ghp-expired")
	s.shows(ExitDone, "environments", "watch")
	s.says("It is no step of such a workflow.")
	s.env["PLAN"] = "nvme"
	s.shows(ExitConfiguration, "environments", "watch")
}

// TestCombineOne: the results of one job alone come flat, and end in a folder like
// those of several.
func TestCombineOne(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"id": "nvme+1of2", "name": "nvme (1/2)"}`: "results-nvme+1of2/output/results-unit/result.json",
		`{"id": "../../x", "name": "nvme"}`:         "output/results-unit/result.json",
		`{"id": "a/b", "name": "nvme"}`:             "output/results-unit/result.json",
		`broken`:                                    "output/results-unit/result.json",
	} {
		s := inWorkflow(t)
		dir := t.TempDir()
		for name, text := range map[string]string{"result.json": text, "output/results-unit/result.json": `{"name": "forged"}`} {
			if err := errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		status := s.run(s.Context(), "environments", "combine", dir)
		if _, err := os.Stat(filepath.Join(dir, want)); err != nil || status != ExitDone || strings.Contains(s.stdout, "forged") {
			t.Errorf("%s: %v, %d, %s", text, err, status, s.stdout)
		}
	}
}

func TestCombine(t *testing.T) {
	t.Parallel()
	s := inWorkflow(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"results-a": `{"name": "unit", "seconds": 61}`, "results-b": `{"name": "nvme | x", "status": 1, "seconds": 3}`, "results-c": "broken",
	} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "result.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.env["GITHUB_STEP_SUMMARY"] = filepath.Join(t.TempDir(), "summary")
	s.run(s.Context(), "environments", "combine", dir)
	for _, want := range []string{"failed", "passed", "nvme | x", "::warning::results-c has no result"} {
		if !strings.Contains(s.stdout, want) {
			t.Errorf("got %s, want %s in it", s.stdout, want)
		}
	}
	text, err := os.ReadFile(s.env["GITHUB_STEP_SUMMARY"])
	if err != nil || !strings.Contains(string(text), "| nvme &#124; x | failed | 3s |") {
		t.Errorf("got the summary %s, %v", text, err)
	}
	if status := s.run(s.Context(), "environments", "combine", filepath.Join(dir, "none")); status != ExitDone || !strings.Contains(s.stdout, "no job left results") {
		t.Errorf("got %d, %s", status, s.stdout)
	}
	if status := s.run(s.Context(), "environments", "default"); status != ExitDone || s.stdout != string(environments.Default) {
		t.Errorf("got %d, %s", status, s.stdout)
	}
}

func TestRecipes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"spdk-debian", "spdk-fedora", "Not A Name"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "recipe.yml"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := inWorkflow(t, "RECIPES="+dir)
	output := s.output()
	if status := s.run(s.Context(), "environments", "recipes"); status != ExitDone || strings.Join(*decode(t, output("recipes"), new([]string)), " ") != "spdk-debian spdk-fedora" || output("serial") != "2026W02" {
		t.Errorf("got %d, %q, %q", status, output("recipes"), output("serial"))
	}
	s.env["ONLY"], s.env["SERIAL"] = " spdk-fedora", "7"
	output = s.output()
	if status := s.run(s.Context(), "environments", "recipes"); status != ExitDone || strings.Join(*decode(t, output("recipes"), new([]string)), " ") != "spdk-fedora" || output("serial") != "7" {
		t.Errorf("got %d, %q, %q", status, output("recipes"), output("serial"))
	}
	for _, bad := range []string{"spdk-fedroa", "spdk-fedora,$(id)"} {
		s.env["ONLY"] = bad
		if status := s.run(s.Context(), "environments", "recipes"); status != ExitConfiguration || !strings.Contains(s.stdout, "hint: the recipes are spdk-debian, spdk-fedora") {
			t.Errorf("%s: got %d, %s", bad, status, s.stdout)
		}
	}
	s.env["RECIPES"] = filepath.Join(dir, "none")
	if status := s.run(s.Context(), "environments", "recipes"); status != ExitConfiguration {
		t.Errorf("got %d, %s", status, s.stdout)
	}
}

// TestWebShelf: without credentials images are read, and nothing is written.
func TestWebShelf(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/b/images/a/alias/latest.json":
			fmt.Fprint(w, "hello")
		case "/b/private":
			w.WriteHeader(http.StatusForbidden)
		case "/b/broken":
			w.WriteHeader(http.StatusBadGateway)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	s := webShelf{base: server.URL + "/b/", transport: http.DefaultTransport}
	if text, err := s.Get(t.Context(), "images/a/alias/latest.json"); string(text) != "hello" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	for name, want := range map[string]fault.Kind{"private": fault.Configuration, "broken": fault.Transient, "none": fault.Permanent} {
		if _, err := s.Get(t.Context(), name); fault.KindOf(err) != want {
			t.Errorf("%s: got %v, want a %v", name, err, want)
		}
	}
	file := filepath.Join(t.TempDir(), "disk")
	const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	if err := s.Download(t.Context(), "images/a/alias/latest.json", file, sum); err != nil {
		t.Error(err)
	}
	if err := s.Download(t.Context(), "images/a/alias/latest.json", file, strings.Repeat("0", 64)); fault.KindOf(err) != fault.Permanent {
		t.Errorf("another checksum: got %v", err)
	}
	if err := s.Put(t.Context(), "x", nil); fault.KindOf(err) != fault.Configuration {
		t.Errorf("put: got %v", err)
	}
}
