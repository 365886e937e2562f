// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"cmp"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// maxListed bounds the rules, files and folders of one run that are remembered.
const maxListed = 10_000

// SARIF reads a log of SARIF 2.1.0: the results that failed, each at its first
// place. Suppressed and absent results are left out, fixes are not read. file
// names it in errors. An error says what was wrong and where; the report then
// holds all that was read before.
func SARIF(file string, r io.Reader) (Report, error) {
	p := sarif{walker: newWalker(r), collector: newCollector(file)}
	runs := false
	err := p.object(func(name string) error {
		if name != "runs" {
			return p.skip()
		}
		runs = true
		return p.array(func(int) error { return p.analysis() })
	})
	switch {
	case err == io.EOF && p.dec.InputOffset() == 0:
		err = errors.New("it is empty")
	case err == nil && !runs:
		err = errors.New("it has no runs, so it is no SARIF log")
	}
	if err != nil {
		return p.Report, wrong(file, p.where(), err)
	}
	return p.Report, nil
}

// sarif is the reader's state.
type sarif struct {
	collector
	*walker
}

// analysis is one run of a tool. Results may stand before the rules that they
// refer to, so they are resolved when it ends.
type analysis struct {
	tool    string
	rules   map[string]*rule
	byIndex []*rule // of the tool's driver
	bases   map[string]location
	files   []location
	results []result
}

// rule is what a tool says about a kind of result (reportingDescriptor).
type rule struct {
	id, level, text string
	messages        map[string]string
}

// analysis reads one run, and keeps what it had even when it breaks off.
func (p *sarif) analysis() error {
	a := analysis{rules: map[string]*rule{}, bases: map[string]location{}}
	err := p.object(func(name string) error {
		switch name {
		case "tool":
			return p.object(func(name string) error { return p.tool(&a, name) })
		case "originalUriBaseIds":
			return p.object(func(id string) error {
				l, err := p.location()
				if len(a.bases) < maxListed {
					a.bases[id] = l
				}
				return err
			})
		case "artifacts":
			return p.array(func(int) error { return p.artifact(&a) })
		case "results":
			return p.array(func(int) error { return p.result(&a) })
		}
		return p.skip()
	})
	for _, r := range a.results {
		p.keep(&a, r)
	}
	return err
}

// tool reads the driver and the extensions, both of which have rules.
func (p *sarif) tool(a *analysis, name string) error {
	component := func(driver bool) error {
		return p.object(func(name string) error {
			switch {
			case name == "name" && driver:
				return p.text(&a.tool)
			case name == "rules":
				return p.array(func(int) error { return p.rule(a, driver) })
			}
			return p.skip()
		})
	}
	switch name {
	case "driver":
		return component(true)
	case "extensions":
		return p.array(func(int) error { return component(false) })
	}
	return p.skip()
}

func (p *sarif) rule(a *analysis, driver bool) error {
	r := &rule{messages: map[string]string{}}
	err := p.object(func(name string) error {
		switch name {
		case "id":
			return p.text(&r.id)
		case "defaultConfiguration":
			return p.field("level", &r.level)
		case "shortDescription":
			return p.field("text", &r.text)
		case "messageStrings":
			return p.object(func(id string) error {
				var text string
				err := p.field("text", &text)
				if len(r.messages) < maxAttrs {
					r.messages[id] = text
				}
				return err
			})
		}
		return p.skip()
	})
	if err == nil && len(a.rules) < maxListed && len(a.byIndex) < maxListed {
		a.rules[r.id] = r
		if driver {
			a.byIndex = append(a.byIndex, r)
		}
	}
	return err
}

// field takes an object and keeps one text of it.
func (p *sarif) field(wanted string, to *string) error {
	return p.object(func(name string) error {
		if name == wanted {
			return p.text(to)
		}
		return p.skip()
	})
}

// keep turns a result into a finding.
func (p *sarif) keep(a *analysis, r result) {
	about := a.rules[r.rule]
	if about == nil && r.index >= 0 && r.index < len(a.byIndex) {
		about = a.byIndex[r.index]
	}
	if about == nil { // "CA1000/1" is a variety of "CA1000" (section 3.27.5)
		if about = a.rules[path.Dir(r.rule)]; about == nil {
			about = &rule{}
		}
	}
	text := fill(cmp.Or(r.text, about.messages[r.message], r.markdown, about.text), r.arguments)
	at := Place{Path: a.resolve(r.file), Line: r.line, EndLine: r.endLine}
	level := cmp.Or(r.level, about.level, "warning")
	p.add(Finding{Severity: severityOfLevel(level), Title: cmp.Or(r.rule, about.id), Text: text, Source: a.tool}, at)
}

// fill puts arguments where a message has {0}, {1}, ... (section 3.11.5).
func fill(text string, arguments []string) string {
	var pairs []string
	for i, s := range arguments {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", change.Clip(s, maxTitle))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// severityOfLevel reads SARIF's levels: error, warning, note and none.
func severityOfLevel(level string) Severity {
	switch level {
	case "error":
		return Failure
	case "warning":
		return Warning
	default:
		return Notice
	}
}
