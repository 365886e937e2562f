// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"regexp"
	"strings"
)

// spelling is how somebody writes something: a pattern, and where it was read or
// seen. The patterns of GitHub and of its runner are anchored at the beginning: a
// text that merely quotes one of them is no evidence.
type spelling struct{ pattern, source string }

// compile joins spellings between two patterns.
func compile(before string, all []spelling, after string) *regexp.Regexp {
	var patterns []string
	for _, s := range all {
		patterns = append(patterns, s.pattern)
	}
	return regexp.MustCompile(before + `(?:` + strings.Join(patterns, "|") + `)` + after)
}

// lostSpellings say that the machine went away, or that none ever took the job.
var lostSpellings = []spelling{
	{`The (?:self-hosted|hosted) runner\b.{0,200}? lost communication with the server`, "actions/runner#2624, with and without a name: valkey-io/valkey-glide#4928"},
	{`The runner has received a shutdown signal`, "actions/runner JobRunner.cs"},
	{`Operating system is shutting down for computer `, "actions/runner JobRunner.cs"},
	{`The hosted runner encountered an error while running your job`, "GitHub's annotation"},
	{`GitHub Actions has encountered an internal error when running your job`, "GitHub's annotation"},
	{`Received request to deprovision: `, "GitHub's annotation"},
	{`The job was not acquired by Runner of type `, "actions/runner#4728"},
	{`Runner .{1,200}? did not respond to a cancelation request `, "CloudSnorkel/cdk-github-runners#537"},
	{`No runner matching the specified labels was found`, "GitHub's annotation"},
	{`This request was automatically failed because there were no (?:enabled runners|runners enabled) online`, "apache/airflow-site#1054, ComputationalRadiationPhysics/cuda_memtest#46"},
}

// shutdownSpellings are those of a runner that stops in good order: what runs on
// it is told to end, and some tools then end with a status of their own.
var shutdownSpellings = lostSpellings[1:3]

// notStartedSpellings say that GitHub did not start a job.
var notStartedSpellings = []spelling{
	{`The job was not started because `, "payments: bdwgc/libatomic_ops#87; a locked account: ZhuLinsen/daily_stock_analysis#1685"},
	{`Error when evaluating `, "GitHub's annotation on a job whose strategy or condition is wrong"},
	{`Invalid workflow file`, "GitHub's annotation"},
	{`The workflow is not valid`, "actions/runner TemplateStrings of the workflow parser"},
}

// droppedSpellings say that GitHub itself cancelled what waited in a concurrency
// group.
var droppedSpellings = []spelling{
	{`Canceling since a higher priority waiting request for `, "ncihtan/data-models#252, geniusyield/atlas#92"},
	{`Canceling since a deadlock for concurrency group `, "rhysd/actionlint#538"},
	{`Canceling since a deadlock was detected for concurrency group`, "actions/languageservices#237"},
}

// toolSpellings are the last words of the runner and of GitHub's own actions where
// they failed at something that is not a test, whatever the step is called. A
// script ends with an exit code and says nothing of this kind.
var toolSpellings = []spelling{
	{`Docker (?:pull|build|login for .{1,300}|start|network create) fail(?:ed)? with exit code \d`, "actions/runner ContainerOperationProvider.cs, ActionManager.cs"},
	{`Can't find 'action\.yml', 'action\.yaml' or 'Dockerfile' `, "actions/runner ActionManager.cs"},
	{`An action could not be found at the URI `, "actions/runner ActionNotFoundException.cs"},
	{`Failed to download archive '.{1,500}' after `, "actions/runner ActionManager.cs"},
	{`Container (?:action is|operations are) only supported on Linux`, "actions/runner ContainerActionHandler.cs, DockerCommandManager.cs"},
	{`The template is not valid\.`, "actions/runner TemplateStrings.g.cs"},
	{`Failed to (?:Create|Finalize)Artifact: `, "actions/upload-artifact#307, actions/upload-artifact#531"},
	{`Unable to download artifact\(s\): `, "actions/download-artifact#433"},
	{`The process '(?:/\S{1,200}/|[A-Z]:\\.{1,200}\\)?git(?:\.exe)?' failed with exit code \d`, "actions/checkout#1660"},
}

