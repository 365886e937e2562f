// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// RefRule refuses pushes of some refs, one by one: the others of the same push
// still land.
type RefRule struct {
	// Glob is a pattern of the shell's case: refs/heads/release/*.
	Glob string
	// Reason is what the push is told about the ref.
	Reason string
}

// refusals is the hook for one push: git runs it for each ref, and it notes
// which ones it refuses and why.
type refusals struct {
	dir   string
	rules []RefRule
	who   string // whose workflow changes are refused; "" for nobody's
	scope string
}

// hook is git's update hook (githooks(5)): $1 is the ref, $2 its old value, $3 the
// new one. A token without the permission may not bring commits that touch a
// workflow file and are new to the repository, nor move a branch or a tag to other
// workflow files (cloudposse/atmos#2962, Tracer-Cloud/opensre#3594), nor make a tag
// whose workflow files no branch has at its tip (mkb79/Audible#882).
const hook = `#!/bin/sh
refuse() {
	printf '%%s %%s\n' "$1" "$2" >>"$STANDIN_REFUSED"
	exit 1
}
case $1 in
%sesac
if [ -z "$STANDIN_WORKFLOWS" ] || [ "$3" = 0000000000000000000000000000000000000000 ]; then
	exit 0
fi
file=$(git log --format= --name-only "$3" --not --all -- .github/workflows | head -n 1)
[ -z "$file" ] || refuse "$1" "workflow:$file"
workflows() { git rev-parse --quiet --verify "$1:.github/workflows" || echo none; }
same() { [ "$(workflows "$1")" = "$(workflows "$2")" ]; }
case $1:$2 in
refs/tags/*:0000000000000000000000000000000000000000)
	for tip in $(git for-each-ref --format='%%(objectname)' refs/heads); do
		if same "$tip" "$3"; then exit 0; fi
		other=$tip
	done ;;
refs/heads/*:0000000000000000000000000000000000000000) exit 0 ;;
refs/tags/*|refs/heads/*)
	if same "$2" "$3"; then exit 0; fi
	other=$2 ;;
*) exit 0 ;;
esac
file=$(git diff --name-only ${other:-4b825dc642cb6eb9a060e54bf8d69288fbee4904} "$3" -- .github/workflows | head -n 1)
[ -z "$file" ] || refuse "$1" "workflow:$file"
`

func (s *Server) newRefusals(access Access) (*refusals, error) {
	dir, err := os.MkdirTemp("", "standin-hooks-*")
	if err != nil {
		return nil, err
	}
	f := &refusals{dir: dir, rules: s.o.RefuseRefs}
	if !access.Workflows {
		f.who, f.scope = "a Personal Access Token", "`workflow` scope"
		if access.App {
			f.who, f.scope = "a GitHub App", "`workflows` permission"
		}
	}
	var cases strings.Builder
	for i, rule := range f.rules {
		fmt.Fprintf(&cases, "%s) refuse \"$1\" rule:%d ;;\n", rule.Glob, i)
	}
	return f, os.WriteFile(filepath.Join(dir, "update"), fmt.Appendf(nil, hook, cases.String()), 0o700)
}

func (f *refusals) notes() string { return filepath.Join(f.dir, "refused") }

// env makes git run the hook.
func (f *refusals) env() []string {
	env := []string{
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.hooksPath", "GIT_CONFIG_VALUE_0=" + f.dir,
		"STANDIN_REFUSED=" + f.notes(),
	}
	if f.who != "" {
		env = append(env, "STANDIN_WORKFLOWS=1")
	}
	return env
}

// reasons returns GitHub's words for each ref that the hook refused.
func (f *refusals) reasons() map[string]string {
	text, err := os.ReadFile(f.notes())
	if err != nil {
		return nil // nothing was refused
	}
	reasons := map[string]string{}
	for line := range strings.Lines(string(text)) {
		ref, why, _ := strings.Cut(strings.TrimSpace(line), " ")
		kind, detail, _ := strings.Cut(why, ":")
		if kind == "workflow" {
			reasons[ref] = fmt.Sprintf("refusing to allow %s to create or update workflow `%s` without %s", f.who, detail, f.scope)
			continue
		}
		var i int
		fmt.Sscan(detail, &i)
		reasons[ref] = f.rules[i].Reason
	}
	return reasons
}
