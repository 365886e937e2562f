// SPDX-License-Identifier: BSD-3-Clause

package machine

import (
	"fmt"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

const subsystemHint = "write sizes joined by +, each with a block size behind a slash if it is not 512, then the rest: 1G/4K+512M,controllers=2"

// ParseSubsystem reads the short form of a subsystem, as a flag has it:
//
//	SIZE[/BLOCK][+SIZE[/BLOCK]]...[,controllers=N][,nqn=NAME]
func ParseSubsystem(text string) (Subsystem, error) {
	var s Subsystem
	first, rest, more := strings.Cut(text, ",")
	for item := range strings.SplitSeq(first, "+") {
		ns, err := parseNamespace(item)
		if err != nil {
			return Subsystem{}, err
		}
		s.Namespaces = append(s.Namespaces, ns)
	}
	for more {
		first, rest, more = strings.Cut(rest, ",")
		switch key, value, _ := strings.Cut(first, "="); key {
		case "controllers":
			n, err := parseNumber(value)
			if err != nil || n < 1 {
				return Subsystem{}, fault.New(fault.Configuration, "there cannot be %s controllers", strictyaml.Quote(value)).
					WithHint("write a number from 1 to %d", maxControllers)
			}
			s.Controllers = n
		case "nqn":
			s.NQN = value
		default:
			return Subsystem{}, fault.New(fault.Configuration, "%s is no part of a subsystem", strictyaml.Quote(first)).WithHint("%s", subsystemHint)
		}
	}
	return s, nil
}

func parseNamespace(text string) (ns Namespace, err error) {
	size, block, blocks := strings.Cut(text, "/")
	if ns.Size, err = ParseSize(size); err == nil && blocks {
		ns.BlockSize, err = ParseSize(block)
	}
	if err != nil {
		return ns, fault.New(fault.Configuration, "%w", err).WithHint("%s", subsystemHint)
	}
	return ns, nil
}

// String writes the short form. What it has no words for (its serial number;
// numbers, metadata and the one controller of namespaces) is left out.
func (s Subsystem) String() string {
	var b strings.Builder
	for i, ns := range s.Namespaces {
		if i > 0 {
			b.WriteByte('+')
		}
		b.WriteString(ns.Size.String())
		if ns.BlockSize != 0 {
			fmt.Fprintf(&b, "/%s", ns.BlockSize)
		}
	}
	if s.Controllers != 0 {
		fmt.Fprintf(&b, ",controllers=%d", s.Controllers)
	}
	if s.NQN != "" {
		fmt.Fprintf(&b, ",nqn=%s", s.NQN)
	}
	return b.String()
}
