// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// moods are troubles of a mirror that have nothing to do with what is pushed: what a
// push is told then.
var moods = map[string]mood{
	// The hook fails, not the push: NixOS/nixpkgs#120947, go-gitea/gitea#22293.
	"gitlab": {reason: "pre-receive hook declined", messages: "GitLab: 500 Internal Server Error\n"},
	"gitea":  {reason: "pre-receive hook declined", messages: "Gitea: Internal Server Error\nUnable to contact gitea: context deadline exceeded\n"},
	"mute":   {reason: "pre-receive hook declined"},
	// github/spokes-receive-pack, go-git/go-git#725: the kernel ended index-pack.
	"killed": {unpack: "index-pack failed", reason: "error processing packfiles: signal: killed"},
	"disk":   {unpack: "unable to create temporary object directory", reason: "unpacker error"},
	// microsoft/vscode#182679.
	"outage": {reason: "failure", messages: "fatal error in commit_refs\n"},
	// A ruleset that somebody switched on for a while.
	"rules": {reason: "push declined due to repository rule violations", messages: "error: GH013: Repository rule violations found for %s.\n\n- Commit author email must match a given pattern.\n"},
	"413":   {status: http.StatusRequestEntityTooLarge},
	"503":   {status: http.StatusServiceUnavailable},
}

type mood struct {
	unpack, reason, messages string
	status                   int
}

// contents are refusals for what a patchset holds: for good.
var contents = map[string]mood{
	"big":    {reason: "pre-receive hook declined", messages: "error: GH001: Large files detected. You may want to try Git Large File Storage - https://git-lfs.github.com.\nerror: File lib/disk.img is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB\n"},
	"bad":    {unpack: "index-pack abnormal exit", reason: "unpacker error", messages: "error: object %s: missingEmail: invalid author/committer line - missing email\nfatal: fsck error in packed object\n"},
	"secret": {reason: "push declined due to repository rule violations", messages: "error: GH013: Repository rule violations found for %s.\n\n- GITHUB PUSH PROTECTION\n  Push cannot contain secrets\n"},
}

// upset puts a mirror into a mood: for so many pushes, or with 0 until it is well.
func (w *world) upset(which, name string, pushes int) error {
	if _, known := moods[name]; !known && name != "well" {
		return fmt.Errorf("there is no mood %q", name)
	}
	for i, s := range w.sites {
		if m := s.memory; m != nil && (which == "second") == (i > 0) {
			m.mood, m.left = name, pushes
		}
	}
	return nil
}

// upsets takes a mood for one push.
func (m *memory) upsets() (mood, bool) {
	now, upset := moods[m.mood]
	if upset && m.left > 0 {
		if m.left--; m.left == 0 {
			m.mood = "well"
		}
	}
	return now, upset
}

// order is one update of a push.
type order struct{ old, next, ref string }

// judge says what a push is told ref by ref ("" is yes), and what is printed.
func (m *memory) judge(orders []order) (unpack string, reasons []string, messages string) {
	all := func(now mood, about func(order) string) {
		unpack, messages = now.unpack, now.messages
		for _, o := range orders {
			reasons = append(reasons, now.reason)
			if strings.Contains(now.messages, "%s") && messages == now.messages {
				messages = fmt.Sprintf(now.messages, about(o))
			}
		}
	}
	if now, upset := m.upsets(); upset {
		all(now, func(o order) string { return o.ref })
		return unpack, reasons, messages
	}
	for _, o := range orders {
		switch c, ps := m.fresh(o.next, "big", "bad"); {
		case c != nil:
			all(contents[c.set(ps).content], func(order) string { return c.set(ps).revision })
			return unpack, reasons, messages
		case m.gitea && o.ref == m.protected:
			all(mood{reason: "pre-receive hook declined", messages: "error:\nerror: Not allowed to push to protected branch " + strings.TrimPrefix(o.ref, "refs/heads/") + "\nerror:\n"}, nil)
			return unpack, reasons, messages
		}
	}
	for _, o := range orders {
		had, there := m.refs[o.ref]
		reason := ""
		switch c, _ := m.fresh(o.next, "secret"); {
		case there && had != o.old || !there && o.old != zero:
			reason = "failed to update ref"
		case c != nil:
			reason = contents["secret"].reason
			messages += fmt.Sprintf(contents["secret"].messages, o.ref)
		case o.ref == m.protected:
			reason = "protected branch hook declined"
			messages += "error: GH006: Protected branch update failed for " + o.ref + ".\nerror: Changes must be made through a pull request.\n"
		}
		reasons = append(reasons, reason)
	}
	return "", reasons, messages
}

