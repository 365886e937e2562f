// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// realChange is what Gerrit 3.13.5 said of a change, shortened.
const realChange = `{"id":"spdk%2Fspdk~7","triplet_id":"spdk%2Fspdk~master~Ib097efb75f9d12f0013c9db802e66ef0eebc2abd",
"project":"spdk/spdk","branch":"master","hashtags":[],"change_id":"Ib097efb75f9d12f0013c9db802e66ef0eebc2abd","subject":"change 1-7",
"status":"NEW","created":"2026-11-24 21:46:34.000000000","updated":"2026-11-24 21:49:14.000000000","submit_type":"MERGE_IF_NECESSARY",
"total_comment_count":0,"has_review_started":true,"_number":7,"virtual_id_number":7,
"owner":{"_account_id":1000000,"name":"Administrator","email":"admin@example.com","username":"admin"},
"labels":{"Code-Review":{"values":{"-1":"no"," 0":"No score"},"default_value":0,"optional":true,
 "all":[{"value":0,"permitted_voting_range":{"min":-2,"max":2},"_account_id":1000000}]},
 "CI":{"all":[{"value":-1,"date":"2026-11-24 21:49:14.000000000","_account_id":1000001,"username":"ci"}]}},
"removable_reviewers":[],"reviewers":{},"current_revision_number":1,"current_revision":"1dc2aa8abf4a54f93e1cdc8e9f38449477bf6bb6",
"revisions":{"1dc2aa8abf4a54f93e1cdc8e9f38449477bf6bb6":{"kind":"REWORK","_number":1,"created":"2026-11-24 21:46:34.000000000",
 "uploader":{"_account_id":1000000},"ref":"refs/changes/07/7/1","fetch":{},"branch":"refs/heads/master",
 "commit":{"parents":[{"commit":"95adf3feaea3abaccb0751382ba2d88aaf4a6f86","subject":"x"}],"author":{"name":"A","email":"a@example.com","date":"2026-11-24 21:46:30.000000000","tz":60},"subject":"change 1-7","message":"change 1-7\n"},
 "files":{"f4-6":{"old_mode":33188,"new_mode":33188,"lines_inserted":1,"size_delta":0,"size":6},"/COMMIT_MSG":{"status":"A"},"/PATCHSET_LEVEL":{},"/MERGE_LIST":{}}}},
"requirements":[],"submit_records":[{"rule_name":"gerrit~DefaultSubmitRule","status":"OK","labels":[{"label":"Code-Review","status":"MAY"}]}]}`

func parse(text string) (change.Change, error) {
	var info changeInfo
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		return change.Change{}, err
	}
	return decode(&info)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	c, err := parse(realChange)
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(c); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"f4-6"}, c.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]change.Vote{{Label: "CI", Value: -1, Account: change.Account{ID: 1000001, Username: "ci"},
		At: time.Date(2026, 11, 24, 21, 49, 14, 0, time.UTC)}}, c.Votes); diff != "" {
		t.Errorf("votes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]change.Revision{"95adf3feaea3abaccb0751382ba2d88aaf4a6f86"}, c.Current.Parents); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	if c.ID() != (change.ID{Change: 7, Patchset: 1}) || c.Updated.Minute() != 49 || c.Current.Created.Minute() != 46 || c.Owner.Email != "admin@example.com" {
		t.Errorf("got %+v", c)
	}
}

func TestDecodePatchsets(t *testing.T) {
	t.Parallel()
	revision := func(digit string, number int, more string) string {
		return fmt.Sprintf(`"%s":{"_number":%d,"ref":"refs/changes/07/7/%d","uploader":{"_account_id":1}%s}`, strings.Repeat(digit, 40), number, number, more)
	}
	tests := []struct{ name, revisions, problem string }{
		{"three", revision("1", 3, "") + "," + revision("2", 1, "") + "," + revision("3", 2, ""), ""},
		{"a gap", revision("1", 9, "") + "," + revision("2", 4, ""), ""},
		{"the same twice", revision("1", 2, "") + "," + revision("2", 2, ""), "comes twice"},
		{"a later one", revision("1", 2, "") + "," + revision("2", 3, ""), "after the current one"},
		{"none current", revision("2", 2, ""), "is not described"},
		{"no commit id as a parent", revision("1", 2, `,"commit":{"parents":[{"commit":"master"}]}`), `"master" is not a commit id`},
		{"an edit", revision("1", 0, ""), "is not a patchset ref"},
	}
	head, _, _ := strings.Cut(realChange, `"current_revision":`)
	for _, tt := range tests {
		c, err := parse(head + `"current_revision":"` + strings.Repeat("1", 40) + `","revisions":{` + tt.revisions + `}}`)
		if (err != nil) != (tt.problem != "") || !strings.Contains(fmt.Sprint(err), tt.problem) && err != nil {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.problem)
		}
		if err == nil {
			if err := valid(c); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}

func TestLongTextsAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\u00e9", 5000)
	c, err := parse(strings.ReplaceAll(strings.Replace(realChange, "change 1-7", long, 1), "Administrator", long))
	if err != nil || len(c.Subject) > maxText+3 || len(c.Owner.Name) > maxText+3 || !utf8.ValidString(c.Subject) {
		t.Errorf("got %d and %d bytes, %v; want at most %d", len(c.Subject), len(c.Owner.Name), err, maxText)
	}
}

// valid is what every other package relies on.
func valid(c change.Change) error {
	if c.Owner.ID <= 0 || c.Updated.IsZero() || c.Status == "" || c.Branch == "" || c.Project == "" {
		return fmt.Errorf("something is missing in %+v", c)
	}
	if err := change.CheckBranch(c.Branch); err != nil {
		return err
	}
	last := 0
	for _, p := range append(c.Earlier, c.Current) {
		id := change.ID{Change: c.Number, Patchset: p.Number}
		back, err := change.CustomRefs.Parse(change.CustomRefs.Ref(id))
		if err != nil || back != id || p.Number <= last {
			return fmt.Errorf("patchset %s: %v", id, err)
		}
		last = p.Number
		for _, r := range append(p.Parents, p.Revision) {
			if _, err := change.ParseRevision(string(r)); err != nil {
				return err
			}
		}
	}
	for _, f := range c.Files {
		if f == "" || f[0] == '/' {
			return fmt.Errorf("file %q", f)
		}
	}
	for _, v := range c.Votes {
		if v.Value == 0 || v.Account.ID <= 0 {
			return fmt.Errorf("vote %+v", v)
		}
	}
	if len(c.Subject) > maxText+3 || strings.ContainsAny(c.Project+c.ChangeID, "\n\"") {
		return errors.New("text is not bounded")
	}
	return nil
}

func FuzzDecode(f *testing.F) {
	f.Add(realChange)
	f.Add(`{"_number":1}`)
	f.Add(strings.Replace(realChange, "refs/changes/07/7/1", "refs/heads/x", 1))
	f.Add(strings.Replace(realChange, `"_number":7`, `"_number":-7`, 1))
	f.Add(strings.Replace(realChange, `"f4-6"`, `"\u0000\n"`, 1))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse(text)
		if err != nil {
			return
		}
		if err := valid(c); err != nil {
			t.Errorf("%s\nbecame %+v: %v", text, c, err)
		}
	})
}
