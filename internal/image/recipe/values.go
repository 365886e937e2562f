// SPDX-License-Identifier: BSD-3-Clause

package recipe

import (
	"encoding/hex"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// The types of values. Each checks what it is given and says what it wants.
type (
	line       string        // one line of text
	reference  string        // a container image: debian:12, ghcr.io/o/n@sha256:...
	repository string        // a container image without tag and digest
	gitURL     string        // an address that git can fetch from
	webURL     string        // an http, https or file address
	revision   string        // a git branch, tag or commit
	filePath   string        // a file of the recipe
	treePath   string        // a file or folder of the source tree
	argName    string        // a build argument
	digest     string        // a SHA-256 in hex
	size       int64         // bytes
	count      int           // a small number
	duration   time.Duration // 90s, 10m
)

func bad(hint, format string, args ...any) error {
	return fault.New(fault.Configuration, format, args...).WithHint("%s", hint)
}

// quote shows a value in an error, shortened.
func quote(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "..."
	}
	return strconv.Quote(s)
}

func (l *line) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" || len(s) > 500 || strings.ContainsFunc(s, unicode.IsControl) {
		return bad("write one line of at most 500 characters", "%s is not one line of text", quote(s))
	}
	*l = line(s)
	return nil
}

// A repository is HOST[:PORT]/PATH or a short name; tag and digest may follow
// in a reference. The registry's own library judges it when it is used.
var (
	repositoryForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*$`)
	referenceForm  = regexp.MustCompile(`^([a-z0-9][a-z0-9.-]*(:[0-9]+)?/)?[a-z0-9][a-z0-9._/-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$`)
	argForm        = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	revisionForm   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./+-]*$`)
	sizeForm       = regexp.MustCompile(`^([1-9][0-9]{0,8})([MGT])$`)
)

// CheckReference accepts the names that container images may have.
func CheckReference(s string) error {
	if len(s) > 400 || !referenceForm.MatchString(s) {
		return bad("write it as in 'docker pull': debian:bookworm-slim, ghcr.io/owner/name:tag, or with @sha256:...",
			"%s is not a container image", quote(s))
	}
	return nil
}

func (r *reference) UnmarshalText(text []byte) error {
	*r = reference(text)
	return CheckReference(string(text))
}

// CheckRepository accepts the names that repositories of a registry may have.
func CheckRepository(s string) error {
	if len(s) > 300 || !repositoryForm.MatchString(s) || !strings.Contains(s, "/") {
		return bad("write it without a tag: ghcr.io/owner/name", "%s is not a registry's repository", quote(s))
	}
	return nil
}

func (r *repository) UnmarshalText(text []byte) error {
	*r = repository(text)
	return CheckRepository(string(text))
}

// CheckGitURL accepts addresses that cannot be taken for an option of git, that
// start no program, and that hold no password.
func CheckGitURL(s string) error {
	u, err := url.Parse(s)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil ||
		err == nil && u.Scheme == "file" && u.Path != "" {
		return nil
	}
	return bad("give the https:// address of the repository, without user and password", "this is not an address to fetch a git repository from")
}

func (g *gitURL) UnmarshalText(text []byte) error {
	*g = gitURL(text)
	return CheckGitURL(string(text))
}

func (w *webURL) UnmarshalText(text []byte) error {
	*w = webURL(text)
	if CheckGitURL(string(text)) != nil { // the same rules
		return bad("give the image's https:// address, without user and password", "this is not the address of a disk image")
	}
	return nil
}

// CheckRevision accepts names of git revisions that cannot be options.
func CheckRevision(s string) error {
	if len(s) > 200 || !revisionForm.MatchString(s) || strings.Contains(s, "..") {
		return bad("give a branch, a tag or a full commit id", "%s is not a git revision", quote(s))
	}
	return nil
}

func (r *revision) UnmarshalText(text []byte) error {
	*r = revision(text)
	return CheckRevision(string(text))
}

// pathForm keeps paths one word in every shell, and no option of a program.
var pathForm = regexp.MustCompile(`^[A-Za-z0-9._][A-Za-z0-9._/+-]{0,199}$`)

// cleanPath accepts relative paths that stay below their folder.
func cleanPath(s string) bool {
	return pathForm.MatchString(s) && s != "." && s != ".." && path.Clean(s) == s && !strings.HasPrefix(s, "../")
}

func (f *filePath) UnmarshalText(text []byte) error {
	*f = filePath(text)
	if !cleanPath(string(text)) {
		return bad("name a file of the recipe's folder, of letters, digits and . _ / + -", "%s is not a file of the recipe", quote(string(text)))
	}
	return nil
}

func (p *treePath) UnmarshalText(text []byte) error {
	*p = treePath(text)
	if !cleanPath(string(text)) {
		return bad("name a file or folder of the source tree, of letters, digits and . _ / + -", "%s is not a path in a source tree", quote(string(text)))
	}
	return nil
}

func (a *argName) UnmarshalText(text []byte) error {
	*a = argName(text)
	if s := string(text); !argForm.MatchString(s) || s == "BASE" || s == "IMAGE" {
		return bad("use letters, digits and '_'; BASE and IMAGE are set by the program", "%s cannot name a build argument", quote(s))
	}
	return nil
}

func (d *digest) UnmarshalText(text []byte) error {
	*d = digest(strings.ToLower(string(text)))
	if sum, err := hex.DecodeString(string(*d)); err != nil || len(sum) != 32 {
		return bad("give the 64 hex digits that sha256sum prints", "%s is not a SHA-256", quote(string(text)))
	}
	return nil
}

func (s *size) UnmarshalText(text []byte) error {
	m := sizeForm.FindStringSubmatch(string(text))
	if m == nil {
		return bad("write 512M, 20G or 1T", "%s is not a size", quote(string(text)))
	}
	n, _ := strconv.ParseInt(m[1], 10, 64) // nine digits
	*s = size(n << map[string]int{"M": 20, "G": 30, "T": 40}[m[2]])
	if *s > 1<<44 {
		return bad("write 512M, 20G or 1T", "%s is more than 16 TiB", quote(string(text)))
	}
	return nil
}

func (c *count) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > 256 {
		return bad("write a whole number from 1 to 256", "%s is not a number of processors", quote(string(text)))
	}
	*c = count(n)
	return nil
}

func (d *duration) UnmarshalText(text []byte) error {
	t, err := time.ParseDuration(string(text))
	if err != nil || t <= 0 || t > 24*time.Hour {
		return bad("write 90s, 10m or 1h, at most 24h", "%s is not a time", quote(string(text)))
	}
	*d = duration(t)
	return nil
}
