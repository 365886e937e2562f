// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package qemu

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/kdomanski/iso9660"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// userData is what matters here of the file that cloud-init reads.
type userData struct {
	Users []struct {
		Name string   `json:"name"`
		Keys []string `json:"ssh_authorized_keys"`
	} `json:"users"`
	Keys map[string]string `json:"ssh_keys"`
}

// readSeed does what cloud-init does: it looks for the files on the disk.
func readSeed(path string) (userData, error) {
	var data userData
	f, err := os.Open(path)
	if err != nil {
		return data, err
	}
	defer f.Close()
	image, err := iso9660.OpenImage(f)
	if err != nil {
		return data, err
	}
	if label, err := image.Label(); err != nil || label != "cidata" {
		return data, fmt.Errorf("the seed has the label %q, %w", label, err)
	}
	root, err := image.RootDir()
	if err != nil {
		return data, err
	}
	files, err := root.GetChildren()
	if err != nil {
		return data, err
	}
	for _, file := range files {
		if file.Name() != "user-data" {
			continue
		}
		text, err := io.ReadAll(file.Reader())
		if err != nil {
			return data, err
		}
		rest, ok := strings.CutPrefix(string(text), "#cloud-config\n")
		if !ok {
			return data, errors.New("user-data does not begin with #cloud-config")
		}
		return data, json.Unmarshal([]byte(rest), &data)
	}
	return data, errors.New("there is no user-data")
}

// serveSSH answers on the forwarded port.
func (m *machine) serveSSH(l net.Listener) error {
	data, err := readSeed(m.between("readonly=on,format=raw,file=", ""))
	if err != nil {
		return err
	}
	host, err := ssh.ParsePrivateKey([]byte(data.Keys["ed25519_private"]))
	if err != nil {
		return err
	}
	if m.does[Stranger] {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			return err
		}
		if host, err = ssh.NewSignerFromKey(key); err != nil {
			return err
		}
	}
	client, _, _, _, err := ssh.ParseAuthorizedKey([]byte(data.Users[0].Keys[0]))
	if err != nil {
		return err
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if m.does[Locked] || c.User() != data.Users[0].Name || string(key.Marshal()) != string(client.Marshal()) {
			return nil, errors.New("not you")
		}
		return nil, nil
	}}
	config.AddHostKey(host)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go m.serveConn(conn, config)
		}
	}()
	return nil
}

func (m *machine) serveConn(conn net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		if offered.ChannelType() != "session" {
			offered.Reject(ssh.UnknownChannelType, "no")
			continue
		}
		if channel, requests, err := offered.Accept(); err == nil {
			go m.serveSession(channel, requests)
		}
	}
}

// serveSession runs one command, or SFTP.
func (m *machine) serveSession(channel ssh.Channel, requests <-chan *ssh.Request) {
	home := filepath.Join(m.dir, "home")
	var cmd *exec.Cmd
	for r := range requests {
		var text struct{ Text string }
		ssh.Unmarshal(r.Payload, &text) // what it cannot read stays empty
		switch {
		case r.Type == "exec" && cmd == nil:
			m.note("commands", text.Text)
			cmd = exec.Command("sh", "-c", text.Text)
			cmd.Dir, cmd.Env = home, append(os.Environ(), "HOME="+home, fmt.Sprintf("QEMU_PID=%d", os.Getpid()))
			copies, err := startSession(channel, cmd)
			r.Reply(err == nil, nil)
			if err == nil {
				go finish(channel, cmd, copies)
			}
		case r.Type == "signal" && cmd != nil:
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may be gone
		case r.Type == "subsystem" && text.Text == "sftp":
			r.Reply(true, nil)
			server, err := sftp.NewServer(channel, sftp.WithServerWorkingDirectory(home))
			if err != nil {
				return
			}
			go func() {
				server.Serve()
				channel.Close()
			}()
		default:
			r.Reply(false, nil)
		}
	}
}

// startSession starts a command with pipes of its own, as OpenSSH's server does
// without a terminal: its end is told at once, and the channel stays open as long
// as anybody holds the output (do_exec_no_pty and session_exit_message in
// session.c). It returns what copies the output.
func startSession(channel ssh.Channel, cmd *exec.Cmd) (*sync.WaitGroup, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	copies := new(sync.WaitGroup)
	var ours []io.Closer
	for _, c := range []struct {
		to   io.Writer
		file *io.Writer
	}{{channel, &cmd.Stdout}, {channel.Stderr(), &cmd.Stderr}} {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		*c.file = w
		ours = append(ours, w)
		copies.Go(func() {
			io.Copy(c.to, r)
			r.Close()
		})
	}
	go func() {
		io.Copy(in, channel)
		in.Close()
	}()
	err = cmd.Start()
	for _, c := range ours {
		c.Close() // the command has them
	}
	return copies, err
}

// finish waits for a command and tells how it ended (RFC 4254, section 6.10).
func finish(channel ssh.Channel, cmd *exec.Cmd, copies *sync.WaitGroup) {
	cmd.Wait()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		names := map[syscall.Signal]string{syscall.SIGKILL: "KILL", syscall.SIGTERM: "TERM", syscall.SIGSEGV: "SEGV", syscall.SIGABRT: "ABRT"}
		channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Signal   string
			Core     bool
			Text, In string
		}{names[status.Signal()], false, "", ""}))
	} else {
		channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status.ExitStatus())}))
	}
	copies.Wait()
	channel.Close()
}
