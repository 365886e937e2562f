// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// maxLine is the longest payload of a packet line, gitprotocol-common(5), less
// the side-band's byte.
const maxLine = 65515

// rewriteReport puts reasons in the place of "hook declined" in the answer to a
// push: packet lines, or packet lines in band 1 of side-band-64k
// (gitprotocol-pack(5), "Report Status").
func rewriteReport(body []byte, reasons map[string]string) []byte {
	outer := packetLines(body)
	if len(outer) == 0 || len(outer[0]) == 0 || outer[0][0] > 3 {
		return rewriteLines(outer, reasons)
	}
	var out bytes.Buffer
	var report []byte
	for _, line := range outer {
		switch {
		case len(line) == 0:
		case line[0] == 1:
			report = append(report, line[1:]...)
		default:
			writePacket(&out, line)
		}
	}
	report = rewriteLines(packetLines(report), reasons)
	for len(report) > 0 {
		n := min(len(report), maxLine)
		writePacket(&out, append([]byte{1}, report[:n]...))
		report = report[n:]
	}
	out.WriteString("0000")
	return out.Bytes()
}

func rewriteLines(lines [][]byte, reasons map[string]string) []byte {
	var out bytes.Buffer
	for _, line := range lines {
		ref, why, ok := strings.Cut(strings.TrimPrefix(string(line), "ng "), " ")
		if reason, refused := reasons[ref]; refused && ok && strings.HasPrefix(string(line), "ng ") && strings.TrimSpace(why) == "hook declined" {
			line = fmt.Appendf(nil, "ng %s %s\n", ref, reason)
		}
		writePacket(&out, line)
	}
	out.WriteString("0000")
	return out.Bytes()
}

// packetLines splits a stream into payloads; flush packets are left out, and so
// is what follows a malformed length.
func packetLines(data []byte) [][]byte {
	var lines [][]byte
	for len(data) >= 4 {
		n, err := strconv.ParseUint(string(data[:4]), 16, 16)
		if err != nil || int(n) > len(data) {
			break
		}
		if n < 4 {
			data = data[4:]
			continue
		}
		lines = append(lines, data[4:n])
		data = data[n:]
	}
	return lines
}

func writePacket(out *bytes.Buffer, payload []byte) {
	fmt.Fprintf(out, "%04x", len(payload)+4)
	out.Write(payload)
}
