# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What git sees of this machine, what it is told of secrets, and what the runner
# sees of its output.

export LC_ALL=C
umask 022
exec 2>&1 # or else errors may overtake the word that makes the runner obey again
for name in $(compgen -v GIT_); do # a repository, a shell or traces of others
  if [[ $name != GIT_SSL_* && $name != GIT_PROXY_* ]]; then unset "$name"; fi
done

# The token leaves the environment: only what with_token runs gets it back.
token=${TOKEN:-}
unset TOKEN

temp=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/checkout.XXXXXX")
trap 'loud; rm -rf -- "$temp"' EXIT
noted=$temp/noted

# No configuration of the host, no prompts, no credentials, no hooks, and no end of
# patience with a host that sends nothing.
cat >"$temp/gitconfig" <<'END'
[core]
	hooksPath = /dev/null
	fsmonitor = false
[gc]
	auto = 0
[maintenance]
	auto = false
[http]
	lowSpeedLimit = 100
	lowSpeedTime = 60
END
# libcurl takes passwords from ~/.netrc, git attributes from ~/.config.
mkdir "$temp/home"
export HOME=$temp/home XDG_CONFIG_HOME=$temp/home
unset NETRC
export GIT_CONFIG_GLOBAL=$temp/gitconfig GIT_CONFIG_NOSYSTEM=1 GIT_TEMPLATE_DIR='' GIT_TERMINAL_PROMPT=0 GIT_ADVICE=0 GIT_ASKPASS=''

# quiet makes the runner obey no command in what git and foreign servers print, until
# loud. Their last line may have no end.
word=
quiet() {
  word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$word"
}
loud() {
  if [[ -n $word ]]; then printf '\n::%s::\n' "$word"; fi
  word=
}

fail() {
  loud
  printf '::error::%s\n' "$1"
  exit 1
}

# blame says that the patchset is at fault. The mark is internal/verdict's Mark.
blame() {
  loud
  printf '::notice title=dispatcher result::{"v":1,"by":"patch","exit":1,"why":"%s"}\n' "$(printf '%s' "$1" | tr -s : | tr -c ' !#-[]-~' '?' | cut -c 1-280)"
  printf '::error::%s\n' "$1"
  exit 1
}

# show makes outside text fit for a message: one line, no workflow command.
show() { printf '%s' "${1:0:200}" | tr -c "[:alnum:]/._~:+@ '=-" '?'; }

limited() { timeout --kill-after=10 "$@"; }

# note runs a command and keeps what it says in the file $noted, too.
note() {
  local status=0
  "$@" 2>"$noted" || status=$?
  cat "$noted" >&2
  return "$status"
}

# with_token ADDRESSES COMMAND... runs a command whose git sends the token to what
# begins with one of these addresses, one per line, and to nobody else. Such an address
# must not redirect: git sends its headers on to where that leads, whoever that is.
with_token() {
  local all=$1 address n=0
  shift
  if [[ -z $token || -z $all ]]; then
    "$@"
    return
  fi
  (
    header="Authorization: Basic $(printf 'x-access-token:%s' "$token" | base64 -w 0)"
    while read -r address; do
      [[ -n $address ]] || continue
      export "GIT_CONFIG_KEY_$n=http.$address.extraHeader" "GIT_CONFIG_VALUE_$n=$header"
      export "GIT_CONFIG_KEY_$((n + 1))=http.$address.followRedirects" "GIT_CONFIG_VALUE_$((n + 1))=false"
      n=$((n + 2))
    done <<<"$all"
    export GIT_CONFIG_COUNT=$n
    "$@"
  )
}

# tokenless runs a command without the token.
tokenless() {
  # shellcheck disable=SC2034 # with_token reads it
  local token=
  "$@"
}

# forget_filter leaves no mark of a partial clone where the last command said that the
# server gave everything.
forget_filter() {
  grep -q '^warning: filtering not recognized' "$noted" || return 0
  git config --unset-all remote.origin.promisor
  git config --unset-all remote.origin.partialclonefilter
  rm -f .git/objects/pack/*.promisor
}
