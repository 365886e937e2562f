// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// kinds are a test in two containers, one in a guest, and one on a host of a lab whose account has
// no sudo, which leaves a folder that nobody may write to.
const kinds = `environments:
  - name: sharded
    kind: docker
    image: ` + kindsEnvironment + `
    command: mkdir ../output && echo "$DISPATCHER_SHARD of $DISPATCHER_SHARDS" >../output/shard
    shards: 2
    minutes: 5
  - name: metal
    kind: metal
    runs-on: [self-hosted, lab]
    command: "! sudo -n true && mkdir -p ../output d/e && id -un >../output/account && chmod 555 d/e"
    minutes: 5
`

// inGuest is a test in a guest.
const inGuest = `
  - name: guest
    kind: guest
    runs-on: [self-hosted, kvm]
    image: ` + guestDisk + `
    command: mkdir ../output && nvme list >../output/disks && cat ../auto.conf
    machine: {cpus: 1, memory: 1G, nvme: [{serial: OURS, namespaces: [{size: 64M}]}]}
    minutes: 10
`

// guestDisk is where jobs find a guest's disk image.
const guestDisk = "/opt/guest.qcow2"

// required is a test that counts.
const required = `environments:
  - name: unit
    kind: docker
    image: ` + kindsEnvironment + `
    command: "true"
    minutes: 5
`

// spare is a test in a lab that nobody has to wait for, which fails.
const spare = `
  - name: spare
    kind: metal
    runs-on: [self-hosted, lab]
    command: mkdir -p ../output && id -un >../output/account && false
    minutes: 5
    optional: true
`

// absent is one in a lab that is offline. It has a run of its own: act takes the
// labels of a matrix's first job for those of all.
const absent = `
  - name: absent
    kind: metal
    runs-on: [self-hosted, nowhere]
    command: "true"
    minutes: 5
    optional: true
`

// kindsEnvironment is the same as actEnvironment under a name of its own.
const kindsEnvironment = "127.0.0.1:1/kinds:bookworm"

// testKinds has autorun test on a host of a lab, with the watch over it, and in
// shards, and in a guest; then in an optional lab, and without one that is offline.
func (b *actBed) testKinds(t *testing.T) {
	t.Parallel()
	must(t, docker("tag", imageBase, kindsEnvironment))
	b.git(t, "push", "-q", b.hub.Repository(actMirror).Dir(), b.base+":refs/heads/kinds")
	for _, tc := range []struct {
		name, environments, conclusion string
		jobs                           []string          // and how they ended
		files                          map[string]string // of artifacts
	}{
		{
			"all pass", kinds + inGuest, "success",
			[]string{"guest: success", "lab: success", "metal: success", "plan: success", "report: success", "sharded (1/2): success", "sharded (2/2): success", "source: success"},
			map[string]string{
				"results/results-metal/output/account": "service\n", "results/results-sharded+1of2/output/shard": "1 of 2\n", "results/results-sharded+2of2/output/shard": "2 of 2\n",
			},
		},
		{
			"an optional lab fails", required + spare, "success",
			[]string{"lab: success", "plan: success", "report: success", "source: success", "spare (optional lab): failure", "unit: success"},
			map[string]string{"results-spare/output/account": "service\n"},
		},
		{
			"a lab is offline", required + absent, "cancelled",
			[]string{
				"absent (optional lab): cancelled", "give-up: cancelled", "lab: success", "plan: success", "report: success",
				"source: success", "unit: success",
			},
			nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id := b.dispatch(t, rig.CIRepository, "kinds.yml", map[string]string{"revision": b.base, "environments": tc.environments})
			b.await(t, id)
			b.show(t, id)
			if run := b.run(id); run.Conclusion != tc.conclusion {
				t.Errorf("the run is %s, want %s", run.Conclusion, tc.conclusion)
			}
			var jobs []string
			for _, j := range b.hub.Jobs(id, 1) {
				jobs = append(jobs, strings.TrimPrefix(j.Name, "kinds / ")+": "+j.Conclusion)
			}
			slices.Sort(jobs)
			if !slices.Equal(jobs, tc.jobs) {
				t.Errorf("got the jobs %q, want %q", jobs, tc.jobs)
			}
			files := b.act.Artifacts(id)
			if disks := files["results/results-guest/output/disks"]; strings.Contains(tc.environments, inGuest) && !strings.Contains(disks, "OURS") {
				t.Errorf("the guest had the disks %q", disks)
			}
			for name, want := range tc.files {
				if files[name] != want {
					t.Errorf("the artifact %s is %q, want %q", name, files[name], want)
				}
			}
		})
	}
}
