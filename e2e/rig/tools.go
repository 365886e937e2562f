// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// defaultGerrit is the release whose jars scripts/install-tools.sh fetches.
const defaultGerrit = "3.13.5"

// GerritVersion returns the release to run: E2E_GERRIT, or the default one.
func GerritVersion() string {
	if v := os.Getenv("E2E_GERRIT"); v != "" {
		return v
	}
	return defaultGerrit
}

// minimumJava is what a Gerrit needs: 3.12 by its release notes, and 3.11 as its
// jars are built.
func minimumJava() int {
	var major, minor int
	fmt.Sscanf(GerritVersion(), "%d.%d", &major, &minor) // an odd version counts as old
	if major > 3 || major == 3 && minor >= 11 {
		return 21
	}
	return 17
}

// installHint ends every error about something that is not on this machine.
const installHint = "run scripts/install-tools.sh"

// gerritJars are the six jars that make a whole server, relative to Maven's
// local repository. The acceptance framework holds the daemon and its programs.
func gerritJars() []string {
	jars := []string{}
	for _, name := range []string{"gerrit-acceptance-framework", "gerrit-plugin-api"} {
		jars = append(jars, filepath.Join("com/google/gerrit", name, GerritVersion(), name+"-"+GerritVersion()+".jar"))
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

var javaVersion = regexp.MustCompile(`(?m)^JAVA_VERSION="(\d{1,4})`)

// java returns the program of the oldest JDK that is new enough, from JAVA_HOME
// or from /usr/lib/jvm: an old Gerrit does not know the newest Java.
func java() (string, error) {
	homes, _ := filepath.Glob("/usr/lib/jvm/*") // the pattern is well formed
	if home := os.Getenv("JAVA_HOME"); home != "" {
		homes = append(homes, home)
	}
	best, found := "", 0
	for _, home := range homes {
		major := javaMajor(home)
		if major >= minimumJava() && (found == 0 || major < found) {
			best, found = filepath.Join(home, "bin/java"), major
		}
	}
	if found == 0 {
		return "", fmt.Errorf("failed to find Java %d or newer in JAVA_HOME and under /usr/lib/jvm; Gerrit %s needs it (install a JDK)", minimumJava(), GerritVersion())
	}
	return best, nil
}

// javaMajor returns the major version of the JDK in a folder, or 0 if there is
// none.
func javaMajor(home string) int {
	if _, err := os.Stat(filepath.Join(home, "bin/java")); err != nil {
		return 0
	}
	release, _ := os.ReadFile(filepath.Join(home, "release")) // none: no JDK
	m := javaVersion.FindSubmatch(release)
	if m == nil {
		return 0
	}
	major, _ := strconv.Atoi(string(m[1])) // the pattern bounds it
	return major
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
