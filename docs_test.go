// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/environments"
)

// fence is a block of YAML in a page, at any depth of a list.
var fence = regexp.MustCompile("(?ms)^( *)```yaml\n(.*?)^ *```$")

// TestExamples holds the examples of the pages that people copy from to the code
// that reads them.
func TestExamples(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("docs/migrate-*.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) < 3 {
		t.Errorf("got the pages %v, want three at least", pages)
	}
	for _, page := range append(pages, "README.md", "docs/adopt.md") {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks := fence.FindAllStringSubmatch(string(data), -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no example", page)
		}
		for _, b := range blocks {
			text := strings.ReplaceAll("\n"+b[2], "\n"+b[1], "\n")
			if err := checkExample([]byte(text)); err != nil {
				t.Errorf("%s: %v\n%s", page, err, text)
			}
		}
	}
}

// checkExample reads a block as what it is: a configuration, a list of
// environments, a workflow, or steps of one.
func checkExample(text []byte) error {
	var steps []step
	if yaml.Unmarshal(text, &steps) == nil {
		return checkSteps(steps)
	}
	var kind struct {
		Gerrits, Environments any
		Jobs                  map[string]job
		Report                *job
	}
	if err := yaml.Unmarshal(text, &kind); err != nil {
		return err
	}
	switch {
	case kind.Gerrits != nil:
		return loadConfig(map[string]string{}, text)
	case kind.Environments != nil:
		_, err := environments.Read("environments.yml", text)
		return err
	case kind.Report != nil:
		return checkSteps(kind.Report.Steps)
	}
	for _, j := range kind.Jobs {
		if err := checkSteps(j.Steps); err != nil {
			return err
		}
	}
	return nil
}

// checkSteps loads what steps give to the container action.
func checkSteps(steps []step) error {
	for _, s := range steps {
		if !strings.HasPrefix(s.Uses, "spdk-community-ci/dispatcher@") {
			continue
		}
		env := map[string]string{}
		for name, value := range s.With {
			if !slices.ContainsFunc(config.Inputs(), func(in config.Input) bool { return in.Name == name }) {
				return fmt.Errorf("the action has no input %q", name)
			}
			env["INPUT_"+strings.ToUpper(name)] = fmt.Sprint(value)
		}
		if err := loadConfig(env, nil); err != nil {
			return err
		}
	}
	return nil
}

// loadConfig loads inputs, or a file, in a job of example/ci that has all secrets.
func loadConfig(env map[string]string, file []byte) error {
	for _, name := range []string{"GHPA_TOKEN", "GERRIT_USERNAME", "GERRIT_PASSWORD"} {
		env[name] = "secret"
	}
	env["GITHUB_REPOSITORY"] = "example/ci"
	_, err := config.Load(config.Source{
		Getenv: func(name string) string { return env[name] },
		ReadFile: func(name string) ([]byte, error) {
			if file == nil {
				return nil, fs.ErrNotExist
			}
			return file, nil
		},
	})
	return err
}
