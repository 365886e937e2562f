// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// The settings with a fixed list of values, and the numbers.
type (
	namespace     change.Namespace
	ledger        change.Ledger
	kindPolicy    KindPolicy
	parentPolicy  ParentPolicy
	startedPolicy StartedPolicy
	nothingPolicy NothingPolicy
	inputGroup    InputGroup
	pathStyle     string // store.PathStyle
	keyName       string // a prefix of run keys, or nothing
	count         int    // 0 is no limit
	number        int64  // from 1
	vote          int    // a value of a label
)

const maxCount = 10_000

var (
	namespaces      = []string{string(change.CustomRefs), string(change.BranchRefs)}
	ledgers         = []string{string(change.CustomLedger), string(change.BranchLedger)}
	policies        = []string{string(RunKind), string(CarryKind)}
	pathStyles      = []string{"auto", "path", "virtual"}
	parentPolicies  = []string{string(RunChildren), string(HoldChildren)}
	startedPolicies = []string{string(StartedOff), string(StartedMessage), string(StartedReset)}
	nothingPolicies = []string{string(NothingVotes), string(NothingSilent)}
	inputGroups     = []string{string(DispatcherInputs), string(GerritInputs), string(PrototypeInputs)}
)

// choose returns text if it is one of the allowed values.
func choose(text []byte, allowed []string) (string, error) {
	for _, a := range allowed {
		if string(text) == a {
			return a, nil
		}
	}
	hint := "write " + strings.Join(allowed, " or ")
	return "", bad(hint, "%s is not a value that this setting can have", quote(string(text)))
}

// UnmarshalText accepts the two namespaces, with or without the final slash.
func (n *namespace) UnmarshalText(text []byte) error {
	s, err := choose([]byte(strings.TrimRight(string(text), "/")+"/"), namespaces)
	*n = namespace(s)
	return err
}

// UnmarshalText accepts the two ledgers, with or without the final slash.
func (l *ledger) UnmarshalText(text []byte) error {
	s, err := choose([]byte(strings.TrimRight(string(text), "/")+"/"), ledgers)
	*l = ledger(s)
	return err
}

// UnmarshalText accepts run and carry.
func (k *kindPolicy) UnmarshalText(text []byte) error {
	s, err := choose(text, policies)
	*k = kindPolicy(s)
	return err
}

// UnmarshalText accepts the names of the path styles.
func (p *pathStyle) UnmarshalText(text []byte) error {
	s, err := choose(text, pathStyles)
	*p = pathStyle(s)
	return err
}

// UnmarshalText accepts run and hold.
func (p *parentPolicy) UnmarshalText(text []byte) error {
	s, err := choose(text, parentPolicies)
	*p = parentPolicy(s)
	return err
}

// UnmarshalText accepts off, message and reset.
func (p *startedPolicy) UnmarshalText(text []byte) error {
	s, err := choose(text, startedPolicies)
	*p = startedPolicy(s)
	return err
}

// UnmarshalText accepts vote and silent.
func (p *nothingPolicy) UnmarshalText(text []byte) error {
	s, err := choose(text, nothingPolicies)
	*p = nothingPolicy(s)
	return err
}

// UnmarshalText accepts the names of the groups.
func (g *inputGroup) UnmarshalText(text []byte) error {
	s, err := choose(text, inputGroups)
	*g = inputGroup(s)
	return err
}

// UnmarshalText accepts what can begin a run key, and nothing at all.
func (k *keyName) UnmarshalText(text []byte) error {
	*k = keyName(text)
	if len(text) == 0 {
		return nil
	}
	return change.CheckServer(string(text))
}

// UnmarshalText accepts whole numbers from 0.
func (c *count) UnmarshalText(text []byte) error {
	n, err := parseNumber(text, 0, maxCount)
	*c = count(n)
	return err
}

// UnmarshalText accepts whole numbers from 1; GitHub's ids fit.
func (n *number) UnmarshalText(text []byte) error {
	v, err := parseNumber(text, 1, 1<<53)
	*n = number(v)
	return err
}

// UnmarshalText accepts what a label's value can be.
func (v *vote) UnmarshalText(text []byte) error {
	n, err := parseNumber([]byte(strings.TrimPrefix(string(text), "+")), -maxVote, maxVote)
	*v = vote(n)
	return err
}

// maxVote bounds votes; Gerrit's own labels go to 2.
const maxVote = 99

func parseNumber(text []byte, least, most int64) (int64, error) {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < least || n > most {
		hint := fmt.Sprintf("write a whole number, %d or more", least)
		if most == maxCount {
			hint += fmt.Sprintf(", %d at most", most)
		}
		return 0, bad(hint, "%s is not a number that this setting can have", quote(string(text)))
	}
	return n, nil
}
