#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The steps of .github/workflows/release.yml.
#
#   scripts/release.sh build TAG DIR          static programs and their checksums
#   scripts/release.sh image TAG DIR IMAGE    push the container image; output digest
#   scripts/release.sh pin TAG DIR IMAGE@DIGEST
#       commit what names exactly this release, and move the tag of its major
#       version there; nothing is pushed without GITHUB_TOKEN

set -euo pipefail
cd "$(dirname "$0")/.."

readonly platforms=(linux/amd64 linux/arm64)

build() {
  local tag=$1 dir=$2 platform
  mkdir -p "$dir"
  for platform in "${platforms[@]}"; do
    # Nothing of this machine goes in, so that anybody can build the same bytes.
    CGO_ENABLED=0 GOOS=${platform%/*} GOARCH=${platform#*/} go build -trimpath -buildvcs=false \
      -ldflags "-s -w -X github.com/spdk-community-ci/dispatcher/internal/app.linkedVersion=$tag" \
      -o "$dir/dispatcher-${platform/\//-}" .
  done
  (cd "$dir" && printf '# %s\n' "$tag" && sha256sum dispatcher-*) >"$dir/checksums.txt.part"
  mv "$dir/checksums.txt.part" "$dir/checksums.txt"
}

image() {
  local tag=$1 dir=$2 image=$3
  mkdir -p "$dir/tmp"
  cp /etc/ssl/certs/ca-certificates.crt "$dir/"
  (cd "$dir" && sha256sum --check --quiet checksums.txt)
  printf '%s' "${GITHUB_TOKEN:?}" | docker login "${image%%/*}" --username "${GITHUB_ACTOR:?}" --password-stdin
  docker buildx create --use >/dev/null
  docker buildx build --platform "$(IFS=, && echo "${platforms[*]}")" --provenance=false --push \
    --metadata-file "$dir/image.json" --file scripts/release.Dockerfile --tag "$image:$tag" "$dir"
  printf 'digest=%s\n' "$(jq --raw-output '."containerimage.digest"' "$dir/image.json")" | tee -a "${GITHUB_OUTPUT:?}"
}

pin() {
  local tag=$1 dir=$2 image=$3 major=${1%%.*}
  [[ $image =~ @sha256:[0-9a-f]{64}$ ]] || {
    printf 'release: %s names no digest\n' "$image" >&2
    exit 1
  }
  sed -i "s|^  image: Dockerfile\$|  image: docker://$image|" action.yml
  cp "$dir/checksums.txt" actions/setup/checksums.txt
  git add action.yml actions/setup/checksums.txt
  git -c user.name=release -c user.email=release@users.noreply.github.com \
    commit --quiet --message "release: pin $tag" --message "The image by its digest, the programs by their checksums."
  git tag --force "$major"
  git show --stat --oneline HEAD
  if [[ -z ${GITHUB_TOKEN:-} ]]; then return; fi
  # The token reaches git in its environment, not in an address.
  GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader \
    GIT_CONFIG_VALUE_0="Authorization: Basic $(printf 'x-access-token:%s' "$GITHUB_TOKEN" | base64 -w 0)" \
    git push --force origin "refs/tags/$major"
}

case ${1:-} in
  build | image | pin) "$@" ;;
  *)
    printf 'usage: scripts/release.sh build|image|pin TAG DIR [IMAGE]\n' >&2
    exit 2
    ;;
esac