// diskSpellings end a line that says that there is no room left on a disk, or in a
// quota of one.
var diskSpellings = []spelling{
	{`no space left on device\W*`, "ENOSPC in strerror(3) of glibc and musl; Go and Java"},
	{`no space left on device \((?:os error )?28\)\W*`, "Rust; rsync"},
	{`no space left on device ?: '.*`, "Python; .NET, of which the runner is: KLayout/klayout#1627"},
	{`no space left on device: unknown\W*`, "containerd, by way of docker"},
	{`no space left on device, (?:write|open|mkdir|copyfile|fsync|ftruncate|scandir)\b.*`, "Node: actions/runner-images#4822"},
	{`disk quota exceeded\W*`, "EDQUOT in strerror(3)"},
	{`disk quota exceeded: '.*`, "Python: qiita-spots/qiita#2965"},
	{`out of diskspace`, "git object-file.c"},
	{`database or disk is full\W*`, "SQLITE_FULL in SQLite's sqlite3ErrStr"},
	{`there is not enough space on the disk\b.{0,300}`, "ERROR_DISK_FULL of Windows"},
}

// memorySpellings say that memory ran out, or that the kernel ended something for
// that: such a test has failed, but people want to know.
var memorySpellings = []spelling{
	{`fatal error: Killed signal terminated program \w+`, "gcc.c: hoytech/strfry#41, Exiv2/exiv2#2185"},
	{`internal compiler error: Killed \(program \w+\)`, "gcc.c before 8: travis-ci/travis-ci#2407"},
	{`(?:virtual memory exhausted|fork|mmap|malloc).{0,100}: Cannot allocate memory\W*`, "ENOMEM in strerror(3); libiberty xmalloc.c"},
	{`collect2: fatal error: ld terminated with signal 9 \[Killed\].*`, "collect2.c: microsoft/vcpkg#22566"},
	{`LLVM ERROR: out of memory.*`, "LLVM ErrorHandling.cpp"},
	{`FATAL ERROR: .{0,200}JavaScript heap out of memory`, "V8: actions/upload-artifact#619, facebook/astryx#2386"},
	{`java\.lang\.OutOfMemoryError: .*`, "Java, OutOfMemoryError"},
	{`MemoryError\W*`, "Python, MemoryError"},
	{`fatal error: runtime: (?:out of memory|cannot allocate memory).*`, "Go, runtime mem_linux.go, malloc.go"},
	{`memory allocation of \d+ bytes failed.*`, "Rust, alloc.rs"},
	{`std::bad_alloc\W*`, "C++, what() in libstdc++"},
}

// cancelSpellings say that somebody stopped a step.
var cancelSpellings = []spelling{
	{`The operation was cancell?ed\.?`, "OperationCanceledException in .NET, which the runner prints as it is: actions/runner#2468"},
}

var (
	lostTexts       = compile(`^`, lostSpellings, ``)
	shutdownTexts   = compile(`^`, shutdownSpellings, ``)
	notStartedTexts = compile(`^`, notStartedSpellings, ``)
	droppedTexts    = compile(`^`, droppedSpellings, ``)
	toolTexts       = compile(`^`, toolSpellings, ``)
	diskFullTexts   = compile(`(?i)`, diskSpellings, `$`)
	memoryTexts     = compile(`(?:^|[\s:])`, memorySpellings, `$`)
	cancelTexts     = compile(`^`, cancelSpellings, `$`)
	// Limits: actions/runner JobRunner.cs, StepsRunner.cs, CompositeActionHandler.cs,
	// and the annotations of GitHub, which watches the job's limit, too.
	jobLimitTexts  = regexp.MustCompile(`^The job (?:running on runner .{0,200}? )?has exceeded the maximum execution time of `)
	stepLimitTexts = regexp.MustCompile(`^The (?:action|background step) (?:'.{0,300}' )?has timed out`)
	// actions/runner ScriptHandler.cs; the second one is that of older runners.
	exitTexts = regexp.MustCompile(`^(?:Process completed|Docker run failed) with exit code (\d{1,5})\.?$`)
	// GitHub's stamps in logs.
	timestampPattern = regexp.MustCompile(`^\x{feff}?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?`)
)
