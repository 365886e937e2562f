// SPDX-License-Identifier: BSD-3-Clause

//go:build unix && !linux

package proctree

import "syscall"

// guard does nothing: daemons leave the tree on these systems.
func guard() (undo func()) { return func() {} }

// remaining is the group of the first process, if anybody is left in it.
func remaining(first int) []int {
	if syscall.Kill(-first, 0) != nil {
		return nil
	}
	return []int{-first}
}

func reap(int) {}
