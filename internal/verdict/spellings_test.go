// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"regexp"
	"testing"
)

// TestSpellings has what people and programs wrote, each with where it was seen or
// read, and what it is evidence of.
func TestSpellings(t *testing.T) {
	t.Parallel()
	const (
		lost    = "lost"
		started = "not started"
		dropped = "dropped"
		tool    = "tool"
		disk    = "disk"
		limit   = "job limit"
		step    = "step limit"
		cancel  = "cancel"
		memory  = "memory"
		none    = ""
	)
	kinds := map[string]*regexp.Regexp{
		lost: lostTexts, started: notStartedTexts, dropped: droppedTexts, tool: toolTexts, disk: diskFullTexts,
		limit: jobLimitTexts, step: stepLimitTexts, cancel: cancelTexts, memory: memoryTexts,
	}
	for _, tt := range []struct{ text, want, source string }{
		{"The self-hosted runner: lab-17 lost communication with the server. Verify the machine is running and has a healthy network connection.", lost, "actions/runner#2624"},
		{"The self-hosted runner lost communication with the server. Verify the machine is running and has a healthy network connection.", lost, "valkey-io/valkey-glide#4928"},
		{"The self-hosted runner: lost communication with the server. Verify the machine is running.", lost, "actions/runner#2040"},
		{"The hosted runner: GitHub Actions 9 lost communication with the server. Anything in your workflow that terminates the runner process can cause this error.", lost, "actions/runner#2624"},
		{"The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually started runner is canceled.", lost, "actions/runner JobRunner.cs"},
		{"Operating system is shutting down for computer 'lab-17'", lost, "actions/runner JobRunner.cs"},
		{"The job was not acquired by Runner of type self-hosted even after multiple attempts", lost, "actions/runner#4728"},
		{"Runner lab-17 did not respond to a cancelation request with 00:05:00.", lost, "CloudSnorkel/cdk-github-runners#537"},
		{"This request was automatically failed because there were no enabled runners online to process the request for more than 1 days.", lost, "apache/airflow-site#1054"},
		{"This request was automatically failed because there were no runners enabled online to process the request for more than 1 day.", lost, "ComputationalRadiationPhysics/cuda_memtest#46"},

		{"The job was not started because recent account payments have failed or your spending limit needs to be increased. Please check the 'Billing & plans' section in your settings", started, "bdwgc/libatomic_ops#87"},
		{"The job was not started because your account is locked due to a billing issue.", started, "ZhuLinsen/daily_stock_analysis#1685"},
		{"Error when evaluating 'strategy' for job 'build'. .github/workflows/x.yml (Line: 41, Col: 15): Unexpected value ''", started, "GitHub's annotation"},

		{"Canceling since a higher priority waiting request for 'autorun-7' exists", dropped, "geniusyield/atlas#92"},
		{"Canceling since a deadlock for concurrency group 'ci-939eda' was detected between 'top level workflow' and 'build-image'", dropped, "rhysd/actionlint#538"},

		{"Docker pull failed with exit code 1", tool, "actions/runner ContainerOperationProvider.cs"},
		{"Docker build failed with exit code 1", tool, "actions/runner ContainerActionHandler.cs"},
		{"Docker login for 'ghcr.io' failed with exit code 1", tool, "actions/runner ContainerOperationProvider.cs"},
		{"Docker start fail with exit code 1", tool, "actions/runner ContainerOperationProvider.cs"},
		{"Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '/home/runner/work/ci/ci/.github/actions/x'. Did you forget to run actions/checkout before running your local action?", tool, "actions/runner ActionManager.cs"},
		{"An action could not be found at the URI 'https://api.github.com/repos/x/y/tarball/z' (1A2B)", tool, "actions/runner ActionNotFoundException.cs"},
		{"Container action is only supported on Linux", tool, "actions/runner ContainerActionHandler.cs"},
		{"The template is not valid. .github/workflows/a.yml (Line: 20, Col: 10): Error reading JToken from JsonReader.", tool, "actions/runner TemplateStrings.g.cs"},
		{"Failed to CreateArtifact: Artifact storage quota has been hit. Unable to upload any new artifacts.", tool, "actions/upload-artifact#307"},
		{"Failed to CreateArtifact: Received non-retryable error: Failed request: (409) Conflict: an artifact with this name already exists on the workflow run", tool, "actions/upload-artifact README"},
		{"Unable to download artifact(s): Unable to download and extract artifact: Artifact download failed after 5 retries.", tool, "actions/download-artifact#433"},
		{"The process '/usr/bin/git' failed with exit code 1", tool, "actions/checkout#1660"},

		{"cc1: error writing to /tmp/x.s: No space left on device", disk, "strerror(3), ENOSPC"},
		{"tee: log.txt: No space left on device", disk, "strerror(3), ENOSPC"},
		{"write /var/lib/x: no space left on device", disk, "Go, syscall.ENOSPC"},
		{"Caused by: java.io.IOException: No space left on device", disk, "Java"},
		{"error: No space left on device (os error 28)", disk, "Rust, std::io::Error"},
		{"rsync: [receiver] write failed on \"/x\": No space left on device (28)", disk, "rsync"},
		{"OSError: [Errno 28] No space left on device: '/tmp/x'", disk, "Python, OSError"},
		{"ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", disk, "getsentry/action-setup-venv#13"},
		{"System.IO.IOException: No space left on device : '/home/runner/runners/2.313.0/_diag/Worker.log'", disk, "KLayout/klayout#1627"},
		{"Error: ENOSPC: no space left on device, write", disk, "actions/runner-images#4822"},
		{"npm ERR! nospc ENOSPC: no space left on device, copyfile '/a' -> '/b'", disk, "Node, uv_strerror"},
		{"docker: Error response from daemon: failed to create task for container: mkdir /run/x: no space left on device: unknown.", disk, "containerd"},
		{"cc1: write error: Disk quota exceeded", disk, "strerror(3), EDQUOT"},
		{"OSError: [Errno 122] Disk quota exceeded: '/home/x'", disk, "qiita-spots/qiita#2965"},
		{"fatal: sha1 file '/x/pack' write error. Out of diskspace", disk, "git object-file.c"},
		{"Error: database or disk is full", disk, "SQLITE_FULL"},
		{"System.IO.IOException: There is not enough space on the disk. : 'D:\\a\\x'", disk, "ERROR_DISK_FULL"},

		{"The job running on runner GitHub Actions 3 has exceeded the maximum execution time of 10 minutes.", limit, "GitHub's annotation"},
		{"The job has exceeded the maximum execution time of 1h0m0s", limit, "GitHub's annotation"},
		{"The action 'Run make test' has timed out after 10 minutes.", step, "actions/runner StepsRunner.cs"},
		{"The action has timed out.", step, "actions/runner CompositeActionHandler.cs"},
		{"The background step 'serve' has timed out after 5 minutes.", step, "actions/runner BackgroundStepCoordinator.cs"},
		{"The operation was canceled.", cancel, "actions/runner#2468"},

		{"c++: fatal error: Killed signal terminated program cc1plus", memory, "hoytech/strfry#41"},
		{"g++: internal compiler error: Killed (program cc1plus)", memory, "travis-ci/travis-ci#2407"},
		{"virtual memory exhausted: Cannot allocate memory", memory, "cc1, by way of libiberty"},
		{"run.sh: fork: Cannot allocate memory", memory, "bash jobs.c"},
		{"collect2: fatal error: ld terminated with signal 9 [Killed]", memory, "microsoft/vcpkg#22566"},
		{"FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", memory, "actions/upload-artifact#619"},
		{"FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory", memory, "facebook/astryx#2386"},
		{"Caused by: java.lang.OutOfMemoryError: Java heap space", memory, "Java"},
		{"MemoryError", memory, "Python"},
		{"fatal error: runtime: out of memory", memory, "Go"},
		{"memory allocation of 17179869184 bytes failed", memory, "Rust"},
		{"  what():  std::bad_alloc", memory, "libstdc++"},

		// What is no evidence.
		{"the allocator must not throw std::bad_alloc here", none, "a test of allocators"},
		{"You are running out of disk space. The runner will stop working when the machine runs out of disk space. Free space left: 12 MB", none, "actions/runner JobExtension.cs, a warning"},
		{"npm ERR! nospc There appears to be insufficient space on your system to finish.", none, "npm, after a line with ENOSPC"},
		{"write: No space left on device, as it should be", none, "a test of full disks"},
		{"test says: The self-hosted runner: lab-17 lost communication with the server.", none, "a quotation"},
		{"Killed", none, "sh(1), of the kernel's OOM killer: the test's own failure"},
		{"Process completed with exit code 137.", none, "actions/runner ScriptHandler.cs"},
		{"The process '/usr/bin/bash' failed with exit code 1", none, "an action that runs a test"},
	} {
		var got []string
		for kind, texts := range kinds {
			if texts.MatchString(tt.text) {
				got = append(got, kind)
			}
		}
		if want := []string{tt.want}; tt.want == none && got != nil || tt.want != none && fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s (%s): got %q, want %q", tt.text, tt.source, got, tt.want)
		}
	}
}

// TestSources holds that all spellings say where they are from.
func TestSources(t *testing.T) {
	t.Parallel()
	for _, table := range [][]spelling{lostSpellings, notStartedSpellings, droppedSpellings, toolSpellings, diskSpellings, memorySpellings, cancelSpellings} {
		for _, s := range table {
			if s.source == "" {
				t.Errorf("%s has no source", s.pattern)
			}
		}
	}
}
