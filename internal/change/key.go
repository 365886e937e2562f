// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
)

// Key identifies one run that we ask for: the attempt-th run of a workflow for
// a patchset. It travels as a workflow input, begins the run's name and names
// the claim, so that a run can be found again by whoever comes later.
type Key struct {
	// Server tells Gerrit servers apart that share one CI repository, and projects
	// with imported changes (see Scope); it is empty where there is only one.
	Server string
	ID
	// Workflow is the file's base name (autorun.yml) or the event type of a
	// repository_dispatch.
	Workflow string
	// Attempt counts from 1.
	Attempt int
}

// String returns "change/patchset/workflow/attempt", with "server+" in front
// where a server is named: a sign that git allows in a ref and that no part of
// a key holds.
func (k Key) String() string {
	s := fmt.Sprintf("%d/%d/%s/%d", k.Change, k.Patchset, k.Workflow, k.Attempt)
	if k.Server != "" {
		s = k.Server + "+" + s
	}
	return s
}

var (
	serverPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)
	scopedPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,28}$`)
)

// Scope is what keys of a project's imported changes have in place of a server's
// name: that name, and what is short, does not change, and no other project has.
// Numbers of imported changes are unique in their project only.
func Scope(server, project string) string {
	sum := sha256.Sum256([]byte(project))
	return strings.TrimPrefix(fmt.Sprintf("%s-p%x", server, sum[:])[:len(server)+9], "-")
}

// ParseKey reads what String writes and nothing else.
func ParseKey(s string) (Key, error) {
	k, ok := parseKey(s)
	if !ok {
		return Key{}, fmt.Errorf("%q is not a run key (change/patchset/workflow/attempt)", Clip(s, 80))
	}
	return k, nil
}

// parseKey is written by hand, as are its neighbours: a pass reads a mirror's
// 100,000 refs, and expressions take ten times as long.
func parseKey(s string) (k Key, ok bool) {
	if server, rest, named := strings.Cut(s, "+"); named {
		if !scopedPattern.MatchString(server) {
			return Key{}, false
		}
		k.Server, s = server, rest
	}
	head, attempt, ok := cutLast(s)
	if !ok {
		return Key{}, false
	}
	head, k.Workflow, ok = cutLast(head)
	if !ok || !workflowName(k.Workflow) {
		return Key{}, false
	}
	if k.ID, ok = parseID(head); !ok {
		return Key{}, false
	}
	k.Attempt, ok = decimal(attempt, 4)
	return k, ok
}

// cutLast cuts s at its last slash.
func cutLast(s string) (head, last string, ok bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

// decimal reads a positive number of at most so many digits, as %d writes it.
func decimal(s string, digits int) (n int, ok bool) {
	if len(s) == 0 || len(s) > digits || s[0] == '0' {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
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
	if !workflowName(name) {
		return fmt.Errorf("%q cannot name a workflow: use letters, digits, '.', '_' and '-' only, without '..' or a final '.' or '.lock'", Clip(name, 80))
	}
	return nil
}

func workflowName(name string) bool {
	if len(name) == 0 || len(name) > 100 || name[0] == '.' || name[0] == '-' {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return !strings.Contains(name, "..") && name[len(name)-1] != '.' && !strings.HasSuffix(name, ".lock")
}

// CheckServer accepts the short names that may tell Gerrit servers apart.
func CheckServer(name string) error {
	if !serverPattern.MatchString(name) {
		return fmt.Errorf("%q cannot name a Gerrit server: use at most 20 lower-case letters, digits and '-', beginning with a letter", Clip(name, 40))
	}
	return nil
}

// ParseID reads "12345/6".
func ParseID(s string) (ID, error) {
	id, ok := parseID(s)
	if !ok {
		return ID{}, fmt.Errorf("%q is not CHANGE/PATCHSET", Clip(s, 60))
	}
	return id, nil
}

func parseID(s string) (id ID, ok bool) {
	number, patchset, _ := strings.Cut(s, "/")
	if id.Change, ok = decimal(number, 10); !ok {
		return ID{}, false
	}
	if id.Patchset, ok = decimal(patchset, 9); !ok {
		return ID{}, false
	}
	return id, true
}
