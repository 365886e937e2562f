// SPDX-License-Identifier: BSD-3-Clause

// Package environments knows what a patchset is tested in: it reads lists of
// environments, tells all mistakes in them at once, makes the cells of a job
// matrix of them, decides when a lab counts as offline, and adds up results.
//
// It runs nothing, opens no connection and knows no workflow file; the commands
// behind the reusable workflows (internal/app) do.
package environments

import (
	_ "embed"

	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
)

// Kind is where an environment's jobs run.
type Kind string

// The kinds.
const (
	Docker Kind = "docker" // in a container
	Guest  Kind = "guest"  // in a QEMU guest
	Metal  Kind = "metal"  // on the host itself, which is leased
)

// Kinds are all of them, in the order of help texts.
func Kinds() []Kind { return []Kind{Docker, Guest, Metal} }

// Environment is one thing to test in.
type Environment struct {
	// Name is shown in the jobs' names: lower-case letters, digits, '.', '_', '-'.
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// RunsOn are the labels of the runner. Default: ubuntu-24.04 for containers,
	// [self-hosted, linux, x64, qemuhost] for guests, none for metal.
	RunsOn Labels `json:"runs-on,omitempty"`
	// Image is the container's, or a guest's: NAME, NAME:ALIAS, NAME@VERSION of
	// the storage, or the path of a file on the host.
	Image string `json:"image,omitempty"`
	// Command is handed to sh in the source's folder.
	Command string `json:"command,omitempty"`
	// Variables are the lines NAME=VALUE of auto.conf, which the command finds
	// beside the source's folder.
	Variables []string `json:"variables,omitempty"`
	// Tests are variables that are 1 in one shard's auto.conf and 0 in the others'.
	Tests []string `json:"tests,omitempty"`
	// Shards is the number of parallel jobs; 0 is what the caller says.
	Shards int `json:"shards,omitempty"`
	// Minutes is how long the command may take.
	Minutes int `json:"minutes,omitempty"`
	// Results are files and folders to keep, seen from the source's folder. What
	// begins with '!' is a pattern of what is left out of them.
	Results []string `json:"results,omitempty"`
	// Optional environments are told of and do not fail the run. Those of labs do not
	// hold it up either.
	Optional bool `json:"optional,omitempty"`
	// DockerOptions are what a container may do beyond what docker allows to each.
	DockerOptions []string `json:"docker-options,omitempty"`
	// Privileged is how the option of that name was written before there were others.
	Privileged bool `json:"privileged,omitempty"`
	// Machine describes a guest's computer.
	Machine machine.Machine `json:"machine,omitempty"`
}

// Cell is one job of the matrix.
type Cell struct {
	// ID is fit for the name of an artifact, and unique in its run.
	ID string `json:"id"`
	// Name is the job's.
	Name        string   `json:"name"`
	Environment string   `json:"environment"`
	Kind        Kind     `json:"kind"`
	RunsOn      []string `json:"runs-on"`
	Image       string   `json:"image"`
	Command     string   `json:"command"`
	// Conf is the text of auto.conf.
	Conf string `json:"conf"`
	// Shard counts from 1 to Shards.
	Shard  int `json:"shard"`
	Shards int `json:"shards"`
	// Minutes is the time limit of the command, JobMinutes that of the job.
	Minutes    int      `json:"minutes"`
	JobMinutes int      `json:"job-minutes"`
	Results    []string `json:"results"`
	Optional   bool     `json:"optional"`
	// DockerOptions are for DockerArgs.
	DockerOptions []string `json:"docker-options"`
	// LeaseWait and LeaseFor are durations for "host lease".
	LeaseWait string `json:"lease-wait"`
	LeaseFor  string `json:"lease-for"`
	// Machine describes a guest's computer, as JSON text.
	Machine string `json:"machine"`
}

// Default is what is tested where nobody says otherwise: SPDK's unit tests and
// its NVMe tests.
//
//go:embed default.yml
var Default []byte

// Schema is the JSON Schema of a list of environments.
//
//go:embed schema.json
var Schema []byte
