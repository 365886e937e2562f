// SPDX-License-Identifier: BSD-3-Clause

package findings

// maxArguments bounds the values that are put into a message.
const maxArguments = 20

// result is one result, as far as it is read.
type result struct {
	rule, level, text, markdown, message string
	index                                int // of the rule, or -1
	arguments                            []string
	kind, baseline                       string
	suppressed                           bool
	file                                 location
	line, endLine                        int
	placed                               bool
}

// wanted reports whether a result is about something that is wrong now, and
// says what.
func (r result) wanted() bool {
	silent := r.rule == "" && r.index < 0 && r.text == "" && r.markdown == "" && r.message == ""
	return !silent && (r.kind == "" || r.kind == "fail") && r.baseline != "absent" && !r.suppressed
}

// result reads one result.
func (p *sarif) result(a *analysis) error {
	r := result{index: -1, file: location{index: -1}}
	err := p.object(func(name string) error {
		switch name {
		case "ruleId":
			return p.text(&r.rule)
		case "ruleIndex":
			return p.number(&r.index)
		case "rule":
			return p.ruleReference(&r)
		case "level":
			return p.text(&r.level)
		case "kind":
			return p.text(&r.kind)
		case "baselineState":
			return p.text(&r.baseline)
		case "suppressions":
			return p.array(func(int) error { return p.suppression(&r) })
		case "message":
			return p.resultMessage(&r)
		case "locations":
			return p.array(func(int) error { return p.place(&r) })
		}
		return p.skip()
	})
	switch {
	case err != nil || !r.wanted():
	case len(p.Findings)+len(a.results) >= MaxFindings:
		p.More++
	default:
		a.results = append(a.results, r)
	}
	return err
}

// ruleReference reads a reportingDescriptorReference. Its index counts within
// the component that it names, which only the id leads to.
func (p *sarif) ruleReference(r *result) error {
	elsewhere := false
	err := p.object(func(name string) error {
		switch name {
		case "id":
			return p.text(&r.rule)
		case "index":
			return p.number(&r.index)
		case "toolComponent":
			elsewhere = true
		}
		return p.skip()
	})
	if elsewhere {
		r.index = -1
	}
	return err
}

// suppression counts unless it was only asked for, or refused.
func (p *sarif) suppression(r *result) error {
	status := ""
	err := p.field("status", &status)
	r.suppressed = r.suppressed || status == "" || status == "accepted"
	return err
}

func (p *sarif) resultMessage(r *result) error {
	return p.object(func(name string) error {
		switch name {
		case "text":
			return p.text(&r.text)
		case "markdown":
			return p.text(&r.markdown)
		case "id":
			return p.text(&r.message)
		case "arguments":
			return p.array(func(int) error {
				var s string
				err := p.text(&s)
				if len(r.arguments) < maxArguments {
					r.arguments = append(r.arguments, s)
				}
				return err
			})
		}
		return p.skip()
	})
}
