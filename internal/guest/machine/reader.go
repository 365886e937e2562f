// SPDX-License-Identifier: BSD-3-Clause

package machine

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// Flag is one setting that a command line may have.
type Flag struct {
	// Name is the flag's; Switch says that it needs no value.
	Name        string
	Switch      bool
	Description string
}

// Flags are all of them.
func Flags() []Flag {
	return []Flag{
		{Name: "cpus", Description: "`number` of processors (default 2)"},
		{Name: "cpu", Description: "QEMU's processor `model` (default: the host's under KVM, else all that QEMU can do)"},
		{Name: "memory", Description: "memory of the guest, a `size` like 512M or 12G (default 2G)"},
		{Name: "hugepages", Description: "`size` of the host's huge pages to hold that memory: 2M or 1G (default: ordinary pages)"},
		{Name: "machine-type", Description: "QEMU's machine `type`: q35, pc, or a version of them (default q35)"},
		{Name: "iommu", Switch: true, Description: "add an Intel IOMMU with interrupt remapping"},
		{Name: "pcie-switch", Switch: true, Description: "put NVMe controllers behind a PCIe root port and a switch"},
		{Name: "nvme", Description: "add an NVMe subsystem with these `namespaces`: SIZE[/BLOCK]+SIZE...[,controllers=N][,nqn=NAME]; may be repeated"},
		{Name: "qemu-arg", Description: "add one `argument` to QEMU's, as it is; may be repeated"},
	}
}

// Reader gathers a description from a file and from flags, which win. Lists
// from flags are added to the file's.
type Reader struct {
	machine Machine
	doc     *strictyaml.Document
}

// NewReader begins with a file's text, YAML or JSON, or with nothing if name
// is empty.
func NewReader(name string, data []byte) *Reader {
	r := &Reader{doc: new(strictyaml.Document)}
	if name != "" {
		r.doc = strictyaml.Decode(name, data, &r.machine)
	}
	return r
}

// Set takes a flag.
func (r *Reader) Set(name, text string) {
	path, err := r.set(name, text)
	place := "--" + name
	if text != "true" { // that of a switch
		place += " " + change.OneLine(change.Clip(text, 60))
	}
	r.doc.Name(path, strings.TrimSpace(place))
	if err != nil {
		r.doc.Fail(path, fault.HintOf(err), "%s", err.Error())
	}
}

// Machine returns the whole description with everything filled in. The error
// is a fault.Configuration that holds strictyaml.Problems.
func (r *Reader) Machine() (Machine, error) {
	r.refuseZeros()
	r.machine.fill()
	r.machine.check(r.doc)
	return r.machine, r.doc.Err()
}

// refuseZeros complains about numbers that mean "not given" where they were.
func (r *Reader) refuseZeros() {
	refuse := func(path string, zero bool) {
		if zero && r.doc.Given(path) {
			r.doc.Fail(path, "write another number, or leave it out", "this cannot be 0")
		}
	}
	refuse("cpus", r.machine.CPUs == 0)
	refuse("memory", r.machine.Memory == 0)
	for i, s := range r.machine.NVMe {
		refuse(fmt.Sprintf("nvme[%d].controllers", i), s.Controllers == 0)
		for j, ns := range s.Namespaces {
			path := fmt.Sprintf("nvme[%d].namespaces[%d]", i, j)
			refuse(path+".id", ns.ID == 0)
			refuse(path+".block-size", ns.BlockSize == 0)
		}
	}
}

// set returns the path of what the flag describes.
func (r *Reader) set(name, text string) (path string, err error) {
	m := &r.machine
	switch name {
	case "cpus":
		m.CPUs, err = parseNumber(text)
	case "cpu":
		m.CPU = text
	case "memory":
		m.Memory, err = ParseSize(text)
	case "hugepages":
		m.Hugepages, err = ParseSize(text)
	case "machine-type":
		m.Type, name = text, "type"
	case "iommu":
		m.IOMMU, err = parseSwitch(text)
	case "pcie-switch":
		m.Switch, err = parseSwitch(text)
	case "nvme":
		var s Subsystem
		s, err = ParseSubsystem(text)
		name = fmt.Sprintf("nvme[%d]", len(m.NVMe))
		m.NVMe = append(m.NVMe, s)
	case "qemu-arg":
		name = fmt.Sprintf("extra-args[%d]", len(m.ExtraArgs))
		m.ExtraArgs = append(m.ExtraArgs, text)
	}
	return name, err
}

func parseNumber(text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, fault.New(fault.Configuration, "%s is not a number", strictyaml.Quote(text)).WithHint("write a whole number")
	}
	return int(n), nil
}

func parseSwitch(text string) (bool, error) {
	on, err := strconv.ParseBool(text)
	if err != nil {
		return false, fault.New(fault.Configuration, "%s is neither true nor false", strictyaml.Quote(text)).WithHint("write true or false")
	}
	return on, nil
}