// fresh returns a patchset with some kind of content that a commit would bring, or
// nil.
func (m *memory) fresh(oid string, kinds ...string) (*subject, int) {
	there := map[string]bool{}
	for _, rev := range m.refs {
		for c, ps := m.site.patchsetOf(rev); c != nil && !there[rev]; c, ps = m.site.patchsetOf(rev) {
			there[rev] = true
			rev = c.set(ps).parent
		}
	}
	for c, ps := m.site.patchsetOf(oid); c != nil && !there[oid]; c, ps = m.site.patchsetOf(oid) {
		if slices.Contains(kinds, c.set(ps).content) {
			return c, ps
		}
		oid = c.set(ps).parent
	}
	return nil, 0
}

// push carries out the updates that nothing speaks against.
func (m *memory) push(lines []string) string {
	var orders []order
	for _, l := range lines {
		command, _, _ := strings.Cut(l, "\x00")
		if f := strings.Fields(command); len(f) == 3 && len(f[0]) == len(zero) {
			orders = append(orders, order{f[0], f[1], f[2]})
		}
	}
	unpack, reasons, messages := m.judge(orders)
	var report, b bytes.Buffer
	packet(&report, "unpack %s\n", map[bool]string{true: "ok", false: unpack}[unpack == ""])
	for i, o := range orders {
		if reasons[i] != "" {
			packet(&report, "ng %s %s\n", o.ref, reasons[i])
			continue
		}
		if m.refs[o.ref] = o.next; o.next == zero {
			delete(m.refs, o.ref)
		}
		packet(&report, "ok %s\n", o.ref)
	}
	report.WriteString("0000")
	if messages != "" {
		packet(&b, "\x02%s", messages)
	}
	packet(&b, "\x01%s", report.String())
	b.WriteString("0000")
	return b.String()
}

// refuses says for which content the mirror will never take a patchset, or is "".
func (w *world) refuses(c *subject, ps int) string {
	if c.site.memory == nil {
		return ""
	}
	for rev := c.set(ps).revision; ; {
		below, n := c.site.patchsetOf(rev)
		switch {
		case below == nil:
			return ""
		case below.set(n).content != "":
			return below.set(n).content
		}
		rev = below.set(n).parent
	}
}

// excused reports whether something is refused for good, so that a pass may say so.
func (w *world) excused() bool {
	return w.config.Protected != "none" || slices.ContainsFunc(w.changes, func(c *subject) bool {
		return c.status == change.New && w.refuses(c, c.current()) != ""
	})
}

// taken is R17: what the mirror takes is not held for a refusal of it.
func (w *world) taken(c *subject, last *pass) {
	if w.refuses(c, c.current()) != "" {
		return
	}
	for _, l := range last.about(c) {
		if strings.Contains(l.Reason, "refuse") {
			w.violates("R17", "the mirror takes %d/%d, and the pass says: %s", c.Number(), c.current(), l.Reason)
		}
	}
	ref := fmt.Sprintf("refs/changes/%02d/%d/%d", c.Number()%100, c.Number(), c.current())
	for _, f := range w.config.workflows() {
		if s := w.stands(c, c.current(), f.file); s.result != nothing && len(w.of(c, c.current(), f.file)) > 0 && c.site.refs()[ref] == "" && !c.forged {
			w.violates("R17", "%d/%d was tested, and is not on the mirror: %v", c.Number(), c.current(), slices.Sorted(maps.Keys(c.site.refs())))
		}
	}
}
