// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

// Package qemu plays QEMU and qemu-img for tests of guests: a test binary that
// is executed again serves QMP on the socket and SSH on the port that its
// command line names, with the keys from the seed that it was given.
//
// Commands of the "guest" run on this machine, in a folder of their own. No
// kernel boots, and disks are looked at by name only.
package qemu

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// The behaviours, which may be joined by commas.
const (
	// Refuses to start, as QEMU does with arguments that it does not like.
	Broken = "broken"
	// PortTaken fails the first time, because of the port.
	PortTaken = "port-taken"
	// Silent boots, but no SSH server comes up.
	Silent = "silent"
	// Stranger has another host key than the seed's; Locked lets nobody in.
	Stranger, Locked = "stranger", "locked"
	// Panics while it boots; Unbootable has nothing on its disk.
	Panics, Unbootable = "panics", "unbootable"
	// Deaf does not look at the power button.
	Deaf = "deaf"
	// KVMWorks, KVMHangs: what the probe for KVM finds; it fails otherwise.
	KVMWorks, KVMHangs = "kvm-works", "kvm-hangs"
	// KVMStalls: the probe passes, and a guest gets as far as GRUB's greeting. Seen
	// in a virtual machine without vmx or svm whose /dev/kvm is kvm_pvm's, which
	// emulates what is not a kernel made for it (virt-pvm/misc,
	// pvm-get-started-with-kata.md; virt-pvm/linux#22).
	KVMStalls = "kvm-stalls"
	// KVMDies: QEMU ends when it starts a guest under KVM. Seen in the same place.
	KVMDies = "kvm-dies"
	// Reads: a guest that says nothing reads its disk; Writes: it has written to it.
	// Prompt: it lets somebody log in on its console.
	Reads, Writes, Prompt = "reads", "writes", "prompt"
	// BadImage: qemu-img cannot read it; Truncated: it finds it damaged;
	// Foreign: it has another format.
	BadImage, Truncated, Foreign = "bad-image", "truncated", "foreign"
)

// Signals that a command of the guest sends to $QEMU_PID, to have something
// happen to its own machine.
const (
	PanicSignal     = syscall.SIGUSR1
	ResetSignal     = syscall.SIGUSR2
	DiskFullSignal  = syscall.SIGHUP
	behaviourName   = "STANDIN_QEMU"
	folderName      = "STANDIN_QEMU_DIR"
	probeExitStatus = 33
)

// Programs writes two programs into dir, which behave as told, and returns
// their paths. The test's TestMain must call Play.
func Programs(dir string, behaviour ...string) (qemu, img string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", "", err
	}
	for _, p := range []struct {
		path *string
		name string
	}{{&qemu, "qemu"}, {&img, "img"}} {
		*p.path = filepath.Join(dir, p.name)
		words := strings.Join(append([]string{p.name}, behaviour...), ",")
		// With the race detector every program would sleep a second at its end.
		text := fmt.Sprintf("#!/bin/sh\nGORACE=atexit_sleep_ms=0 %s='%s' %s='%s' exec '%s' \"$@\"\n", behaviourName, words, folderName, dir, self)
		if err := writeProgram(*p.path, text); err != nil {
			return "", "", err
		}
	}
	return qemu, img, os.MkdirAll(filepath.Join(dir, "home"), 0o755)
}

// writeProgram writes a file that can be executed at once: a process that
// another test starts meanwhile must not inherit the file while it is open for
// writing ("text file busy").
func writeProgram(path, text string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, []byte(text), 0o755)
}

// Play turns this process into the program, if it was started as one.
func Play() {
	words := strings.Split(os.Getenv(behaviourName), ",")
	m := &machine{args: os.Args[1:], does: map[string]bool{}, dir: os.Getenv(folderName)}
	for _, w := range words[1:] {
		m.does[w] = true
	}
	switch words[0] {
	case "qemu":
		os.Exit(m.run())
	case "img":
		os.Exit(m.image())
	}
}

// machine is one run of the program.
type machine struct {
	args []string
	does map[string]bool
	dir  string
	mon  monitor
}

func (m *machine) fail(format string, args ...any) int {
	fmt.Fprintf(os.Stderr, "qemu-system-x86_64: "+format+"\n", args...)
	return 1
}

// between returns what stands behind begin in the argument that has it.
func (m *machine) between(begin, end string) string {
	for _, arg := range m.args {
		if _, rest, ok := strings.Cut(arg, begin); ok {
			if end == "" {
				return rest
			}
			text, _, _ := strings.Cut(rest, end)
			return text
		}
	}
	return ""
}

