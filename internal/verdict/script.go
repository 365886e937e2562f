// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"regexp"
	"slices"
	"strings"
)

// maxCommands is how many commands of a script are looked at, maxScript how many
// bytes.
const (
	maxCommands = 50
	maxScript   = 8 << 10
)

// commands splits a script of a step into its simple commands. ok is false where
// it does more than to run one command after another: such a script is not looked
// through.
func commands(script string) (list []string, ok bool) {
	if len(script) > maxScript {
		return nil, false
	}
	var word strings.Builder
	next := func() bool {
		if c := strings.TrimSpace(word.String()); c != "" && !strings.HasPrefix(c, "#") && !strings.HasPrefix(c, "set ") {
			list = append(list, c)
		}
		word.Reset()
		return len(list) <= maxCommands
	}
	var quote byte
	for i := 0; i < len(script); i++ {
		c := script[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(script):
			i++
			if script[i] != '\n' {
				word.WriteByte(c)
				word.WriteByte(script[i])
			} else {
				word.WriteByte(' ')
			}
			continue
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == quote:
			quote = 0
		case quote == '\'':
		case c == '`', c == '$' && i+1 < len(script) && script[i+1] == '(':
			return nil, false
		case quote != 0:
		case c == '\n', c == ';', c == '&' && i+1 < len(script) && script[i+1] == '&':
			if !next() {
				return nil, false
			}
			if c == '&' {
				i++
			}
			continue
		case strings.IndexByte("|&<>(){}", c) >= 0 && !isVariable(script, i):
			return nil, false
		}
		word.WriteByte(c)
	}
	return list, next() && quote == 0 && len(list) > 0
}

// isVariable reports whether a brace is one of ${NAME}.
func isVariable(script string, i int) bool {
	if script[i] == '{' {
		return i > 0 && script[i-1] == '$'
	}
	if script[i] != '}' {
		return false
	}
	open := strings.LastIndexByte(script[:i], '{')
	return open > 0 && script[open-1] == '$' && !strings.ContainsAny(script[open:i], " \n;")
}

// Commands that fetch and install what others have made. One that names a file
// or a folder of the source is none of them.
var setupCommands = regexp.MustCompile(`^(?:sudo (?:-\S+ )*)?(?:` + strings.Join([]string{
	`(?:\w+=\S* )*(?:apt-get|apt|dnf|yum|apk|zypper) (?:-\S+ |\S+::\S+ )*(?:update|upgrade|install|add|makecache|clean)(?: [^\s/.]\S*)*`,
	`(?:docker|podman) (?:pull|login)(?: \S+)+`,
	`git clone(?: \S+)+`,
	`(?:curl|wget) (?:\S+ )*https://\S+(?: \S+)*`,
	`gh (?:release|run) download(?: \S+)*`,
	`aws s3 (?:cp|sync)(?: \S+)+`,
	`dispatcher (?:environments (?:plan|prepare|watch|combine)|host (?:lease|release)|image pull)\b.*`,
}, "|") + `)$`)

// isSetupScript reports whether a script only fetches and installs.
func isSetupScript(script string) bool {
	list, ok := commands(script)
	return ok && !slices.ContainsFunc(list, func(c string) bool { return !setupCommands.MatchString(c) || ownThings.MatchString(c) })
}

// ownThings are what a patch may have built or started: files of packages, and
// servers of this machine. They are no set-up, whatever is done with them.
var ownThings = regexp.MustCompile(` [^\s:]+\.(?:deb|rpm|apk)["']?(?: |$)|://(?:[^\s/@]*@)?(?:localhost|127\.|0\.0\.0\.0|\[::)`)

// ourCommand runs a test by way of our program, which says how it ended (see own).
var ourCommand = regexp.MustCompile(`^(?:sudo (?:-\S+ )*)?dispatcher (?:guest|environments) run\b`)

// isOurScript reports whether a script is nothing but such a command: whatever else
// it ran could write what our program writes.
func isOurScript(script string) bool {
	list, ok := commands(script)
	return ok && len(list) == 1 && ourCommand.MatchString(list[0])
}
