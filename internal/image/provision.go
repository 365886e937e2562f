// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/disk"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// provisionLimit ends one provision script: pkgdep under emulation is slow.
const provisionLimit = 4 * time.Hour

// guestDir is where the recipe is in a guest while it is provisioned.
const guestDir = "/root/image"

// forget makes the next boot a first one, on whatever machine that is.
const forget = `rm -rf /root/image /etc/ssh/ssh_host_*_key*
cloud-init clean --logs --seed
rm -f /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys
: >/etc/machine-id
fstrim -a || :
sync
`

// settled waits for the end of the first boot: cloud-init goes on after the guest
// takes commands. Its own failures are for the smoke test to find.
var settled = []string{"sh", "-c", "if command -v cloud-init >/dev/null; then cloud-init status --wait >/dev/null 2>&1 || :; fi"}

// diskInGuest boots the recipe's cloud image, runs the provision scripts in it,
// and returns the disk as it is afterwards.
func (b *build) diskInGuest(ctx context.Context, stage string) (string, error) {
	cloud, release, err := b.cloudImage(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	info, err := disk.Inspect(ctx, b.Tools, cloud)
	if err != nil {
		return "", err
	}
	size := int64(b.recipe.Disk.Size)
	if info.Format != "qcow2" && info.Format != "raw" || info.Backing != "" || info.VirtualSize > size {
		return "", fault.New(fault.Configuration, "the cloud image is a %s of %d bytes, for a disk of %d", info.Format, info.VirtualSize, size).
			WithHint("take a qcow2 or raw image without a backing file, and raise disk.size if it is too small")
	}
	overlay := filepath.Join(b.work, "overlay.qcow2")
	if err := disk.Overlay(ctx, b.Tools, cloud, info.Format, overlay, size); err != nil {
		return "", err
	}
	b.Log("booting the cloud image")
	guest, end, err := b.Guests.Boot(ctx, Machine{
		Disk: overlay, Memory: int64(b.recipe.Guest.Memory), CPUs: int(b.recipe.Guest.CPUs), Keep: true,
	})
	if err != nil {
		return "", err
	}
	defer end()
	if err := b.provision(ctx, guest, stage); err != nil {
		return "", err
	}
	if err := guest.PowerDown(ctx); err != nil {
		return "", err
	}
	// The overlay needs the cloud image below it, which may go.
	flat := filepath.Join(b.work, "flat.qcow2")
	if err := b.Tools.Run(ctx, tool.Command{
		Doing: "join the overlay and the cloud image", Name: "qemu-img", Args: []string{"convert", "-f", "qcow2", "-O", "qcow2", "--", overlay, flat},
	}); err != nil {
		return "", err
	}
	return flat, nil
}

func (b *build) provision(ctx context.Context, guest Guest, stage string) error {
	if err := guest.CopyIn(ctx, stage, guestDir); err != nil {
		return err
	}
	if err := b.inGuest(ctx, guest, "wait for cloud-init", settled...); err != nil {
		return err
	}
	for _, script := range b.recipe.Disk.Provision {
		b.Log("running %s in the guest", script)
		file := guestDir + "/" + string(script)
		if err := b.inGuest(ctx, guest, "make "+string(script)+" executable", "chmod", "+x", file); err != nil {
			return err
		}
		if err := b.inGuest(ctx, guest, "run "+string(script)+" in the guest", "env", "--chdir="+guestDir, file); err != nil {
			return err
		}
	}
	if name := string(b.recipe.Disk.UserData); name != "" {
		if err := guest.CopyIn(ctx, filepath.Join(stage, name), "/"+disk.UserDataFile); err != nil {
			return err
		}
	}
	return b.inGuest(ctx, guest, "make the guest forget its first boot", "sh", "-e", "-c", forget)
}

// inGuest runs a program that must succeed.
func (b *build) inGuest(ctx context.Context, guest Guest, doing string, args ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, provisionLimit, fault.New(fault.Guest, "it did not finish within %v", provisionLimit))
	defer cancel()
	out := &tail{log: b.Tools.Log}
	status, err := guest.Run(ctx, args, out)
	switch {
	case err != nil:
		return fault.New(fault.KindOf(err), "failed to %s: %w", doing, err).WithHint("%s", fault.HintOf(err))
	case status != 0:
		return fault.New(fault.Guest, "failed to %s: %w", doing, &tool.ExitError{Name: "it", Status: status, Tail: out.String()}).
			WithHint("--verbose shows all that it wrote")
	}
	return nil
}

// cloudImage returns the recipe's cloud image: a file that was named, or one
// from the cache, which brings it. Its checksum holds in both cases.
func (b *build) cloudImage(ctx context.Context) (string, func(), error) {
	want := string(b.recipe.Disk.CloudImage.SHA256)
	address := string(b.recipe.Disk.CloudImage.URL)
	file := b.CloudImage
	if u, err := url.Parse(address); file == "" && err == nil && u.Scheme == "file" {
		file = u.Path
	}
	if file == "" {
		b.Log("fetching %s, unless the cache has it", address)
		size, err := b.Web.Size(ctx, address)
		if err != nil {
			return "", nil, err
		}
		return b.Cache.Get(ctx, path.Base(address), want, size, func(ctx context.Context, file string) error {
			return b.Web.Download(ctx, address, file, size)
		})
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", nil, fault.New(fault.Ours, "failed to find %s: %w", file, err)
	}
	if _, err := os.Stat(abs); err != nil {
		return "", nil, fault.New(fault.Configuration, "the cloud image cannot be read: %w", err).WithHint("correct --cloud-image, or cloud-image.url in recipe.yml")
	}
	got, _, err := hashFile(abs)
	if err == nil && got != want {
		err = fault.New(fault.Configuration, "the cloud image %s has the SHA-256 %s, not %s", file, got, want).
			WithHint("get the file again, or correct cloud-image.sha256 in recipe.yml")
	}
	return abs, func() {}, err
}
