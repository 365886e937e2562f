// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// ParseWorkflow reads what a workflow file declares about its triggers. It
// reads nothing of its jobs and does not judge whether GitHub would accept the
// file; it refuses what is not YAML, and triggers whose form GitHub would not
// understand. Syntax: "Workflow syntax for GitHub Actions", on and run-name.
func ParseWorkflow(data []byte) (change.WorkflowFile, error) {
	if len(data) > maxWorkflowFile {
		return change.WorkflowFile{}, errTooLarge
	}
	// Decoding into a Node copies no aliases, so that no alias can blow up.
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return change.WorkflowFile{}, fmt.Errorf("it is not YAML: %w", err)
	}
	if len(doc.Content) == 0 {
		return change.WorkflowFile{}, errors.New("it is empty")
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return change.WorkflowFile{}, at(root, "the file must hold a mapping")
	}
	file := change.WorkflowFile{Found: true, RunName: scalar(field(root, "run-name"))}
	on := field(root, "on")
	if on == nil {
		return change.WorkflowFile{}, errors.New("it has no triggers (on:)")
	}
	if err := readTriggers(&file, on); err != nil {
		return change.WorkflowFile{}, err
	}
	return file, nil
}

// readTriggers reads on: one event, a list of events, or a mapping from events
// to their settings.
func readTriggers(file *change.WorkflowFile, on *yaml.Node) error {
	switch on.Kind {
	case yaml.ScalarNode:
		file.Events = []string{on.Value}
	case yaml.SequenceNode:
		events, err := texts(on, "on:")
		if err != nil {
			return err
		}
		file.Events = events
	case yaml.MappingNode:
		for name, settings := range pairs(on) {
			file.Events = append(file.Events, name)
			if err := readTrigger(file, name, settings); err != nil {
				return err
			}
		}
	default:
		return at(on, "on: must be an event, a list or a mapping")
	}
	slices.Sort(file.Events)
	file.Events = slices.Compact(file.Events)
	return nil
}

// readTrigger reads the settings of the two events that we send.
func readTrigger(file *change.WorkflowFile, name string, settings *yaml.Node) error {
	if name != "workflow_dispatch" && name != "repository_dispatch" || isNull(settings) {
		return nil
	}
	if settings.Kind != yaml.MappingNode {
		return at(settings, "the settings of "+name+" must be a mapping")
	}
	if name == "workflow_dispatch" {
		return readInputs(file, field(settings, "inputs"))
	}
	types := field(settings, "types")
	if types == nil || isNull(types) {
		return nil
	}
	if types.Kind == yaml.ScalarNode {
		file.EventTypes = []string{types.Value}
		return nil
	}
	var err error
	file.EventTypes, err = texts(types, "types of repository_dispatch")
	return err
}

func readInputs(file *change.WorkflowFile, inputs *yaml.Node) error {
	if inputs == nil || isNull(inputs) {
		return nil
	}
	if inputs.Kind != yaml.MappingNode {
		return at(inputs, "the inputs of workflow_dispatch must be a mapping")
	}
	file.Inputs = map[string]change.WorkflowInput{}
	for name, settings := range pairs(inputs) {
		input, err := readInput(name, settings)
		if err != nil {
			return err
		}
		file.Inputs[name] = input
	}
	return nil
}

func readInput(name string, settings *yaml.Node) (change.WorkflowInput, error) {
	var input change.WorkflowInput
	if isNull(settings) {
		return input, nil
	}
	if settings.Kind != yaml.MappingNode {
		return input, at(settings, fmt.Sprintf("the settings of input %q must be a mapping", change.Clip(name, 60)))
	}
	input.Required = strings.EqualFold(scalar(field(settings, "required")), "true")
	input.Default = scalar(field(settings, "default"))
	options := field(settings, "options")
	if scalar(field(settings, "type")) != "choice" || options == nil {
		return input, nil
	}
	var err error
	input.Options, err = texts(options, fmt.Sprintf("the options of input %q", change.Clip(name, 60)))
	return input, err
}
