// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Key identifies one run that we ask for: the attempt-th run of a workflow for
// a patchset. It travels as a workflow input, begins the run's name and names
// the claim, so that a run can be found again by whoever comes later.
type Key struct {
	// Server tells Gerrit servers apart that share one CI repository; it is
	// empty where there is only one.
	Server string
	ID
	// Workflow is the file's base name (autorun.yml) or the event type of a
	// repository_dispatch.
	Workflow string
	// Attempt counts from 1.
	Attempt int
}

// String returns "change/patchset/workflow/attempt", with "server~" in front
// where a server is named.
func (k Key) String() string {
	s := fmt.Sprintf("%d/%d/%s/%d", k.Change, k.Patchset, k.Workflow, k.Attempt)
	if k.Server != "" {
		s = k.Server + "~" + s
	}
	return s
}

var (
	keyPattern      = regexp.MustCompile(`^(?:([a-z][a-z0-9-]{0,19})~)?([1-9][0-9]{0,9})/([1-9][0-9]{0,8})/([A-Za-z0-9_][A-Za-z0-9._-]{0,99})/([1-9][0-9]{0,3})$`)
	workflowPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$`)
	serverPattern   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)
)

// ParseKey reads what String writes and nothing else.
func ParseKey(s string) (Key, error) {
	m := keyPattern.FindStringSubmatch(s)
	if m == nil {
		return Key{}, fmt.Errorf("%q is not a run key (change/patchset/workflow/attempt)", Clip(s, 80))
	}
	if err := CheckWorkflow(m[4]); err != nil {
		return Key{}, err
	}
	k := Key{Server: m[1], Workflow: m[4]}
	k.Change, _ = strconv.Atoi(m[2]) // the pattern bounds the numbers
	k.Patchset, _ = strconv.Atoi(m[3])
	k.Attempt, _ = strconv.Atoi(m[5])
	return k, nil
}

// KeyOfRun reads the key that begins a run's name. Only the first word counts:
// what follows may be a subject, and a subject may hold anything.
func KeyOfRun(runName string) (Key, bool) {
	first, _, _ := strings.Cut(runName, " ")
	k, err := ParseKey(first)
	return k, err == nil
}

// CheckWorkflow accepts the names that can be part of a key and of a ref.
func CheckWorkflow(name string) error {
	if !workflowPattern.MatchString(name) || strings.Contains(name, "..") ||
		strings.HasSuffix(name, ".") || strings.HasSuffix(name, ".lock") {
		return fmt.Errorf("%q cannot name a workflow: use letters, digits, '.', '_' and '-' only, without '..' or a final '.' or '.lock'", Clip(name, 80))
	}
	return nil
}

// CheckServer accepts the short names that may tell Gerrit servers apart.
func CheckServer(name string) error {
	if !serverPattern.MatchString(name) {
		return fmt.Errorf("%q cannot name a Gerrit server: use at most 20 lower-case letters, digits and '-', beginning with a letter", Clip(name, 40))
	}
	return nil
}
