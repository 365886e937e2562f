// SPDX-License-Identifier: BSD-3-Clause

package relay

import "slices"

// verdict is what a try of several members came to.
type verdict int

const (
	// settled: each member has its own result, good or bad.
	settled verdict = iota
	// refused: the mirror refused them all for what one of them holds.
	refused
	// divided: too much at once, but each half may go through.
	divided
	// halted: nothing more may be tried now.
	halted
)

// search lands all that can land and finds who is to blame for the rest. It
// knows nothing of packs and servers.
type search struct {
	family
	// suspect, if set, names members that are tried last, each by itself.
	suspect func(member int) bool
	// try pushes the members together. With refused it may name members that
	// the mirror's text points at: a hint, which is never believed unproved.
	// Once it has answered halted it does so for good.
	try func(list []int) (verdict, []int)
	// blame settles a member that stood alone and was refused all the same.
	blame func(member int)
	// hold settles a member that stands on a blamed one.
	hold func(member, blamed int)

	blamed map[int]int // member to the blamed one that it stands on, or itself
}

// maxSuspects is how many members named by the mirror are tried alone before
// halving; each costs a push.
const maxSuspects = 4

// run moves all members.
func (s *search) run() {
	s.blamed = map[int]int{}
	var calm, suspects []int
	for _, i := range s.order {
		if s.suspect != nil && s.suspect(i) {
			suspects = append(suspects, i)
		} else {
			calm = append(calm, i)
		}
	}
	s.solve(calm, false)
	for _, i := range suspects {
		s.solve([]int{i}, false)
	}
}

// solve moves the members of list, which keeps the order of the family. bad
// says that one of them is known to be refused, so that trying all of them
// would be a wasted push. It reports whether nobody was blamed or left over.
func (s *search) solve(list []int, bad bool) (clean bool) {
	list = s.free(list)
	if len(list) == 0 {
		return true
	}
	if !bad || len(list) == 1 {
		v, suspects := s.try(list)
		switch {
		case v == settled:
			return true
		case v == halted:
			return false
		case len(list) == 1:
			if !s.isBranch(list[0]) { // what stands on a branch may go through all the same
				s.blamed[list[0]] = list[0]
			}
			s.blame(list[0])
			return false
		case v == refused && len(suspects) > 0 && len(suspects) <= maxSuspects:
			return s.accuse(list, suspects)
		}
		bad = v == refused
	}
	at := s.cut(list)
	if !bad && s.isBranch(list[at]) {
		at = 1 // branches share most of their history: with the first, the others get small
	}
	clean = s.solve(list[:at], false)
	return s.solve(list[at:], bad && clean) && clean
}

// accuse tries first those who neither are suspected nor stand on a suspect,
// then each suspect alone, then those above them.
func (s *search) accuse(list, suspects []int) (clean bool) {
	var others, accused, above []int
	reached := map[int]bool{}
	for _, i := range list {
		suspected := slices.Contains(suspects, i)
		standing := slices.ContainsFunc(s.parents[i], func(p int) bool { return reached[p] })
		reached[i] = suspected || standing
		switch {
		case standing:
			above = append(above, i)
		case suspected:
			accused = append(accused, i)
		default:
			others = append(others, i)
		}
	}
	clean = s.solve(others, false)
	for _, i := range accused {
		clean = s.solve([]int{i}, false) && clean
	}
	return s.solve(above, false) && clean
}

// free leaves out, and holds, the members that stand on a blamed one.
func (s *search) free(list []int) []int {
	var free []int
	for _, i := range list {
		if b, ok := s.standsOn(i); ok {
			s.blamed[i] = b
			s.hold(i, b)
		} else {
			free = append(free, i)
		}
	}
	return free
}

func (s *search) standsOn(i int) (blamed int, ok bool) {
	for _, p := range s.parents[i] {
		if b, ok := s.blamed[p]; ok {
			return b, true
		}
	}
	return 0, false
}
