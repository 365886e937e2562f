// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// privileged is the option that has all the others in it.
const privileged = "privileged"

// dockerOption is something that a container may have beyond what docker gives to
// each. There are no others: what could be written here freely could mount the
// host.
type dockerOption struct {
	name string
	args []string
	// means and risk are the documentation's words.
	means, risk string
}

// dockerOptions in the order of the documentation. What AppArmor denies is in
// apparmor/template.go of moby/profiles; what seccomp does, in moby#46762 and
// seccomp/default.json there.
var dockerOptions = []dockerOption{
	{"kvm", []string{"--device", "/dev/kvm"}, "start virtual machines with KVM", "the kernel's KVM is open to the patchset"},
	{"hugepages", []string{"--mount", "type=bind,src=/dev/hugepages,dst=/dev/hugepages"},
		"take huge pages of the host, which must have some free", "others on the host get none, and their files there can be read"},
	{"vfio", []string{"--device", "/dev/vfio", "--cap-add", "IPC_LOCK"},
		"drive PCI devices that the host has bound to `vfio-pci`", "the devices belong to the patchset, with what is stored on them and their firmware"},
	{"net-admin", []string{"--cap-add", "NET_ADMIN"}, "make network devices and addresses in the container's own network",
		"it can take the address of another container"},
	{"sys-ptrace", []string{"--cap-add", "SYS_PTRACE"}, "attach debuggers to any process in the container", "little: it sees its own processes only"},
	{"null-pci-rescan", []string{"--mount", "type=bind,src=/dev/null,dst=/sys/bus/pci/rescan"},
		"write to `/sys/bus/pci/rescan` without effect, for scripts that end where they cannot", "none"},
	{"seccomp-unconfined", []string{"--security-opt", "seccomp=unconfined"},
		"use every system call; `io_uring`, which docker denies from version 25 on, and `userfaultfd` among them", "mistakes in rarely used parts of the kernel are a way to the host"},
	{"apparmor-unconfined", []string{"--security-opt", "apparmor=unconfined"},
		"do what AppArmor denies on Ubuntu, so also on GitHub's runners: mount, and write below `/proc/sys` and `/sys`. Where there is no AppArmor it does nothing",
		"one fence less around what other options give"},
	{"sys-admin", []string{"--cap-add", "SYS_ADMIN"}, "mount file systems, and see physical addresses of memory", "whoever knows how becomes root on the host"},
	{"systempaths-unconfined", []string{"--security-opt", "systempaths=unconfined"}, "write below `/proc/sys`, as `autorun.sh` does",
		"the settings are the host's: they stay when the test is over, and `kernel.core_pattern` runs programs there as root"},
	{privileged, []string{"--privileged"}, "do all of this, and use every device", "the patchset is root on the host"},
}

func dockerOptionNames() []string {
	var names []string
	for _, o := range dockerOptions {
		names = append(names, o.name)
	}
	return names
}

// DockerArgs are the arguments of "docker create" for options of a Cell.
func DockerArgs(options []string) ([]string, error) {
	var args []string
	for _, name := range options {
		i := slices.IndexFunc(dockerOptions, func(o dockerOption) bool { return o.name == name })
		if i < 0 {
			return nil, fault.New(fault.Configuration, "there is no docker option %s", strictyaml.Quote(name)).WithHint("%s", optionHint(name))
		}
		args = append(args, dockerOptions[i].args...)
	}
	return args, nil
}

// optionHint says what may have been meant by an unknown option.
func optionHint(name string) string {
	if meant := strictyaml.Nearest(name, dockerOptionNames()); meant != "" {
		return "did you mean " + meant + "?"
	}
	return "the options are " + strings.Join(dockerOptionNames(), ", ")
}

// dockerOptions checks the options of an environment, and takes the old way to
// write the last of them for what it is.
func (c check) dockerOptions(e *Environment) {
	if e.Kind != Docker {
		if e.Privileged {
			c.fail("privileged", "remove it", "only containers can be privileged")
		}
		if len(e.DockerOptions) > 0 {
			c.fail("docker-options", "remove them", "only containers have docker options")
		}
		return
	}
	if e.Privileged && !slices.Contains(e.DockerOptions, privileged) {
		e.DockerOptions = append(e.DockerOptions, privileged)
	}
	seen := map[string]bool{}
	for i, name := range e.DockerOptions {
		key := fmt.Sprintf("docker-options[%d]", i)
		switch {
		case !slices.Contains(dockerOptionNames(), name):
			c.fail(key, optionHint(name), "there is no docker option %s", strictyaml.Quote(name))
		case seen[name]:
			c.fail(key, "remove one of the two", "the docker option %s is there twice", name)
		}
		seen[name] = true
	}
}
