// SPDX-License-Identifier: BSD-3-Clause

package machine

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// Limits of QEMU's devices (hw/nvme/nvme.h), and of what makes sense.
const (
	maxCPUs        = 255 // more need an extended interrupt mode
	maxControllers = 24  // slots that are free on the root bus
	maxNamespaces  = 256
	maxSerial      = 20
	maxNQN         = 200 // of 223, since QEMU puts "nqn.2019-08.org.qemu:" in front
	maxMemory      = 16 * TiB
	minMemory      = 64 * MiB
	minNamespace   = 1 * MiB
	maxNamespace   = 64 * TiB
)

var (
	machineType = regexp.MustCompile(`^(q35|pc|pc-(q35|i440fx)-[0-9][a-z0-9.-]{0,30})$`)
	cpuModel    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._,=+-]{0,200}$`)
	serial      = regexp.MustCompile(`^[A-Za-z0-9._-]{1,20}$`)
	nqn         = regexp.MustCompile(`^[A-Za-z0-9.:_-]{1,200}$`)
	blockSizes  = []Size{512, 1 * KiB, 2 * KiB, 4 * KiB}
	metadata    = []int{0, 8, 16, 64}
)

// fill sets everything that was not given.
func (m *Machine) fill() {
	if m.Type == "" {
		m.Type = "q35"
	}
	if m.CPUs == 0 {
		m.CPUs = 2
	}
	if m.Memory == 0 {
		m.Memory = 2 * GiB
	}
	for i := range m.NVMe {
		m.NVMe[i].fill(i)
	}
}

func (s *Subsystem) fill(i int) {
	if s.NQN == "" {
		s.NQN = fmt.Sprintf("subsys%d", i)
	}
	if s.Serial == "" {
		s.Serial = fmt.Sprintf("DISPATCHER%d", i)
	}
	if s.Controllers == 0 {
		s.Controllers = 1
	}
	taken := map[int]bool{}
	for _, ns := range s.Namespaces {
		taken[ns.ID] = true
	}
	free := 1
	for j := range s.Namespaces {
		ns := &s.Namespaces[j]
		if ns.BlockSize == 0 {
			ns.BlockSize = 512
		}
		for ; ns.ID == 0 && taken[free]; free++ {
		}
		if ns.ID == 0 {
			ns.ID, taken[free] = free, true
		}
	}
}

// check notes everything that is wrong.
func (m *Machine) check(d *strictyaml.Document) {
	if !machineType.MatchString(m.Type) {
		d.Fail("type", "write q35 or pc; other machines have no place for these devices", "there is no machine type %s here", strictyaml.Quote(m.Type))
	} else if isPC := m.Type == "pc" || len(m.Type) > 9 && m.Type[:9] == "pc-i440fx"; isPC && m.IOMMU {
		d.Fail("iommu", "use the type q35", "the machine type %s cannot have an IOMMU", strictyaml.Quote(m.Type))
	} else if isPC && m.Switch {
		d.Fail("pcie-switch", "use the type q35", "the machine type %s has no PCI Express", strictyaml.Quote(m.Type))
	}
	if m.CPUs < 1 || m.CPUs > maxCPUs {
		d.Fail("cpus", fmt.Sprintf("write a number from 1 to %d", maxCPUs), "there cannot be %d processors", m.CPUs)
	}
	if m.CPU != "" && !cpuModel.MatchString(m.CPU) {
		d.Fail("cpu", "qemu-system-x86_64 -cpu help lists them", "there is no processor model %s", strictyaml.Quote(m.CPU))
	}
	if m.Memory < minMemory || m.Memory > maxMemory || m.Memory%MiB != 0 {
		d.Fail("memory", fmt.Sprintf("write a size from %s to %s, for example 4G", minMemory, maxMemory), "the guest cannot have %s of memory", m.Memory)
	}
	if h := m.Hugepages; h != 0 && h != 2*MiB && h != GiB {
		d.Fail("hugepages", "write 2M or 1G; this is the size of a page, the guest's memory is set by memory", "there are no huge pages of %s", h)
	} else if h != 0 && m.Memory%h != 0 {
		d.Fail("memory", fmt.Sprintf("write a multiple of %s", h), "the memory of %s cannot be made of pages of %s", m.Memory, h)
	}
	m.checkNVMe(d)
	for i, arg := range m.ExtraArgs {
		if arg == "" || slices.Contains([]byte(arg), 0) {
			d.Fail(fmt.Sprintf("extra-args[%d]", i), "remove it", "an empty argument is none")
		}
	}
}

func (m *Machine) checkNVMe(d *strictyaml.Document) {
	controllers := 0
	serials, nqns := map[string]bool{}, map[string]bool{}
	for i, s := range m.NVMe {
		path := fmt.Sprintf("nvme[%d]", i)
		if !nqn.MatchString(s.NQN) {
			d.Fail(path+".nqn", fmt.Sprintf("use letters, digits and . : _ -, %d at most", maxNQN), "%s cannot be the name of a subsystem", strictyaml.Quote(s.NQN))
		} else if nqns[s.NQN] {
			d.Fail(path+".nqn", "give each subsystem a name of its own, or none", "another subsystem is named %s, too", strictyaml.Quote(s.NQN))
		}
		if !serial.MatchString(s.Serial) {
			d.Fail(path+".serial", fmt.Sprintf("use letters, digits and . _ -, %d at most", maxSerial), "%s cannot be a serial number", strictyaml.Quote(s.Serial))
		} else if serials[s.Serial] {
			d.Fail(path+".serial", "give each subsystem a serial number of its own, or none", "another subsystem has the serial number %s, too", strictyaml.Quote(s.Serial))
		}
		nqns[s.NQN], serials[s.Serial] = true, true
		switch before := controllers; {
		case s.Controllers < 1:
			d.Fail(path+".controllers", fmt.Sprintf("write a number from 1 to %d", maxControllers), "there cannot be %d controllers", s.Controllers)
		case before <= maxControllers && s.Controllers > maxControllers-before:
			d.Fail(path+".controllers", "", "there are more than %d NVMe controllers", maxControllers)
			controllers = maxControllers + 1
		default:
			controllers += s.Controllers
		}
		s.checkNamespaces(d, path)
	}
}

func (s *Subsystem) checkNamespaces(d *strictyaml.Document, subsystem string) {
	if len(s.Namespaces) > maxNamespaces {
		d.Fail(fmt.Sprintf("%s.namespaces[%d]", subsystem, maxNamespaces), "", "a subsystem has %d namespaces at most, this one has %d", maxNamespaces, len(s.Namespaces))
	}
	ids := map[int]bool{}
	for i, ns := range s.Namespaces {
		path := fmt.Sprintf("%s.namespaces[%d]", subsystem, i)
		if ns.ID < 1 || ns.ID > maxNamespaces {
			d.Fail(path+".id", fmt.Sprintf("write a number from 1 to %d, or leave it out", maxNamespaces), "a namespace cannot have the number %d", ns.ID)
		} else if ids[ns.ID] {
			d.Fail(path+".id", "give each namespace a number of its own, or none", "another namespace of the subsystem has the number %d, too", ns.ID)
		}
		ids[ns.ID] = true
		switch {
		case !slices.Contains(blockSizes, ns.BlockSize):
			d.Fail(path+".block-size", "write 512, 1K, 2K or 4K", "a block cannot have %s bytes", ns.BlockSize)
		case ns.Size < minNamespace || ns.Size > maxNamespace:
			d.Fail(path+".size", fmt.Sprintf("write a size from %s to %s", minNamespace, maxNamespace), "a namespace cannot have %s bytes", ns.Size)
		case ns.Size%ns.BlockSize != 0:
			d.Fail(path+".size", "make the size a multiple of the block size", "the size %s is not made of whole blocks of %s", ns.Size, ns.BlockSize)
		}
		if !slices.Contains(metadata, ns.Metadata) {
			d.Fail(path+".metadata", "write 0, 8, 16 or 64", "a block cannot have %d bytes of metadata", ns.Metadata)
		}
		if ns.Controller < 0 || ns.Controller > s.Controllers {
			d.Fail(path+".controller", "count them from 1, or leave it out to share the namespace", "the subsystem has no controller %d", ns.Controller)
		}
	}
}
