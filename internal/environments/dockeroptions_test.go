// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// TestDockerOptionsPage: page and schema have the options that there are.
func TestDockerOptionsPage(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("| option | the container may | risk | docker's flags |\n|---|---|---|---|\n")
	for _, o := range dockerOptions {
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", o.name, o.means, o.risk, strings.Join(o.args, " "))
	}
	text, err := os.ReadFile("../../docs/workflows.md")
	if err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`(?s)(<!-- docker-options -->\n).*(<!-- /docker-options -->)`)
	if !place.Match(text) {
		t.Fatal("there is no place for the options")
	}
	golden(t, "../../docs/workflows.md", place.ReplaceAllLiteralString(string(text), "<!-- docker-options -->\n"+b.String()+"<!-- /docker-options -->"))
	var schema struct {
		Defs struct {
			Environment struct {
				Properties map[string]struct{ Items struct{ Enum []string } }
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dockerOptionNames(), schema.Defs.Environment.Properties["docker-options"].Items.Enum); diff != "" {
		t.Errorf("the schema (-want +got):\n%s", diff)
	}
}

func TestDockerArgs(t *testing.T) {
	t.Parallel()
	got, err := DockerArgs([]string{"kvm", "sys-admin"})
	if want := []string{"--device", "/dev/kvm", "--cap-add", "SYS_ADMIN"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	for name, hint := range map[string]string{"kwm": "did you mean kvm?", "sysadmin": "did you mean sys-admin?", "--volume=/:/host": "the options are kvm, "} {
		if _, err := DockerArgs([]string{name}); !errors.Is(err, fault.Configuration) || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%s: got %v, hint %q", name, err, fault.HintOf(err))
		}
	}
}
