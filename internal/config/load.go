// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Source is where the configuration comes from.
type Source struct {
	// Getenv reads an environment variable; "" stands for one that is not set.
	Getenv func(string) string
	// ReadFile reads a file, relative to the working folder.
	ReadFile func(string) ([]byte, error)
	// Flags are inputs from the command line, by the input's name; they win
	// over the environment. Inputs that hold secrets are refused here.
	Flags map[string]string
}

// Load reads and checks the whole configuration: from inputs alone if a Gerrit
// address is among them, else from a file. The error is a fault.Configuration
// and holds Problems, all that were found.
func Load(src Source) (*Config, error) {
	l := &loader{src: src, places: map[any]Place{}}
	l.checkFlags()
	c := &Config{Command: l.input("command"), DryRun: l.boolInput("dry-run")}
	var f *file
	if l.input("gerrit-url") != "" {
		f = l.inputsAsFile()
	} else {
		f = l.readFile()
	}
	if f != nil {
		c.Projects = l.build(f)
	}
	if len(l.problems) > 0 {
		return nil, fault.Wrap(fault.Configuration, l.problems.sorted())
	}
	return c, nil
}

// loader carries what one Load knows. Values are found in places by the
// address of their field, so the types of the file stay plain.
type loader struct {
	src      Source
	file     string
	values   int
	places   map[any]Place
	problems Problems
	read     int // how many problems were found in single values

	// From the runner's variables and the inputs; see readEnvironment.
	serverURL, apiURL string
	app               *App
}

func (l *loader) fail(at Place, hint, format string, args ...any) {
	l.report(at, bad(hint, format, args...))
}

// report notes what is wrong at a place, once: a default is looked at for each
// project. A value that failed its own check is left alone by the checks that
// compare values.
func (l *loader) report(at Place, err error) {
	if err == nil || len(l.problems) == maxProblems {
		return
	}
	p := Problem{Place: at, Text: err.Error(), Hint: fault.HintOf(err)}
	failed := func(q Problem) bool { return q.Place == at }
	if !slices.Contains(l.problems, p) && !slices.ContainsFunc(l.problems[:l.read], failed) {
		l.problems = append(l.problems, p)
	}
}

func (l *loader) place(n *yaml.Node) Place {
	return Place{File: l.file, Line: n.Line, Column: n.Column}
}

// given reports whether the value behind a pointer was given, right or wrong.
func (l *loader) given(pointer any) bool {
	_, ok := l.places[pointer]
	return ok
}

// near returns the place of the first of the values that was given.
func (l *loader) near(pointers ...any) Place {
	for _, p := range pointers {
		if at, ok := l.places[p]; ok {
			return at
		}
	}
	return Place{File: l.file}
}

// readFile reads and decodes the configuration file; nil means that there is
// nothing to go on with.
func (l *loader) readFile() *file {
	l.file = l.input("config")
	if l.file == "" {
		l.file = defaultFile
	}
	data, err := l.src.ReadFile(l.file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && l.input("config") == "":
		l.fail(Place{Input: "gerrit-url"}, "give gerrit-url and gerrit-project, or write the file; in a job, actions/checkout must come before this step", "it is not given, and there is no file %s", defaultFile)
		return nil
	case err != nil:
		l.fail(Place{Input: "config"}, "check the name; in a job, actions/checkout must come before this step", "failed to read %s: %w", quote(l.file), cause(err))
		return nil
	}
	l.refuseProjectInputs()
	return l.parse(data)
}

// cause leaves out the file's name, which is quoted elsewhere.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

func (l *loader) parse(data []byte) *file {
	whole := Place{File: l.file}
	if len(data) > maxFile {
		l.fail(whole, "", "the file has more than %d bytes", maxFile)
		return nil
	}
	if !utf8.Valid(data) {
		l.fail(whole, "save it as UTF-8", "the file is not UTF-8 text")
		return nil
	}
	var doc, second yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) {
		l.fail(whole, "docs/dispatcher.example.yml shows what it can hold", "the file is empty")
		return nil
	}
	if err == nil {
		err = d.Decode(&second)
		if err == nil {
			l.fail(l.place(second.Content[0]), "remove the '---' line and what follows it", "the file must hold one document only")
			return nil
		}
	}
	if !errors.Is(err, io.EOF) {
		l.syntaxError(err)
		return nil
	}
	f := new(file)
	l.decode(doc.Content[0], reflect.ValueOf(f).Elem())
	return f
}

// yamlLine finds the line in the YAML package's errors, which have no field for it.
var yamlLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(.*)`)

func (l *loader) syntaxError(err error) {
	at, text := Place{File: l.file}, change.OneLine(change.Clip(err.Error(), 200))
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			at.Line, at.Column = n, 1
		}
		text = m[2]
	}
	l.fail(at, "look at the lines around it: indentation, quotes and colons", "the file is not YAML: %s", text)
}
