// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"strings"
	"testing"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"make test":                          "make test",
		"make; ./x && ./y\n\n# z\nset -e\nw": "make | ./x | ./y | w",
		"a \\\n  --b c":                      "a    --b c",
		"sh -c 'make && ./x; y'":             "sh -c 'make && ./x; y'",
		`sh -c "make && \"x\"; y" # z`:       `sh -c "make && \"x\"; y" # z`,
		"docker pull ${IMAGE}:$TAG":          "docker pull ${IMAGE}:$TAG",
		"a | b":                              "", "a > b": "", "a & b": "", "$(a)": "", "`a`": "", `"$(a)"`: "", "(a)": "", "{ a; }": "", "if a; then b; fi > c": "",
		"'$(a)'": "'$(a)'", "'a": "", `"a`: "", "": "", "# a": "", "a\\": "a\\", "x=${A:-{b}": "",
	} {
		list, ok := commands(script)
		if got := strings.Join(list, " | "); ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q, %v, want %q", script, got, ok, want)
		}
	}
	if _, ok := commands(strings.Repeat("a\n", maxCommands+2)); ok {
		t.Error("a long script: got it looked through")
	}
}

// TestRuns has what steps ran, and what that tells of them.
func TestRuns(t *testing.T) {
	t.Parallel()
	const (
		setup    = "setup"
		teardown = "teardown"
		ours     = "ours"
		unknown  = ""
	)
	for _, tt := range []struct{ run, want, source string }{
		{"Run actions/checkout@v4", setup, "actions/checkout"},
		{"Run actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", setup, "actions/checkout"},
		{"Run actions/cache@v4", setup, "actions/cache"},
		{"Run actions/cache/restore@v4", setup, "actions/cache"},
		{"Run actions/cache/save@v4", teardown, "actions/cache"},
		{"Run actions/download-artifact@v5", setup, "actions/download-artifact"},
		{"Run actions/upload-artifact@v4", teardown, "actions/upload-artifact"},
		{"Run actions/upload-artifact/merge@v4", teardown, "actions/upload-artifact"},
		{"Run actions/setup-go@v6", setup, "actions/setup-go"},
		{"Run ruby/setup-ruby@v1", setup, "ruby/setup-ruby"},
		{"Run gradle/actions/setup-gradle@v4", setup, "gradle/actions"},
		{"Run docker/setup-buildx-action@v3", setup, "docker/setup-buildx-action"},
		{"Run docker/login-action@v3", setup, "docker/login-action"},
		{"Run aws-actions/amazon-ecr-login@v2", setup, "aws-actions/amazon-ecr-login"},
		{"Run azure/login@v2", setup, "azure/login"},
		{"Run Swatinem/rust-cache@v2", setup, "Swatinem/rust-cache"},
		{"Run codecov/codecov-action@v5", teardown, "codecov/codecov-action"},
		{"Run spdk-community-ci/dispatcher@v1", teardown, "README.md: it relays and reports"},
		{"Run spdk-community-ci/dispatcher/actions/checkout@v1", setup, "actions/checkout/action.yml"},
		{"Run ./.dispatcher/actions/setup", setup, ".github/workflows/autorun.yml"},
		{"Run ./.dispatcher", teardown, ".github/workflows/autorun.yml"},
		{"Run docker/build-push-action@v6", unknown, "it builds what the change changes"},
		{"Run mikepenz/action-junit-report@v5", unknown, "it fails where tests failed"},
		{"Run dorny/test-reporter@v2", unknown, "it fails where tests failed"},
		{"Run ./.github/actions/test", unknown, "anything"},
		{"Run docker://alpine:3", unknown, "anything"},

		{"Run sudo apt-get install -y gcc make", setup, "apt-get(8)"},
		{"Run sudo apt-get -qq update\nsudo apt-get -qq install --yes --no-install-recommends qemu-system-x86", setup, ".github/workflows/autorun.yml"},
		{"Run sudo apt-get update && sudo DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 install -y x", setup, "apt-get(8)"},
		{"Run dnf install -y gcc", setup, "dnf(8)"},
		{"Run apk add --no-cache bash", setup, "apk(8)"},
		{"Run docker pull ghcr.io/x/y:$TAG", setup, "docker pull"},
		{"Run podman login -u x -p y ghcr.io", setup, "podman login"},
		{"Run git clone --depth 1 https://github.com/spdk/spdk", setup, "git clone"},
		{"Run curl -fsSL -o x.tar.gz https://example.org/x.tar.gz", setup, "curl(1)"},
		{"Run wget -q https://example.org/x.tar.gz", setup, "wget(1)"},
		{"Run gh release download v1 -R x/y", setup, "gh release download"},
		{"Run dispatcher environments prepare", setup, "internal/app/environments.go"},
		{"Run dispatcher host lease --wait \"$WAIT\" --for \"$FOR\"", setup, "internal/app/host.go"},
		{"Run sudo apt-get install -y ./build/x.deb", unknown, "what the change builds"},
		{"Run sudo apt-get install -y gcc\nmake test", unknown, "a test as well"},
		{"Run apt-get install -y x || make test", unknown, "a test as well"},
		{"Run curl -f http://localhost:8080/health", unknown, "a test"},
		{"Run curl -fsSL https://example.org/x | sh", unknown, "anything"},
		{"Run make test", unknown, "a test"},
		{"Run pip install .", unknown, "what the change builds"},
		{"Run npm ci", unknown, "what the change says"},
		{"Run apt-get update\n...", unknown, "cut"},
		{"make test", unknown, "not as the runner writes it"},

		{"Run dispatcher guest run --image fedora.qcow2 -- sh -c 'make && ./test.sh; exit 3'", ours, "docs/guests.md"},
		{"Run dispatcher guest run \\\n  --image fedora.qcow2 \\\n  -- ./test.sh", ours, "docs/guests.md"},
		{"Run dispatcher environments run --source source.tar.gz --results results --image \"$IMAGE\"", ours, ".github/workflows/autorun.yml"},
		{"Run sudo -E dispatcher guest run -- x", ours, "docs/guests.md"},
		{"Run dispatcher guest run -- x\n./more.sh", unknown, "what else it runs may say what our program says"},
		{"Run dispatcher guest run -- x | tee log", unknown, "tee says it"},
		{"Run ./dispatcher guest run -- x", unknown, "a program of the change"},
		{"Run dispatcher guest runner", unknown, "no command of ours"},
	} {
		got := unknown
		switch p, known := phaseOfRun(tt.run); {
		case known && p == setupPhase:
			got = setup
		case known && p == teardownPhase:
			got = teardown
		case (stepKinds{}).isOurs(jobOf("failure", "x").Steps[0], tt.run):
			got = ours
		}
		if got != tt.want {
			t.Errorf("%q (%s): got %q, want %q", tt.run, tt.source, got, tt.want)
		}
	}
}

// FuzzCommands holds that a script is never looked through further than it is
// understood: what it does beside its commands is not left out.
func FuzzCommands(f *testing.F) {
	for _, s := range []string{"make; x && y", "a \\\n b", "sh -c 'a; b'", "\"$(x)\"", "${A}", "a|b", "'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script string) {
		list, ok := commands(script)
		if !ok {
			return
		}
		if len(list) == 0 || len(list) > maxCommands+1 {
			t.Errorf("got %d commands", len(list))
		}
		if isSetupScript(script) && isOurScript(script) {
			t.Errorf("%q is set-up and a test", script)
		}
		for _, c := range list {
			if strings.TrimSpace(c) == "" || !strings.ContainsAny(c, `'"\`) && strings.ContainsAny(c, "\n|&;<>`") {
				t.Errorf("got the command %q of %q", c, script)
			}
		}
	})
}
