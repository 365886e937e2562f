// SPDX-License-Identifier: BSD-3-Clause

// Release makes a release that people can pin: .github/workflows/release.yml
// calls its commands one after the other, and CONTRIBUTING.md says how it goes.
//
//	go run ./scripts/release check VERSION        whether it can begin; changes nothing
//	go run ./scripts/release build VERSION DIR    static programs and their checksums
//	go run ./scripts/release image VERSION DIR    tries the token, pushes the container image
//	go run ./scripts/release publish VERSION DIR  the commit, its tags, and the release's page
//
// Each may be run again at any time, after a failure or a kill or for nothing.
// Settings are those of a job (GITHUB_REPOSITORY, GITHUB_SERVER_URL, GITHUB_API_URL,
// GITHUB_TOKEN, GITHUB_OUTPUT), the token for tags and releases (RELEASE_APP_ID and
// RELEASE_APP_PRIVATE_KEY, or RELEASE_TOKEN), and RELEASE_IMAGE where the image is
// not at ghcr.io.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/github"
	"github.com/spdk-community-ci/dispatcher/internal/image/registry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		for _, e := range apart(err) {
			tell(os.Stderr, e, os.Getenv("GITHUB_ACTIONS") == "true")
		}
		os.Exit(1)
	}
}

// apart takes joined errors apart, so that each has its hint.
func apart(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var list []error
	for _, e := range joined.Unwrap() {
		list = append(list, apart(e)...)
	}
	return list
}

// tell prints an error and its hint; in a job it is an annotation.
func tell(w io.Writer, err error, annotate bool) {
	text := "release: " + err.Error()
	if hint := fault.HintOf(err); hint != "" {
		text += "\nhint: " + hint
	}
	if annotate {
		text = "::error::" + strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
	}
	fmt.Fprintln(w, text)
}

// releaser makes one release.
type releaser struct {
	version version
	// dir is the repository's folder, dist where what is built is kept.
	dir, dist string
	// repository is OWNER/NAME, remote its address for git, image where containers
	// go, downloads where files of releases come from.
	repository, remote, image, downloads string
	// token pushes tags, and so does hub with releases; jobs reads runs.
	token            github.TokenSource
	hub, jobs        *github.Client
	registry, public *registry.Client
	http             *http.Client
	goVersion        func(ctx context.Context, tree, want string) (string, error)
	compile          func(ctx context.Context, tree, toolchain, arch, tags, to string) error
	certificates     string
	getenv           func(string) string
	out              io.Writer
	now              func() time.Time
	sleep            func(context.Context, time.Duration) error
}

// run executes one command.
func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	usage := fault.New(fault.Configuration, "the command is not understood").
		WithHint("go run ./scripts/release check VERSION, or build, image or publish VERSION DIR")
	if len(args) < 2 {
		return usage
	}
	r, err := newReleaser(args[1], getenv, out)
	if err != nil {
		return err
	}
	commands := map[string]func(context.Context) error{"build": r.build, "image": r.pushImage, "publish": r.publish}
	switch command := commands[args[0]]; {
	case args[0] == "check" && len(args) == 2:
		return r.check(ctx)
	case command == nil || len(args) != 3:
		return usage
	default:
		r.dist = args[2]
		return command(ctx)
	}
}

func newReleaser(text string, getenv func(string) string, out io.Writer) (*releaser, error) {
	v, err := parseVersion(text)
	if err != nil {
		return nil, err
	}
	server, repository := strings.TrimSuffix(getenv("GITHUB_SERVER_URL"), "/"), getenv("GITHUB_REPOSITORY")
	if server == "" || repository == "" {
		return nil, fault.New(fault.Configuration, "GITHUB_SERVER_URL and GITHUB_REPOSITORY do not say what is released").
			WithHint("run the workflow release")
	}
	r := &releaser{
		version: v, dir: ".", repository: repository, remote: server + "/" + repository + ".git",
		image: getenv("RELEASE_IMAGE"), downloads: server + "/" + repository + "/releases/download",
		registry: &registry.Client{UserAgent: userAgent, Getenv: getenv, Backoff: time.Second},
		public:   &registry.Client{UserAgent: userAgent, Anonymous: true, Backoff: time.Second},
		http:     &http.Client{Timeout: 5 * time.Minute}, goVersion: goVersion, certificates: "/etc/ssl/certs/ca-certificates.crt",
		getenv: getenv, out: out, now: time.Now, sleep: sleep,
	}
	if r.image == "" {
		r.image = "ghcr.io/" + strings.ToLower(repository) // registries take no capitals
	}
	r.compile = r.compileGo
	if r.token, err = releaseToken(repository, getenv); err != nil {
		return nil, err
	}
	if r.token != nil && getenv("GITHUB_ACTIONS") == "true" {
		r.token = masked(r.token, out)
	}
	if r.hub, err = newClient(getenv, r.token, "RELEASE_APP_ID or RELEASE_TOKEN"); err != nil {
		return nil, err
	}
	r.jobs, err = newClient(getenv, jobToken(getenv), "GITHUB_TOKEN")
	return r, err
}

const userAgent = "spdk-dispatcher-release"

func newClient(getenv func(string) string, token github.TokenSource, setting string) (*github.Client, error) {
	return github.New(github.Options{APIURL: getenv("GITHUB_API_URL"), Token: token, Setting: setting, UserAgent: userAgent, Sleep: sleep, Now: time.Now})
}

func jobToken(getenv func(string) string) github.TokenSource {
	if token := getenv("GITHUB_TOKEN"); token != "" {
		return github.Static(token)
	}
	return nil
}

// releaseToken is the token for tags and releases. The job's own, where there is no
// other, is good for reading.
func releaseToken(repository string, getenv func(string) string) (github.TokenSource, error) {
	id, key, token := strings.TrimSpace(getenv("RELEASE_APP_ID")), getenv("RELEASE_APP_PRIVATE_KEY"), strings.TrimSpace(getenv("RELEASE_TOKEN"))
	if id == "" && token == "" {
		return jobToken(getenv), nil
	}
	if id == "" {
		return github.Static(token), nil
	}
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, fault.New(fault.Configuration, "RELEASE_APP_ID is no number").WithHint("it stands on the App's settings page as App ID")
	}
	return github.AppToken(github.AppOptions{
		ID: number, PrivateKeyPEM: key, Repository: repository, APIURL: getenv("GITHUB_API_URL"), Setting: "RELEASE_APP_ID",
		UserAgent: userAgent, Sleep: sleep, Now: time.Now,
	})
}

// masked has the runner hide each token, as it knows secrets and not what an App got
// with one, and the form in which git sends it.
func masked(source github.TokenSource, out io.Writer) github.TokenSource {
	last := ""
	return func(ctx context.Context) (string, error) {
		token, err := source(ctx)
		if err == nil && token != last {
			last = token
			fmt.Fprintf(out, "::add-mask::%s\n::add-mask::%s\n", token, basic(token))
		}
		return token, err
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *releaser) say(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

// output hands a value, on one line, to later steps of the job.
func (r *releaser) output(name, value string) error {
	r.say("%s=%s", name, value)
	file := r.getenv("GITHUB_OUTPUT")
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s=%s\n", name, value)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
