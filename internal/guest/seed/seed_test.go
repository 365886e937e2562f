// SPDX-License-Identifier: BSD-3-Clause

package seed

import (
	"bytes"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kdomanski/iso9660"
	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

var sample = Seed{
	Instance: "dispatcher-guest-1", Hostname: "guest", User: "root", AuthorizedKey: "ssh-ed25519 AAAA dispatcher",
	HostKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", HostPublicKey: "ssh-ed25519 BBBB dispatcher",
}

// TestUserData: what cloud-init is told, for root and for another account.
func TestUserData(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"root", "tester"} {
		s := sample
		s.User = user
		got := s.UserData() + "--- meta-data\n" + s.MetaData()
		golden.Compare(t, "testdata/"+user+".txt", got)
		var data struct {
			Keys map[string]string `yaml:"ssh_keys"`
		}
		if err := yaml.Unmarshal([]byte(s.UserData()), &data); err != nil || data.Keys["ed25519_private"] != s.HostKey {
			t.Errorf("as YAML it is %+v, %v", data, err)
		}
	}
}

// TestWriteImage: the disk has the label and the files that cloud-init looks for.
func TestWriteImage(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := sample.WriteImage(&b); err != nil {
		t.Fatal(err)
	}
	image, err := iso9660.OpenImage(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if label, err := image.Label(); label != "cidata" || err != nil {
		t.Errorf("got the label %q, %v", label, err)
	}
	root, err := image.RootDir()
	if err != nil {
		t.Fatal(err)
	}
	files, err := root.GetChildren()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range files {
		text, err := io.ReadAll(f.Reader())
		if err != nil {
			t.Fatal(err)
		}
		got[f.Name()] = string(text)
	}
	want := map[string]string{"user-data": sample.UserData(), "meta-data": sample.MetaData(), "vendor-data": "{}\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestWriteImageFails: a disk that cannot be written is an error.
func TestWriteImageFails(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	r.Close()
	if err := sample.WriteImage(w); err == nil {
		t.Error("got no error")
	}
}
