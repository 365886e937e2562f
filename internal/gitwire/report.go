// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

const (
	// maxReport bounds the bytes of a report: one line of some hundred bytes
	// for each of ten thousand refs fits well.
	maxReport = 16 << 20
	// maxReason bounds what is kept of a server's text for one ref.
	maxReason = 400
)

// readReport reads receive-pack's answer: pkt-lines inside of channel 1 where
// the server does side-band, plain pkt-lines where it does not.
func readReport(body io.Reader, commands []Command) (*Report, error) {
	outer := newPacketReader(io.LimitReader(body, maxReport))
	first, err := outer.r.Peek(5)
	banded := err == nil && first[4] >= dataChannel && first[4] <= errorChannel
	if !banded {
		return parseReport(outer, commands)
	}
	band := &demux{packets: outer}
	report, err := parseReport(newPacketReader(band), commands)
	if err == nil {
		// Hooks may have more to say. What they do cannot change the report.
		io.Copy(io.Discard, band)
		report.Messages = band.progress.String()
	} else if said := band.progress.String(); said != "" {
		err = fmt.Errorf("%w; the server said: %s", err, printable(said, maxReason))
	}
	return report, err
}

// parseReport reads "unpack STATUS" and then "ok REF" or "ng REF REASON" for
// each command, up to a flush packet (gitprotocol-pack(5), Report Status).
// Option lines of report-status-v2 are skipped, and so are unknown refs.
func parseReport(packets *packetReader, commands []Command) (*Report, error) {
	kind, line, err := packets.line()
	if err != nil {
		return nil, err
	}
	unpack, ok := bytes.CutPrefix(line, []byte("unpack "))
	if kind != dataPacket || !ok {
		return nil, malformed("%q came instead of a report", printable(string(line), 80))
	}
	report := &Report{Unpack: printable(string(unpack), maxReason)}
	results := map[string]string{}
	for {
		kind, line, err := packets.line()
		switch {
		case err != nil:
			return nil, err
		case kind == flushPacket:
			report.Results = inOrder(results, commands)
			return report, nil
		case kind != dataPacket:
			return nil, malformed("a special packet is in the report")
		}
		if err := parseResult(string(line), results); err != nil {
			return nil, err
		}
	}
}

func parseResult(line string, results map[string]string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "ok":
		results[rest] = ""
	case "ng":
		ref, reason, _ := strings.Cut(rest, " ")
		if reason = printable(reason, maxReason); reason == "" {
			reason = "refused without a reason"
		}
		results[ref] = reason
	case "option":
	default:
		return malformed("%q is not a line of a report", printable(line, 80))
	}
	return nil
}

// inOrder gives each command its result.
func inOrder(results map[string]string, commands []Command) []Result {
	ordered := make([]Result, len(commands))
	for i, c := range commands {
		reason, ok := results[c.Ref]
		if !ok {
			reason = "the server's report does not mention it"
		}
		ordered[i] = Result{Ref: c.Ref, Reason: reason}
	}
	return ordered
}