// after returns the argument behind a flag.
func (m *machine) after(flag string) string {
	if i := slices.Index(m.args, flag); i >= 0 && i+1 < len(m.args) {
		return m.args[i+1]
	}
	return ""
}

func (m *machine) run() int {
	// Every start is written down, for tests to count.
	if err := m.note("starts", strings.Join(m.args, " ")); err != nil {
		return m.fail("%v", err)
	}
	if m.between("isa-debug-exit", "") != "" {
		return m.probe()
	}
	kvm := m.after("-accel") == "kvm"
	if m.does[KVMDies] && kvm {
		return m.fail("../../target/i386/kvm/kvm.c:3183: kvm_buf_set_msrs: Assertion `ret == cpu->kvm_msr_buf->nmsrs' failed.")
	}
	if m.does[Broken] {
		return m.fail("-device edu: Property 'edu.x' not found")
	}
	if _, err := os.Stat(filepath.Join(m.dir, PortTaken)); m.does[PortTaken] && err != nil {
		m.note(PortTaken, "once")
		return m.fail("-netdev user,id=net: Could not set up host forwarding rule 'tcp:127.0.0.1:1-:22'")
	}
	// The port is bound before the monitor speaks (net/slirp.c, slirp_hostfwd).
	rule := "tcp:127.0.0.1:" + m.between("hostfwd=tcp:127.0.0.1:", "-:22") + "-:22"
	port, err := net.Listen("tcp", strings.TrimSuffix(strings.TrimPrefix(rule, "tcp:"), "-:22"))
	if err != nil {
		return m.fail("-netdev user,id=net: Could not set up host forwarding rule '%s'", rule)
	}
	defer port.Close()
	if err := m.mon.serve(m.between("wait=off,path=", ""), m.does); err != nil {
		return m.fail("%v", err)
	}
	fmt.Println("\x1b[2J\x1b[01;01HSeaBIOS\r\n[    0.000000] Linux version 6.1 (stand-in)\r\n::error::a hostile line\r")
	switch {
	case m.does[KVMStalls] && kvm:
		fmt.Print("GRUB loading.\r\nWelcome to GRUB!\r\n\r\n")
	case m.does[Prompt]:
		fmt.Print("Debian GNU/Linux 12 guest ttyS0\r\n\r\nguest login: ")
	case m.does[Panics]:
		m.panic()
	case m.does[Unbootable]:
		fmt.Println("No bootable device.")
	case !m.does[Silent]:
		if err := m.serveSSH(port); err != nil {
			return m.fail("%v", err)
		}
	}
	m.obeySignals()
	return 0
}

func (m *machine) probe() int {
	switch {
	case m.does[KVMWorks], m.does[KVMStalls], m.does[KVMDies]:
		return probeExitStatus
	case m.does[KVMHangs]:
		select {}
	}
	return m.fail("failed to initialize kvm: Function not implemented")
}

func (m *machine) note(name, line string) error {
	f, err := os.OpenFile(filepath.Join(m.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, line)
	return err
}

func (m *machine) panic() {
	fmt.Println("[    1.000000] Kernel panic - not syncing: VFS: Unable to mount root fs\r")
	m.mon.event("GUEST_PANICKED", `{"action": "pause"}`)
}

// image plays qemu-img.
func (m *machine) image() int {
	switch {
	case m.args[0] == "info" && m.does[BadImage]:
		fmt.Fprintln(os.Stderr, "qemu-img: Could not open 'x': qcow2 header too short")
		return 1
	case m.args[0] == "info" && m.does[Foreign]:
		fmt.Println(`{"format": "vmdk", "virtual-size": 1073741824}`)
	case m.args[0] == "info":
		fmt.Println(`{"format": "qcow2", "virtual-size": 1073741824}`)
	case m.args[0] == "check" && m.does[Truncated]:
		fmt.Fprintln(os.Stderr, strings.Repeat("ERROR: counting reference for region exceeding the end of the file\n", 100))
		return 2
	case m.args[0] == "create":
		// create -q -f qcow2 -F FORMAT -b BASE OVERLAY [SIZE]
		if err := os.WriteFile(m.args[8], []byte(strings.Join(m.args, " ")), 0o600); err != nil {
			return m.fail("%v", err)
		}
	}
	return 0
}
