// SPDX-License-Identifier: BSD-3-Clause

// Package qemu starts QEMU: it makes command lines, finds out which accelerator
// works, and prepares disks with qemu-img.
//
// A command line is a pure function of a Command; nothing here speaks to the
// guest or to QEMU's monitor once it runs.
package qemu

import (
	"fmt"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
)

// The accelerators.
const (
	KVM = "kvm"
	TCG = "tcg"
)

// iommuBits is the address width of the IOMMU: a program may then use its own
// addresses for DMA. QEMU's default is 39 before 9.2 (QEMU's 81ab964f "Set default
// aw_bits to 48"), which SPDK sees on Intel processors alone; for any other, AMD's
// and the one of TCG among them, it takes the IOMMU for a full one, and DPDK does
// not start (x86_cpu_support_iommu in SPDK's lib/env_dpdk/init.c). It is a global
// so that extra arguments can set it to 39: with a device of the host passed
// through, QEMU from 9.1 on refuses more bits than the host's own IOMMU has
// (77f6efc0 "Check compatibility with host IOMMU capabilities"). The property is
// older than every QEMU of a Debian, Ubuntu or Fedora that is kept up.
const iommuBits = "48"

// Command is everything that a command line is made of.
type Command struct {
	// Program is QEMU's.
	Program string
	Machine machine.Machine
	// Accel is KVM or TCG.
	Accel string
	// Disk is the file to boot from, Format its format, Seed the image with
	// what cloud-init is to do; "" is none.
	Disk, Format, Seed string
	// Namespaces are the files behind the namespaces, in the order of Machine.
	Namespaces []string
	// Monitor is the path of the socket to serve QMP on.
	Monitor string
	// Port is the port on 127.0.0.1 that leads to the guest's SSH server.
	Port int
}

// Args returns QEMU's arguments.
func (c Command) Args() []string {
	m := c.Machine
	args := []string{
		"-name", "dispatcher-guest", "-no-user-config", "-nodefaults",
		"-machine", c.machine(), "-accel", c.Accel, "-cpu", c.cpu(),
		"-smp", fmt.Sprint(m.CPUs),
	}
	args = append(args, c.memory()...)
	// A restart would lose the test's state unseen; a panic is looked at first.
	args = append(args, "-action", "reboot=shutdown,panic=pause", "-rtc", "base=utc",
		"-display", "none", "-serial", "stdio",
		"-chardev", "socket,id=monitor,server=on,wait=off,path="+escape(c.Monitor),
		"-mon", "chardev=monitor,mode=control")
	if m.IOMMU { // before the devices that it serves
		args = append(args, "-global", "intel-iommu.aw-bits="+iommuBits, "-device", "intel-iommu,intremap=on,caching-mode=on")
	}
	args = append(args,
		"-drive", fmt.Sprintf("if=none,id=disk,cache=unsafe,discard=unmap,format=%s,file=%s", c.Format, escape(c.Disk)),
		"-device", "virtio-blk-pci,drive=disk,bootindex=0")
	if c.Seed != "" {
		args = append(args,
			"-drive", "if=none,id=seed,readonly=on,format=raw,file="+escape(c.Seed),
			"-device", "virtio-blk-pci,drive=seed")
	}
	args = append(args,
		"-netdev", fmt.Sprintf("user,id=net,hostfwd=tcp:127.0.0.1:%d-:22", c.Port),
		"-device", "virtio-net-pci,netdev=net,romfile=",
		"-device", "virtio-rng-pci")
	if strings.Contains(m.Type, "i440fx") || m.Type == "pc" {
		args = append(args, "-device", "pvpanic")
	} else {
		args = append(args, "-device", "pvpanic-pci")
	}
	args = append(args, c.nvme()...)
	return append(args, m.ExtraArgs...)
}

func (c Command) machine() string {
	// Without graphics the firmware and the boot loader use the serial console.
	text := c.Machine.Type + ",graphics=off"
	if c.Machine.IOMMU && c.Accel == KVM {
		text += ",kernel_irqchip=split"
	}
	if c.Machine.Hugepages != 0 {
		text += ",memory-backend=memory"
	}
	return text
}

func (c Command) cpu() string {
	switch {
	case c.Machine.CPU != "":
		return c.Machine.CPU
	case c.Accel == KVM:
		return "host"
	}
	return "max"
}

func (c Command) memory() []string {
	size := fmt.Sprintf("%dM", c.Machine.Memory/machine.MiB)
	if c.Machine.Hugepages == 0 {
		return []string{"-m", size}
	}
	return []string{"-m", size, "-object", fmt.Sprintf("memory-backend-memfd,id=memory,size=%s,share=on,prealloc=on,hugetlb=on,hugetlbsize=%s", size, c.Machine.Hugepages)}
}

// nvme returns the devices in an order that QEMU takes: ports, subsystems,
// controllers, namespaces.
func (c Command) nvme() []string {
	var ports, devices []string
	if c.Machine.Switch && len(c.Machine.NVMe) > 0 {
		ports = append(ports, "-device", "pcie-root-port,id=root,chassis=1,slot=1", "-device", "x3130-upstream,id=switch,bus=root")
	}
	controllers, files := 0, 0
	for i, s := range c.Machine.NVMe {
		devices = append(devices, "-device", fmt.Sprintf("nvme-subsys,id=subsys%d,nqn=%s", i, s.NQN))
		for j := range s.Controllers {
			device := fmt.Sprintf("nvme,id=%s,serial=%s,subsys=subsys%d", controller(i, j+1), s.Serial, i)
			if c.Machine.Switch {
				device += fmt.Sprintf(",bus=port%d", controllers)
				ports = append(ports, "-device", fmt.Sprintf("xio3130-downstream,id=port%d,bus=switch,chassis=2,slot=%d", controllers, controllers))
			}
			controllers++
			devices = append(devices, "-device", device)
		}
		for _, ns := range s.Namespaces {
			devices = append(devices, namespace(i, ns, c.Namespaces[files])...)
			files++
		}
	}
	return append(ports, devices...)
}

func controller(subsystem, number int) string { return fmt.Sprintf("nvme%d-%d", subsystem, number) }

func namespace(subsystem int, ns machine.Namespace, file string) []string {
	bus, shared := controller(subsystem, 1), "on"
	if ns.Controller != 0 {
		bus, shared = controller(subsystem, ns.Controller), "off"
	}
	id := fmt.Sprintf("ns%d-%d", subsystem, ns.ID)
	device := fmt.Sprintf("nvme-ns,id=%s,drive=%s-file,bus=%s,nsid=%d,shared=%s,logical_block_size=%d,physical_block_size=%d",
		id, id, bus, ns.ID, shared, ns.BlockSize, ns.BlockSize)
	if ns.Metadata > 0 {
		device += fmt.Sprintf(",ms=%d", ns.Metadata)
	}
	return []string{
		"-drive", fmt.Sprintf("if=none,id=%s-file,cache=unsafe,discard=unmap,format=raw,file=%s", id, escape(file)),
		"-device", device,
	}
}

// escape writes a path as a value of QEMU's option lists: a comma ends a value
// unless it is doubled.
func escape(path string) string { return strings.ReplaceAll(path, ",", ",,") }

// Line returns the command as a person can paste it into a shell.
func (c Command) Line() string {
	words := []string{Quote(c.Program)}
	for _, arg := range c.Args() {
		words = append(words, Quote(arg))
	}
	return strings.Join(words, " ")
}

// Quote writes a word for a POSIX shell.
func Quote(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
