#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs what `make lint`, `make e2e` and `make bench` need beyond Go, git, a C
# compiler, Maven, a JDK, Node.js and Python: Debian packages, the jars of a Gerrit
# server, Go tools, other git servers, and checkers of workflows from npm and PyPI.
# Debian 12; safe to run again. It changes nothing that is there already.
# E2E_GERRIT picks another release of Gerrit, here and in the tests.
#
#   scripts/install-tools.sh [packages] [jars] [tools] [servers] [checkers]    (default: all)

set -euo pipefail

readonly gerrit_version=${E2E_GERRIT:-3.13.5} # 3.11.0 and 3.9.1 work too
readonly bouncycastle_version=1.80
readonly zizmor_version=1.32.0
readonly moto_version=5.2.1
if [[ $gerrit_version =~ ^3\.([0-9]|10)\. ]]; then readonly minimum_java=17; else readonly minimum_java=21; fi

readonly packages=(nginx-light fcgiwrap shellcheck qemu-system-x86 qemu-utils mmdebstrap fdisk openssh-client sudo
  # dispatcher image
  docker.io ovmf mtools dosfstools e2fsprogs grub-common grub-pc-bin grub-efi-amd64-bin
)
readonly jars=(
  "com.google.gerrit:gerrit-acceptance-framework:${gerrit_version}"
  "com.google.gerrit:gerrit-plugin-api:${gerrit_version}"
  "org.bouncycastle:bcprov-jdk18on:${bouncycastle_version}"
  "org.bouncycastle:bcpkix-jdk18on:${bouncycastle_version}"
  "org.bouncycastle:bcpg-jdk18on:${bouncycastle_version}"
  "org.bouncycastle:bcutil-jdk18on:${bouncycastle_version}"
)
readonly tools=(
  "actionlint github.com/rhysd/actionlint/cmd/actionlint v1.7.12"
  "staticcheck honnef.co/go/tools/cmd/staticcheck v0.8.2"
  "govulncheck golang.org/x/vuln/cmd/govulncheck v1.9.0"
  "versitygw github.com/versity/versitygw/cmd/versitygw v1.8.0"
  "act github.com/nektos/act v0.2.89"
)
# Modules with git servers that "go install" cannot make, because they replace
# modules: name, module, version, checksum as in go.sum, package, build tags. Gitea
# takes three minutes of two cores.
readonly servers=(
  "gitea code.gitea.io/gitea v1.25.5 h1:OfdT1TrOmAA+AVeY8S9CVU1jJfXIk8teXfiBgDeHEUI= . sqlite,sqlite_unlock_notify"
  "soft github.com/charmbracelet/soft-serve v0.8.4 h1:dZ4sOcrvsE7h+FHsSn0Fl1NPc/qC2XzUVQzMt1hgB+4= ./cmd/soft none"
)

