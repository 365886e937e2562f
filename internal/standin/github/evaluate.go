// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"regexp"
	"strings"
)

// expression is ${{ ... }} in a run-name.
var expression = regexp.MustCompile(`\$\{\{(.*?)\}\}`)

// title evaluates a workflow's run-name for a run. It knows the contexts that
// a dispatched run can name itself by, literals and "||"; everything else is
// an empty text, as an absent property is at GitHub.
func (w *workflow) title(run *Run) string {
	title := expression.ReplaceAllStringFunc(w.runName, func(text string) string {
		for operand := range strings.SplitSeq(expression.FindStringSubmatch(text)[1], "||") {
			if value := evaluate(strings.TrimSpace(operand), w, run); value != "" {
				return value
			}
		}
		return ""
	})
	if strings.TrimSpace(title) == "" {
		return w.name
	}
	return title
}

func evaluate(operand string, w *workflow, run *Run) string {
	if n := len(operand); n >= 2 && operand[0] == '\'' && operand[n-1] == '\'' {
		return strings.ReplaceAll(operand[1:n-1], "''", "'")
	}
	for _, prefix := range []string{"inputs.", "github.event.inputs."} {
		if name, ok := strings.CutPrefix(operand, prefix); ok {
			return run.Inputs[name]
		}
	}
	if path, ok := strings.CutPrefix(operand, "github.event.client_payload."); ok {
		return payloadValue(run.Payload, strings.Split(path, "."))
	}
	switch operand {
	case "github.workflow":
		return w.name
	case "github.event_name":
		return run.Event
	case "github.event.action":
		return run.EventType
	case "github.ref_name":
		return run.Branch
	case "github.sha":
		return run.Head
	case "github.repository":
		return run.Repository
	case "github.actor":
		return run.Actor
	}
	return ""
}

// payloadValue follows a path into a client_payload.
func payloadValue(payload map[string]any, path []string) string {
	value, ok := payload[path[0]]
	if !ok || value == nil {
		return ""
	}
	if inner, ok := value.(map[string]any); ok {
		if len(path) > 1 {
			return payloadValue(inner, path[1:])
		}
		return "Object" // what GitHub's expressions make of one
	}
	if len(path) > 1 {
		return ""
	}
	return fmt.Sprint(value)
}
