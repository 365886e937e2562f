// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestFiles reads each list of testdata: a good one becomes a matrix, a bad one
// all its mistakes.
func TestFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*/*.[yj]*")
	if err != nil || len(files) < 6 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, file := range append(files, "default.yml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := Read(filepath.Base(file), text)
		isBad := strings.Contains(file, "/bad/")
		if (err != nil) != isBad || isBad && !errors.Is(err, fault.Configuration) {
			t.Errorf("%s: got the error %v", file, err)
			continue
		}
		got := ""
		if isBad {
			got = err.Error() + "\n"
		} else {
			plan, err := Make(list, 1)
			text, jsonErr := json.MarshalIndent(plan, "", "  ")
			if err != nil || jsonErr != nil {
				t.Fatalf("%s: %v, %v", file, err, jsonErr)
			}
			got = string(text) + "\n"
		}
		golden(t, filepath.Join("testdata", strings.TrimPrefix(strings.TrimSuffix(file, filepath.Ext(file)), "testdata/")+".out"), got)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestConf: a shell that sources auto.conf sees each value as it was written.
func TestConf(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", "1", "it's", `$(id) "x" \n`, "''", "a b\tc", "-n; exit 1", "\u00e4 `id`"} {
		e := Environment{Variables: []string{"VALUE=" + value}}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", e.conf(0, 1)+`printf %s "$VALUE"`).Output()
		if err != nil || string(out) != value {
			t.Errorf("%q: the shell saw %q, %v", value, out, err)
		}
	}
}

// TestShards: each test is on in one shard, and no shard has nothing to do.
func TestShards(t *testing.T) {
	t.Parallel()
	e := Environment{Name: "a", Kind: Docker, Image: "x", Command: "true", Minutes: 1, RunsOn: Labels{"ubuntu-24.04"}, Tests: []string{"A", "B", "C", "D", "E"}}
	for shards, want := range map[int]int{1: 1, 2: 2, 5: 5, 9: 5} {
		plan, err := Make([]Environment{e}, shards)
		if err != nil || len(plan.Cells[Docker]) != want || len(plan.Lab) != 0 {
			t.Fatalf("%d shards: got %d cells, a lab of %v, %v", shards, len(plan.Cells[Docker]), plan.Lab, err)
		}
		all := ""
		for _, c := range plan.Cells[Docker] {
			if !strings.Contains(c.Conf, "=1") {
				t.Errorf("%d shards: %s tests nothing", shards, c.Name)
			}
			all += c.Conf
		}
		for _, name := range e.Tests {
			if n := strings.Count(all, name+"=1"); n != 1 {
				t.Errorf("%d shards: %s runs %d times", shards, name, n)
			}
		}
	}
	for _, shards := range []int{0, -1, 257} {
		if _, err := Make([]Environment{e}, shards); !errors.Is(err, fault.Configuration) || fault.HintOf(err) == "" {
			t.Errorf("%d shards: got %v", shards, err)
		}
	}
	many := Environment{Name: "b", Kind: Docker, Shards: 200}
	if _, err := Make([]Environment{many, many}, 1); !errors.Is(err, fault.Configuration) {
		t.Errorf("400 jobs: got %v", err)
	}
}

func TestHosted(t *testing.T) {
	t.Parallel()
	for labels, want := range map[string]bool{
		"ubuntu-24.04": true, "ubuntu-26.04-arm": true, "ubuntu-latest": true, "ubuntu-2404": false, "self-hosted": false, "ubuntu-24.04,big": false,
	} {
		if got := hosted(strings.Split(labels, ",")); got != want {
			t.Errorf("%s: got %v", labels, got)
		}
	}
}

// TestSchema: the schema knows the keys that the reader knows.
func TestSchema(t *testing.T) {
	t.Parallel()
	var schema struct {
		Defs struct {
			Environment struct {
				Properties map[string]any
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for i := range reflect.TypeFor[Environment]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[Environment]().Field(i).Tag.Get("json"), ",")
		want = append(want, name)
	}
	for name := range schema.Defs.Environment.Properties {
		got = append(got, name)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	golden(t, "../../docs/environments.schema.json", string(Schema))
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._+-]*$`)

// FuzzRead: whatever is read is either refused with places and hints, or makes
// cells that are fit for names, files and a shell.
func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.[yj]*")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			f.Add(text, 2)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, shards int) {
		list, err := Read("f", text)
		if err != nil {
			if !errors.Is(err, fault.Configuration) || strings.Contains(err.Error(), "\x00") {
				t.Errorf("got %v", err)
			}
			return
		}
		plan, err := Make(list, shards)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for kind, cells := range plan.Cells {
			for _, c := range cells {
				if c.Kind != kind || !idForm.MatchString(c.ID) || seen[c.ID] || strings.ContainsRune(c.Conf, 0) || c.Minutes < 1 || len(c.RunsOn) == 0 {
					t.Errorf("got the cell %+v", c)
				}
				seen[c.ID] = true
			}
		}
	})
}