say() { printf 'install-tools: %s\n' "$*" >&2; }
fail() {
  say "$1"
  shift
  if (($# > 0)); then say "hint: $*"; fi
  exit 1
}
need() { command -v "$1" >/dev/null || fail "$1 was not found" "$2"; }

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    need sudo "run this as root, or install sudo"
    sudo "$@"
  fi
}

install_packages() {
  local missing=() name
  for name in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q '^install ok installed' || missing+=("$name")
  done
  if ((${#missing[@]} == 0)); then return; fi
  say "apt-get install ${missing[*]}"
  as_root apt-get -qq update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# java_major prints the major version that a JDK's release file tells, or 0.
java_major() {
  local version
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null || true)
  printf '%s' "${version:-0}"
}

check_java() {
  local home
  for home in /usr/lib/jvm/*/ ${JAVA_HOME:+"$JAVA_HOME"}; do
    if [[ -x ${home%/}/bin/java ]] && (($(java_major "${home%/}") >= minimum_java)); then return; fi
  done
  fail "Gerrit ${gerrit_version} needs Java ${minimum_java} or newer; no such JDK is under /usr/lib/jvm or in JAVA_HOME" \
    "install one (Temurin 21 or 25 for Debian 12) and run this again"
}

# jar_path prints where Maven keeps an artifact group:name:version.
jar_path() {
  local group name version
  IFS=: read -r group name version <<<"$1"
  printf '%s/.m2/repository/%s/%s/%s/%s-%s.jar' "$HOME" "${group//.//}" "$name" "$version" "$name" "$version"
}

install_jars() {
  local artifact
  check_java
  for artifact in "${jars[@]}"; do
    if [[ -s $(jar_path "$artifact") ]]; then continue; fi
    need mvn "apt-get install maven"
    say "mvn dependency:get $artifact"
    mvn -q -B dependency:get -Dtransitive=false -Dartifact="$artifact"
    if [[ ! -s $(jar_path "$artifact") ]]; then
      fail "Maven did not put $artifact into ~/.m2/repository" "unset localRepository in Maven's settings.xml"
    fi
  done
}

install_tools() {
  local entry name path version bin
  need go "install the Go release that go.mod names"
  bin=$(go env GOBIN)
  bin=${bin:-$(go env GOPATH)/bin}
  for entry in "${tools[@]}"; do
    read -r name path version <<<"$entry"
    if [[ -x $bin/$name ]] && go version -m "$bin/$name" | grep -q "[[:space:]]mod[[:space:]].*[[:space:]]${version}\([[:space:]]\|$\)"; then
      continue
    fi
    say "go install $path@$version"
    go install "$path@$version"
  done
  # A second S3 server. moto's own extras bring 180 MB for other services.
  python_tool moto "$moto_version" moto_server flask flask-cors PyYAML py-partiql-parser
}

# module_field prints a field of what "go mod download -json" says of a module.
module_field() { sed -n "s/^[[:space:]]*\"$2\": \"\(.*\)\",\{0,1\}\$/\1/p" <<<"$1"; }

# install_servers builds the servers in the module cache, where their files stay:
# Gitea reads its templates there. The module is held to the checksum above, and all
# that it needs to its own go.sum.
install_servers() {
  local entry name path version sum package tags bin module
  need gcc "apt-get install gcc libc6-dev"
  bin=$(go env GOBIN)
  bin=${bin:-$(go env GOPATH)/bin}
  mkdir -p "$bin"
  for entry in "${servers[@]}"; do
    read -r name path version sum package tags <<<"$entry"
    module=$(GONOSUMDB=$path go mod download -json "$path@$version") || fail "$path@$version could not be downloaded" "${module:-}"
    if [[ $(module_field "$module" Sum) != "$sum" ]]; then
      fail "$path@$version is $(module_field "$module" Sum), want $sum" "somebody changed a release: find out who and why"
    fi
    if [[ -x $bin/$name ]] && "$bin/$name" --version | grep -qF " ${version#v}"; then continue; fi
    say "go build $path@$version"
    (cd "$(module_field "$module" Dir)" && nice go build -trimpath -tags "$tags" \
      -ldflags "-s -w -X main.Version=${version#v}" -o "$bin/$name" "$package")
  done
}

# python_tool puts a program beside the Go tools that PyPI has, in an environment of
# its own: its name there, release, program, and what else is installed.
python_tool() {
  local name=$1 version=$2 program=$3 bin venv=${XDG_CACHE_HOME:-$HOME/.cache}/dispatcher/$1-$2
  bin=$(go env GOBIN)
  bin=${bin:-$(go env GOPATH)/bin}
  if [[ ! -x $venv/bin/$program ]]; then
    need python3 "apt-get install python3-venv"
    say "pip install $name==$version"
    python3 -m venv "$venv" || fail "Python could not make an environment" "apt-get install python3-venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$name==$version" "${@:4}"
  fi
  mkdir -p "$bin"
  ln -sf "$venv/bin/$program" "$bin/$program"
}

# install_checkers installs zizmor, and GitHub's own parser below scripts/workflows.
install_checkers() {
  python_tool zizmor "$zizmor_version" zizmor
  need npm "install Node.js 20 or newer"
  if (($(node --version | sed 's/^v\([0-9]*\).*/\1/') < 20)); then fail "Node.js $(node --version) is too old" "install 20 or newer"; fi
  if ! (cd scripts/workflows && npm ls --silent >/dev/null 2>&1); then
    say "npm ci in scripts/workflows"
    (cd scripts/workflows && npm ci --ignore-scripts --no-audit --no-fund --silent)
  fi
}

main() {
  local step
  cd "$(dirname "$0")/.."
  if (($# == 0)); then set -- packages jars tools servers checkers; fi
  for step; do
    case $step in
      packages | jars | tools | servers | checkers) "install_$step" ;;
      *) fail "unknown step $step" "give packages, jars, tools, servers or checkers" ;;
    esac
  done
}

main "$@"
