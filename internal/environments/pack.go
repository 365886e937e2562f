// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Entry is a cell as it stands in a job matrix: what the workflow file itself
// must know. The cell is in the packed plan, under the entry's ID.
type Entry struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	RunsOn     []string `json:"runs-on"`
	JobMinutes int      `json:"job-minutes"`
	Optional   bool     `json:"optional"`
	LeaseWait  string   `json:"lease-wait,omitempty"`
	LeaseFor   string   `json:"lease-for,omitempty"`
	// Kind is there where a matrix has several.
	Kind Kind `json:"kind,omitempty"`
}

func (c Cell) entry() Entry {
	return Entry{c.ID, c.Name, c.RunsOn, c.JobMinutes, c.Optional, c.LeaseWait, c.LeaseFor, ""}
}

// Entries are the matrix of one kind, without those of OptionalLabs; never nil.
func (p Plan) Entries(kind Kind) []Entry {
	list := make([]Entry, 0, len(p.Cells[kind]))
	for _, c := range p.Cells[kind] {
		if !c.inOptionalLab() {
			list = append(list, c.entry())
		}
	}
	return list
}

// OptionalLabs are the matrix of all optional environments in labs; never nil.
func (p Plan) OptionalLabs() []Entry {
	list := []Entry{}
	for _, k := range Kinds() {
		for _, c := range p.Cells[k] {
			if c.inOptionalLab() {
				e := c.entry()
				e.Kind = k
				list = append(list, e)
			}
		}
	}
	return list
}

// Limits of a packed plan. It travels in one environment variable, and Linux
// starts no program with one of 128 KiB or more (MAX_ARG_STRLEN).
const (
	maxPacked   = 120 << 10
	maxUnpacked = 64 << 20
)

// Pack makes one word of a plan, in base64. All shards of an environment have
// nearly the same text, so that much of it becomes little.
func (p Plan) Pack() (string, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := z.Write(text); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	packed := base64.StdEncoding.EncodeToString(b.Bytes())
	if len(packed) > maxPacked || len(text) > maxUnpacked {
		return "", fault.New(fault.Configuration, "the list of environments is too long: packed it has %d KiB, and %d fit", len(packed)>>10, maxPacked>>10).
			WithHint("move long commands into files of the project, or start several workflows")
	}
	return packed, nil
}

// Unpack reads what Pack made.
func Unpack(packed string) (Plan, error) {
	var p Plan
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(packed))
	var z *gzip.Reader
	if err == nil {
		z, err = gzip.NewReader(bytes.NewReader(data))
	}
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(z, maxUnpacked))
	}
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		return Plan{}, fault.New(fault.Configuration, "the variable PLAN is not what 'environments plan' made").
			WithHint("set it to ${{ fromJSON(needs.plan.outputs.plan) }}")
	}
	return p, nil
}

// ParseCell finds a job's cell: by its ID in a packed plan, or as JSON of its own,
// for those who run one by hand.
func ParseCell(cell, packed string) (Cell, error) {
	var c Cell
	if strings.HasPrefix(cell, "{") {
		if json.Unmarshal([]byte(cell), &c) != nil {
			c = Cell{}
		}
	} else if packed != "" {
		p, err := Unpack(packed)
		if err != nil {
			return c, err
		}
		for _, k := range Kinds() {
			if i := slices.IndexFunc(p.Cells[k], func(c Cell) bool { return c.ID == cell }); i >= 0 {
				c = p.Cells[k][i]
			}
		}
	}
	if c.ID == "" || c.Command == "" || c.Minutes < 1 {
		return c, fault.New(fault.Configuration, "the variable CELL names no cell of the plan").
			WithHint("set it to ${{ matrix.id }} and PLAN to ${{ fromJSON(needs.plan.outputs.plan) }}, in a job whose matrix comes from 'environments plan'")
	}
	return c, nil
}
