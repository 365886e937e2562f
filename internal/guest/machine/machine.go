// SPDX-License-Identifier: BSD-3-Clause

// Package machine describes the computer that a guest runs on: processors,
// memory, IOMMU and NVMe devices, from a file and from flags, with every
// mistake told at once.
//
// It does not know how QEMU is told about it (that is guest/qemu) and touches
// no file.
package machine

// Machine is a description. The zero value, after Fill, is a small machine
// without NVMe devices.
type Machine struct {
	// Type is QEMU's machine type: q35 or pc, or a version of them.
	Type string `json:"type,omitempty"`
	// CPUs is their number, CPU the model; "" is the host's own under KVM and
	// everything that QEMU can do otherwise.
	CPUs int    `json:"cpus,omitempty"`
	CPU  string `json:"cpu,omitempty"`
	// Memory is what the guest has, Hugepages the size of the host's huge pages
	// (2M or 1G) that hold it; 0 uses ordinary pages.
	Memory    Size `json:"memory,omitempty"`
	Hugepages Size `json:"hugepages,omitempty"`
	// IOMMU adds Intel's, with interrupt remapping and a split irqchip.
	IOMMU bool `json:"iommu,omitempty"`
	// Switch puts the NVMe controllers behind a PCIe root port and the ports of
	// one switch, instead of onto the root bus.
	Switch bool `json:"pcie-switch,omitempty"`
	// NVMe are the subsystems.
	NVMe []Subsystem `json:"nvme,omitempty"`
	// ExtraArgs are appended to QEMU's arguments as they are.
	ExtraArgs []string `json:"extra-args,omitempty"`
}

// Subsystem is an NVMe subsystem.
type Subsystem struct {
	// NQN is the end of its name; QEMU puts nqn.2019-08.org.qemu: in front. ""
	// makes one up.
	NQN string `json:"nqn,omitempty"`
	// Serial is the serial number that all its controllers show, up to 20
	// characters; "" makes one up.
	Serial string `json:"serial,omitempty"`
	// Controllers is how many controllers, which are PCIe devices, it has; 0 is
	// one.
	Controllers int `json:"controllers,omitempty"`
	// Namespaces are its namespaces; all are empty at the start.
	Namespaces []Namespace `json:"namespaces,omitempty"`
}

// Namespace is an NVMe namespace backed by a sparse raw file.
type Namespace struct {
	// ID is the namespace's number; 0 takes the lowest that is free.
	ID int `json:"id,omitempty"`
	// Size is its capacity, a multiple of BlockSize.
	Size Size `json:"size"`
	// BlockSize is that of a logical block: 512 (the default), 1K, 2K or 4K.
	BlockSize Size `json:"block-size,omitempty"`
	// Metadata is how many bytes of metadata each block has: 0, 8, 16 or 64.
	Metadata int `json:"metadata,omitempty"`
	// Controller is the one controller that sees this namespace, counted from 1;
	// 0 shares it among all controllers of the subsystem.
	Controller int `json:"controller,omitempty"`
}

// FileSize is what the file behind the namespace must hold: QEMU keeps the
// metadata of all blocks in it, too.
func (n Namespace) FileSize() Size {
	return n.Size / n.BlockSize * (n.BlockSize + Size(n.Metadata))
}
