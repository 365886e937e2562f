// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

var update = flag.Bool("update", false, "rewrite golden files, docs/dispatcher.schema.json and action.yml")

// env returns a Getenv over "NAME=value" pairs.
func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		m[name] = value
	}
	return func(name string) string { return m[name] }
}

// noFile is a working folder without any file.
func noFile(name string) ([]byte, error) {
	return nil, fmt.Errorf("open %s: %w", name, os.ErrNotExist)
}

var runner = []string{
	"GITHUB_REPOSITORY=octo/ci", "GITHUB_REPOSITORY_OWNER=octo",
	"GITHUB_SERVER_URL=https://github.com", "GITHUB_API_URL=https://api.github.com",
}

func TestSmoke(t *testing.T) {
	c, err := Load(Source{Getenv: env(append(runner, "INPUT_GERRIT-URL=https://review.spdk.io/gerrit", "INPUT_GERRIT-PROJECT=spdk/spdk", "GHPA_TOKEN=t")...), ReadFile: noFile})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%#v", c)
	_, err = Load(Source{Getenv: env(), ReadFile: noFile})
	t.Log(err, errors.Is(err, fault.Configuration))
}
