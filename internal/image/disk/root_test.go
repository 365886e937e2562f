// SPDX-License-Identifier: BSD-3-Clause

package disk

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// TestSudo: an account that is not root has the command do the work, which gets
// the system and the options; and a right that is missing is told as that.
func TestSudo(t *testing.T) {
	t.Parallel()
	o := Options{Work: t.TempDir(), Size: 1 << 30, Cmdline: "quiet", Hostname: "h", UserData: "#cloud-config\n", Seed: "v"}
	good := Assembler{Sudo: []string{"sh", "-c", `case $1 in check) ;; disk) cat >"$(dirname "$2")/disk.raw" ;; *) exit 9 ;; esac`, "sh"}}
	if err := good.Check(t.Context(), tool.Tools{}); err != nil {
		t.Error(err)
	}
	raw, err := good.Assemble(t.Context(), tool.Tools{}, strings.NewReader("the system"), o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(raw)
	if err != nil || string(text) != "the system" {
		t.Errorf("got the disk %q, %v", text, err)
	}
	var got Options
	text, err = os.ReadFile(filepath.Join(o.Work, "options.json"))
	if err := errors.Join(err, json.Unmarshal(text, &got)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, got); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
	full := Assembler{Sudo: []string{"sh", "-c", "cat >/dev/null; echo the system does not fit >&2; exit 2"}}
	if _, err = full.Assemble(t.Context(), tool.Tools{}, strings.NewReader("the system"), o); !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("a disk that is too small: got %v", err)
	}
	err = Assembler{Sudo: []string{"sh", "-c", "echo sudo: a password is required >&2; exit 1"}}.Check(t.Context(), tool.Tools{})
	if !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), "a password is required") || !strings.Contains(fault.HintOf(err), "sudo without a password") {
		t.Errorf("got %v (%s)", err, fault.HintOf(err))
	}
}

// TestAsRoot: what is not asked for by an Assembler is refused.
func TestAsRoot(t *testing.T) {
	t.Parallel()
	for text, args := range map[string][]string{
		"there is no such work":               {"disk"},
		"failed to read the disk's options":   {"disk", filepath.Join(t.TempDir(), "none")},
		"there is no such work for root: [\"": {"rm", "/"},
	} {
		if err := AsRoot(t.Context(), tool.Tools{}, strings.NewReader(""), args); err == nil || !strings.HasPrefix(err.Error(), text) {
			t.Errorf("%q: got %v", args, err)
		}
	}
}
