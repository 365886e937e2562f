// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"bytes"
	"encoding/json"
	"strings"
)

// goOutput returns what an event of "go test -json" (cmd/test2json) says was
// printed, and any other line as it is; false for an event without output. It
// turns to the package that the event is of.
func (r *Reader) goOutput(line []byte) ([]byte, bool) {
	if !bytes.HasPrefix(line, []byte("{")) || !bytes.Contains(line, []byte(`"Action":"`)) {
		return line, true
	}
	var event struct{ Action, Package, ImportPath, Test, Output string }
	switch err := json.Unmarshal(line, &event); {
	case err != nil || event.Package == "" && event.ImportPath == "":
		return line, true
	case event.Test != "" && (event.Action == "pass" || event.Action == "fail"):
		r.ran("go", "1")
		return nil, false
	case event.Action != "output" && event.Action != "build-output":
		return nil, false
	}
	r.goTurn(clip(event.Package, maxName))
	if event.Test != "" {
		r.golang.run = clip(event.Test, maxName)
	}
	return []byte(strings.TrimRight(event.Output, " \t\r\n")), true
}

// maxPackages is how many packages of Go are followed at the same time.
const maxPackages = 32

// goTurn turns to another package that is tested at the same time.
func (r *Reader) goTurn(name string) {
	if r.golang.name == name {
		return
	}
	if r.packages == nil {
		r.packages = map[string]*golang{}
	}
	if last := r.golang; len(last.said)+len(last.open) > 0 {
		r.packages[last.name] = &last
	}
	r.block = nil
	next := r.packages[name]
	if next == nil {
		next = &golang{}
	}
	delete(r.packages, name)
	if len(r.packages) > maxPackages {
		clear(r.packages)
	}
	r.golang = *next
	r.golang.name = name
}
