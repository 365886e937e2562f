// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// ballot is what must be known of a change before one votes on it.
type ballot struct {
	project, branch string
	owner           int  // account id
	inactive        bool // the owner's account
	status          change.Status
	labels          map[string][2]int // all labels, from the lowest value to the highest
	mine            map[string][2]int // what this account may vote now
}

// Ranges returns what the account that is used may vote on a change as it is now:
// the lowest and highest value by label. Labels that it may not vote on are left
// out; on an abandoned change there are none, on a merged one votes can only be
// raised. The error is ErrGone where there is no such change.
func (c *Client) Ranges(ctx context.Context, a change.Address) (map[string][2]int, error) {
	b, err := c.ballot(ctx, a)
	if err != nil {
		return nil, failedOn(fmt.Sprintf("read the labels of change %d", a.Number), err, a)
	}
	return b.mine, nil
}

// ballot reads labels and rights. It leaves it to the caller to say what failed.
func (c *Client) ballot(ctx context.Context, a change.Address) (ballot, error) {
	options := url.Values{"o": {"DETAILED_LABELS", "DETAILED_ACCOUNTS", skipDiffstat}}
	var info struct {
		Number  int    `json:"_number"`
		Project string `json:"project"`
		Branch  string `json:"branch"`
		Owner   struct {
			ID       int  `json:"_account_id"`
			Inactive bool `json:"inactive"`
		} `json:"owner"`
		Status    string              `json:"status"`
		Permitted map[string][]string `json:"permitted_labels"`
		Labels    map[string]struct {
			Values map[string]string `json:"values"`
		} `json:"labels"`
	}
	if err := c.about(ctx, a, "?"+options.Encode(), &info); err != nil {
		return ballot{}, err
	}
	b := ballot{
		project: info.Project, branch: info.Branch, owner: info.Owner.ID, inactive: info.Owner.Inactive,
		status: change.Status(info.Status), labels: map[string][2]int{}, mine: map[string][2]int{},
	}
	if info.Number != a.Number || info.Project != a.Project || b.owner <= 0 {
		return ballot{}, errors.New("the answer is not about that change")
	}
	for name, label := range info.Labels {
		if err := addRange(b.labels, name, slices.Collect(maps.Keys(label.Values))); err != nil {
			return ballot{}, err
		}
	}
	for name, values := range info.Permitted {
		if err := addRange(b.mine, name, values); err != nil {
			return ballot{}, err
		}
	}
	return b, checkStatus(b.status)
}

// addRange reads a label's values as Gerrit writes them: "-1", " 0", "+1".
func addRange(ranges map[string][2]int, label string, values []string) error {
	for i, text := range values {
		v, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("label %q has a value %q", change.Clip(label, 60), change.Clip(text, 60))
		}
		r := [2]int{v, v}
		if i > 0 {
			r = [2]int{min(ranges[label][0], v), max(ranges[label][1], v)}
		}
		ranges[label] = r
	}
	return nil
}

// name returns the server's spelling of a label: Gerrit looks labels up whatever
// their case (LabelTypes#byLabel; seen on a real 3.13.5). A label that it does not
// have keeps its name.
func (b *ballot) name(label string) string {
	if _, exact := b.labels[label]; exact {
		return label
	}
	for _, name := range slices.Sorted(maps.Keys(b.labels)) {
		if strings.EqualFold(name, label) {
			return name
		}
	}
	return label
}

// refusal says why a vote cannot be set, or "". A vote can be taken back without
// any right, but for a merged change's.
func (b *ballot) refusal(label string, value int, who string) string {
	all, known := b.labels[label]
	mine, permitted := b.mine[label]
	switch {
	case !known:
		return "the change has no such label"
	case value < all[0] || value > all[1]:
		return fmt.Sprintf("its values go from %s to %s", signed(all[0]), signed(all[1]))
	case b.status == change.Abandoned:
		return "the change is abandoned"
	case value == 0 && (b.status == change.New || !permitted):
		return ""
	case !permitted:
		return who + " may not vote on it"
	case value < mine[0] || value > mine[1]:
		return fmt.Sprintf("%s may vote on it from %s to %s only", who, signed(mine[0]), signed(mine[1]))
	}
	return ""
}

// signed writes a vote's value as people know it.
func signed(v int) string {
	if v == 0 {
		return "0"
	}
	return fmt.Sprintf("%+d", v)
}
