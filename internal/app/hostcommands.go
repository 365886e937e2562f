// SPDX-License-Identifier: BSD-3-Clause

//go:build !action

package app

// hostCommands need the machine itself: its devices, QEMU, Docker.
func hostCommands() []command {
	return []command{
		{"guest", "boot a disk image in QEMU and run a command in it", (*App).guest},
		{"image", "build, test, publish and prune system images", (*App).image},
		{"host", "lease a lab host to one job at a time, and keep it clean", (*App).host},
		{"environments", "plan, run and watch the jobs of the reusable workflows", (*App).environments},
	}
}
