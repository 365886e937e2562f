// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// Config is what the dispatcher's configuration file is made from. The zero
// value of a field is what the comment says.
type Config struct {
	GerritURL string
	Project   string
	Query     string // none
	// Mirror is OWNER/NAME, MirrorURL its address.
	Mirror, MirrorURL string
	APIURL            string
	Workflows         []string      // autorun.yml
	Grace             time.Duration // a minute
	// User and Password are the Gerrit account; without one access is anonymous.
	User, Password string
}

// Write writes the file into dir and returns its name, and the environment that
// the dispatcher needs with it. Nothing limits how many runs a pass starts.
func (c Config) Write(dir string) (file string, env []string, err error) {
	if len(c.Workflows) == 0 {
		c.Workflows = []string{"autorun.yml"}
	}
	if c.Grace == 0 {
		c.Grace = time.Minute
	}
	data, err := json.MarshalIndent(map[string]any{ // JSON is YAML
		"gerrits": map[string]any{"review": map[string]any{"url": c.GerritURL}},
		"projects": []any{map[string]any{
			"name":      c.Project,
			"query":     c.Query,
			"mirror":    map[string]any{"repository": c.Mirror, "url": c.MirrorURL, "token-env": "GHPA_TOKEN"},
			"ci":        map[string]any{"repository": CIRepository, "api-url": c.APIURL, "token-env": "GHPA_TOKEN"},
			"branches":  []string{"master"},
			"skip":      map[string]any{"wip": true},
			"workflows": c.Workflows,
			"limits":    map[string]any{"per-pass": 0, "running": 0, "pace": "0s"},
			"grace":     c.Grace.String(),
		}},
	}, "", "  ")
	if err != nil {
		return "", nil, err
	}
	env = []string{"PATH=" + os.Getenv("PATH"), "GHPA_TOKEN=" + MirrorToken}
	if c.User != "" {
		env = append(env, "GERRIT_USERNAME="+c.User, "GERRIT_PASSWORD="+c.Password)
	}
	file = filepath.Join(dir, "dispatcher.json")
	return file, env, os.WriteFile(file, data, 0o644)
}
