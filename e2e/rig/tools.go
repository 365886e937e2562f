// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// GerritVersion is the release whose jars scripts/install-tools.sh fetches.
const GerritVersion = "3.13.5"

// minimumJava is what Gerrit 3.12 and later need.
const minimumJava = 21

// installHint ends every error about something that is not on this machine.
const installHint = "run scripts/install-tools.sh"

// gerritJars are the six jars that make a whole server, relative to Maven's
// local repository. The acceptance framework holds the daemon and its programs.
func gerritJars() []string {
	jars := []string{}
	for _, name := range []string{"gerrit-acceptance-framework", "gerrit-plugin-api"} {
		jars = append(jars, filepath.Join("com/google/gerrit", name, GerritVersion, name+"-"+GerritVersion+".jar"))
	}
	for _, name := range []string{"bcprov", "bcpkix", "bcpg", "bcutil"} {
		name += "-jdk18on"
		jars = append(jars, filepath.Join("org/bouncycastle", name, "1.80", name+"-1.80.jar"))
	}
	return jars
}

// classPath returns Java's class path of the jars, all of which must exist.
func classPath() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	jars := gerritJars()
	for i, jar := range jars {
		jars[i] = filepath.Join(home, ".m2/repository", jar)
		if _, err := os.Stat(jars[i]); err != nil {
			return "", fmt.Errorf("failed to find a jar of Gerrit: %w (%s)", err, installHint)
		}
	}
	return strings.Join(jars, ":"), nil
}

var javaVersion = regexp.MustCompile(`(?m)^JAVA_VERSION="(\d+)`)

// java returns the program of a JDK that is new enough, from JAVA_HOME or from
// /usr/lib/jvm. The default java may be an older one.
func java() (string, error) {
	homes, _ := filepath.Glob("/usr/lib/jvm/*") // the pattern is well formed
	if home := os.Getenv("JAVA_HOME"); home != "" {
		homes = slices.Insert(homes, 0, home)
	}
	for _, home := range homes {
		release, err := os.ReadFile(filepath.Join(home, "release"))
		if err != nil {
			continue
		}
		m := javaVersion.FindSubmatch(release)
		if m == nil {
			continue
		}
		program := filepath.Join(home, "bin/java")
		if major, _ := strconv.Atoi(string(m[1])); major < minimumJava {
			continue
		}
		if _, err := os.Stat(program); err == nil {
			return program, nil
		}
	}
	return "", fmt.Errorf("failed to find Java %d or newer in JAVA_HOME and under /usr/lib/jvm; Gerrit %s needs it (install a JDK)", minimumJava, GerritVersion)
}

// program finds an executable in PATH or where Debian puts servers.
func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	path := filepath.Join("/usr/sbin", name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("failed to find %s: %w (%s)", name, err, installHint)
	}
	return path, nil
}

// CacheDir returns the folder that outlives a run: E2E_CACHE, or one below the
// user's cache folder. What is in it can be made again and may be deleted.
func CacheDir() (string, error) {
	dir := os.Getenv("E2E_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("failed to find a cache folder: %w (set E2E_CACHE)", err)
		}
		dir = filepath.Join(base, "dispatcher-e2e")
	}
	return dir, os.MkdirAll(dir, 0o755)
}
