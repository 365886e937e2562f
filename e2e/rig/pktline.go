// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// refUpdate is one command of a push.
type refUpdate struct{ old, new string }

// command returns the arguments of the git that carries the update out.
func (u refUpdate) command(ref string) []string {
	if strings.Trim(u.new, "0") == "" {
		return []string{"update-ref", "-d", ref, u.old}
	}
	return []string{"update-ref", ref, u.new, u.old}
}

// readPkt reads one pkt-line; a flush is nil.
func readPkt(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(string(size[:]), 16, 16)
	if err != nil || n != 0 && n < 4 {
		return nil, fmt.Errorf("%q is no size of a pkt-line", size)
	}
	if n == 0 {
		return nil, nil
	}
	line := make([]byte, n-4)
	_, err = io.ReadFull(r, line)
	return line, err
}

// readUpdates reads the commands at the head of a push, by ref.
func readUpdates(r io.Reader) (map[string]refUpdate, error) {
	updates := map[string]refUpdate{}
	for {
		line, err := readPkt(r)
		if err != nil || line == nil {
			return updates, err
		}
		text, _, _ := strings.Cut(string(line), "\x00")
		fields := strings.Fields(text)
		if len(fields) != 3 {
			return nil, fmt.Errorf("%q is no command", text)
		}
		updates[fields[2]] = refUpdate{fields[0], fields[1]}
	}
}

// splitBands takes the report out of a banded answer. The rest, banded as it was,
// is what comes before it.
func splitBands(answer []byte) (report []string, rest []byte) {
	var text bytes.Buffer
	for r := bytes.NewReader(answer); ; {
		line, err := readPkt(r)
		if err != nil || len(line) == 0 {
			break
		}
		if line[0] == 1 {
			text.Write(line[1:])
		} else {
			rest = append(rest, pkt(line[0], line[1:])...)
		}
	}
	for {
		line, err := readPkt(&text)
		if err != nil || line == nil {
			return report, rest
		}
		report = append(report, strings.TrimSuffix(string(line), "\n"))
	}
}

// banded is the end of an answer to a push: the report, and a flush.
func banded(report []string) []byte {
	var text bytes.Buffer
	for _, line := range report {
		fmt.Fprintf(&text, "%04x%s\n", len(line)+5, line)
	}
	text.WriteString("0000")
	var out []byte
	for text.Len() > 0 {
		out = append(out, pkt(1, text.Next(65515))...)
	}
	return append(out, "0000"...)
}

// pkt is one pkt-line of a band.
func pkt(band byte, data []byte) []byte {
	return append(fmt.Appendf(nil, "%04x%c", len(data)+5, band), data...)
}
