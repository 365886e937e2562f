# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Submodules. A patchset chooses their addresses, commits and paths: each is checked
# before git sees it, and git then takes its own care of names, paths and links.
#
# shellcheck disable=SC2154 # temp, noted, top and mirror come from the other files

# A build that needs more is not known, and an endless one is easily made.
max_submodules=200 max_levels=6
submodules=0

# What is worked on: the submodule of the commit itself, by path and by name, and
# the address of the one that was looked at last.
top_path='' top_name='' address=''

check_submodule_inputs() {
  local line from to rest
  read -r -d '' -a protocols <<<"${SUBMODULE_PROTOCOLS:-https http}" || true
  for line in "${protocols[@]}"; do
    [[ $line =~ ^(https|http|git|ssh)$ ]] ||
      fail "submodule-protocols has \"$(show "$line")\": it may have https, http, git and ssh"
  done
  allowed=$(IFS=: && echo "${protocols[*]}")
  prefixes=()
  while read -r from to rest; do
    [[ -n $from ]] || continue
    [[ $from =~ ^[A-Za-z0-9][A-Za-z0-9:/@._~-]*[/:]$ && $to =~ ^(https?://|git://|ssh://|file:///|/)[^@[:space:]]*/$ && -z $rest ]] ||
      fail "instead-of has the line \"$(show "$from $to $rest")\": it takes what addresses of submodules begin with, and what to put in place of it, both with / at the end"
    if [[ $to == /* ]]; then to=file://$to; fi
    prefixes+=("$from")
    git config --file "$temp/gitconfig" --add "url.$to.insteadOf" "$from"
    if [[ $to == file:* ]]; then # a folder of this host, of whatever account; patchsets cannot name any
      git config --file "$temp/gitconfig" --replace-all safe.directory '*'
      allowed+=:file
    fi
  done <<<"${INSTEAD_OF:-}"
  while read -r line; do
    [[ -z $line || $line =~ ^https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._~/-]+$ ]] ||
      fail "token-for has the line \"$(show "$line")\": it takes addresses like https://github.com/OWNER/NAME, one on a line"
  done <<<"${TOKEN_FOR:-}"
  case ${SUBMODULE_BASE:=auto} in
    auto | mirror | gerrit | https://* | http://*) ;;
    *) fail "submodule-base is \"$(show "$SUBMODULE_BASE")\": it may be gerrit, mirror, or the address that relative ones are seen from" ;;
  esac
}

# base_of_commit is what relative addresses are seen from. Gerrit sees them from
# the project's own address there, as do people who clone from it.
base_of_commit() {
  local gerrit=
  if [[ ${GERRIT_URL:-} =~ ^https?://[^@[:space:]]+$ && -n ${GERRIT_PROJECT:-} ]]; then gerrit=${GERRIT_URL%/}/$GERRIT_PROJECT; fi
  case $SUBMODULE_BASE in
    gerrit | auto) printf '%s' "${gerrit:-$mirror}" ;;
    mirror) printf '%s' "$mirror" ;;
    *) printf '%s' "${SUBMODULE_BASE%/}" ;;
  esac
}

submodules_of_commit() {
  export GIT_ALLOW_PROTOCOL=$allowed
  with_submodules . "$(base_of_commit)" "" 1
}

# with_submodules FOLDER BASE WHERE LEVEL checks out all that the commit in FOLDER
# has; WHERE is the path of FOLDER, and BASE its address.
with_submodules() {
  local folder=$1 base=$2 where=$3 level=$4 path name twice i
  local -a paths=() names=() urls=()
  while IFS= read -r -d '' path; do paths+=("${path#*$'\t'}"); done < <(git -C "$folder" ls-files --stage -z | grep -az '^160000 ')
  if ((${#paths[@]} == 0)); then return; fi
  if ((level > max_levels)); then fault "submodules are nested deeper than $max_levels levels at $(show "$where")"; fi
  if (((submodules += ${#paths[@]}) > max_submodules)); then fault "there are more than $max_submodules submodules"; fi
  check_modules_file "$folder" "$where"
  for i in "${!paths[@]}"; do
    path=${paths[i]}
    twice=0 name=$(name_of "$folder" "$path") || twice=$? name=
    if ((level == 1)); then top_path=$path top_name=$name; fi
    if ((twice == 2)); then fault "the submodule $(show "$where$path") is in .gitmodules twice"; fi
    if [[ -z $name ]]; then fault "the submodule $(show "$where$path") is not in .gitmodules"; fi
    if [[ $(setting "$folder" "$name" update) == none ]]; then
      unset "paths[i]"
      continue
    fi
    check_submodule "$folder" "$name" "$base" "$where$path"
    names[i]=$name urls[i]=$address
    git -C "$folder" config "submodule.$name.url" "$address"
    git -C "$folder" config "submodule.$name.active" true
  done
  if ((${#paths[@]} == 0)); then return; fi
  check_values "$folder" "$where"
  if ! update "$folder" 4 --depth=1 -- "${paths[@]}"; then
    for i in "${!paths[@]}"; do
      if ((level == 1)); then top_path=${paths[i]} top_name=${names[i]}; fi
      one_submodule "$folder" "${paths[i]}" "${names[i]}" "${urls[i]}" "$where${paths[i]}"
    done
  fi
  for i in "${!paths[@]}"; do
    if ((level == 1)); then top_path=${paths[i]} top_name=${names[i]}; fi
    # Without a repository of its own the next one would be this one again.
    if [[ ! -e $folder/${paths[i]}/.git ]]; then fail "the submodule $(show "$where${paths[i]}") could not be checked out: see the lines above"; fi
    with_submodules "$folder/${paths[i]}" "${urls[i]}" "$where${paths[i]}/" $((level + 1))
  done
}

# update FOLDER JOBS ARGUMENTS... lets git do it.
update() {
  local folder=$1 jobs=$2
  shift 2
  with_token "${TOKEN_FOR:-}" limited 900 git -C "$folder" submodule --quiet update --checkout --force "--jobs=$jobs" "$@"
}

# setting FOLDER NAME KEY reads .gitmodules as it was committed.
setting() { git -C "$1" config --no-includes --blob HEAD:.gitmodules --get "submodule.$2.$3" || true; }

# check_modules_file FOLDER WHERE wants a file there that git can read, if there is one.
check_modules_file() {
  local mode type id
  if [[ -z $2 ]]; then top_path='' top_name=''; fi
  read -r mode type id < <(git -C "$1" ls-tree HEAD .gitmodules) || true
  if [[ -z ${id:-} ]]; then return; fi
  if [[ $type != blob || $mode == 120000 ]]; then fault "$(show "$2.gitmodules") is not a file"; fi
  git -C "$1" config --no-includes --blob HEAD:.gitmodules --list >/dev/null || fault "git cannot read $(show "$2.gitmodules")"
}

# check_values FOLDER WHERE wants values there that git takes: it would end at others
# before it asks any server.
check_values() {
  if [[ -z $2 ]]; then top_path='' top_name=''; fi
  if ! note git -C "$1" submodule --quiet status >/dev/null && grep -qE '^(error: missing value for|fatal: (bad|invalid value for)) ' "$noted"; then
    fault "git cannot read $(show "$2.gitmodules"): $(show "$(grep -m1 -E '^(error|fatal): ' "$noted")")"
  fi
}

# name_of FOLDER PATH looks a submodule's name up. Of two that have the path git would
# take another one than we.
name_of() {
  local key path name=
  while IFS= read -r -d '' entry; do
    key=${entry%%$'\n'*} path=${entry#*$'\n'}
    if [[ $path == "$2" ]]; then
      if [[ -n $name ]]; then return 2; fi
      key=${key#submodule.} name=${key#submodule.}
      name=${name%.path}
    fi
  done < <(git -C "$1" config --no-includes --blob HEAD:.gitmodules -z --get-regexp '^submodule\..*\.path$')
  if [[ -z $name || $(setting "$1" "$name" path) != "$2" ]]; then return 1; fi
  printf '%s' "$name"
}

# check_submodule FOLDER NAME BASE WHERE checks what .gitmodules says and sets address.
check_submodule() {
  local url rest base=$3 where prefix
  where=$(show "$4") url=$(setting "$1" "$2" url)
  if [[ /$2/ == */../* || $2 == -* || $2 == *$'\n'* ]]; then fault "the submodule $where has a name that git refuses: $(show "$2")"; fi
  if [[ $(setting "$1" "$2" update) == '!'* ]]; then fault "the submodule $where wants a command to be run"; fi
  if [[ -z $url ]]; then fault "the submodule $where has no address in .gitmodules"; fi
  rest=$url
  if [[ $url == ./* || $url == ../* ]]; then
    while [[ $rest == ./* || $rest == ../* ]]; do
      if [[ $rest == ../* ]]; then
        [[ $base =~ ^[a-z]+://[^/]+/ ]] || fault "the address of the submodule $where leads out of its server: $(show "$url")"
        base=${base%/*}
      fi
      rest=${rest#*/}
    done
    url=$base/$rest
  fi
  # A percent sign may hide what is looked for here.
  if [[ $rest == -* || /$rest/ == */../* || $rest =~ [[:cntrl:][:space:]\\] || ${rest,,} =~ %2[ef] ]]; then
    fault "the submodule $where has an address that is not taken: $(show "$url")"
  fi
  address=$url
  for prefix in ${prefixes[@]+"${prefixes[@]}"}; do
    if [[ $url == "$prefix"* ]]; then return; fi
  done
  takes "$url" || fault "the address of the submodule $where is not of a protocol that is taken (${protocols[*]}): $(show "$url")"
}

# takes reports whether an address is of a protocol that patchsets may name.
takes() { [[ $1 =~ ^([a-z]+)://[^/]+/ && " ${protocols[*]} " == *" ${BASH_REMATCH[1]} "* ]]; }

# one_submodule FOLDER PATH NAME URL WHERE tries all there is, and then says whose
# fault it is.
one_submodule() {
  local folder=$1 path=$2 name=$3 url=$4 where=$5 commit
  commit=$(git -C "$folder" rev-parse --verify --quiet ":$path")
  if anew "$@" update "$folder" 1 --depth=1 -- "$path"; then return; fi
  if ! takes "$url"; then diagnose "$url" "$commit" "$where"; fi # it is good for what is put in its place alone
  # A mirror may be behind: the address itself knows best. And there are servers that
  # give out no single commits.
  if ((${#prefixes[@]} > 0)) && anew "$@" as_written update "$folder" 1 --depth=1 -- "$path"; then return; fi
  if anew "$@" as_written update "$folder" 1 -- "$path"; then return; fi
  # It may be public, and redirect to where a token is not sent; or the token is old.
  if [[ -n $token && -n ${TOKEN_FOR:-} ]] && anew "$@" as_written tokenless update "$folder" 1 -- "$path"; then return; fi
  as_written diagnose "$url" "$commit" "$where" || {
    # shellcheck disable=SC2034 # it was said there
    word=''
    exit 1
  }
}

# anew FOLDER PATH NAME URL WHERE COMMAND... runs a command without what one before it
# has left: git goes on with half a repository, and fails again.
anew() {
  local folder=$1 path=$2 name=$3
  shift 5
  (cd "$folder" && rm -rf -- "./$path" "$(git rev-parse --git-path "modules/$name")" && mkdir -p -- "./$path")
  "$@"
}

# as_written runs a command without what instead-of says.
as_written() {
  (
    grep -vE '^\[url |^[[:space:]]*insteadOf = ' "$temp/gitconfig" >"$temp/plain"
    export GIT_CONFIG_GLOBAL=$temp/plain
    "$@"
  )
}

# diagnose URL COMMIT WHERE asks the server, away from all that a patchset has made.
diagnose() {
  local commit=$2 url where
  url=$(show "$1") where=$(show "$3")
  rm -rf -- "$temp/probe"
  git init --quiet --bare "$temp/probe"
  if probing fetch --depth=1 -- "$1" "$commit"; then
    fail "the submodule $where could not be checked out, though $url has its commit $commit: see the lines above"
  fi
  # Some servers give out no single commits: all that they show is looked through.
  if answers 'not our ref|not valid|unadvertised object|no such remote ref|find remote ref' &&
    probing fetch -- "$1" '+refs/*:refs/*' && ! git -C "$temp/probe" cat-file -e "$commit^{commit}" 2>/dev/null; then
    fault "the submodule $where wants the commit $commit, which $url does not have"
  fi
  if answers "repository '.*' not found|error: 404|error: 410"; then
    fault "the submodule $where has the address $url, where no repository is" address
  fi
  if answers 'error: 30[1-8]'; then
    fail "the submodule $where could not be had from $url: it redirects, and a token is not sent on to elsewhere. Name the address that it leads to"
  fi
  if answers 'could not read Username|Authentication failed|error: 401|error: 403'; then
    fail "the submodule $where may not be read: $url wants an account, or does not exist. If it is private, name it in the input token-for"
  fi
  fail "the submodule $where could not be had from $url: the server did not answer as it should, see the lines above"
}

# probing runs git in the repository for questions, and answers looks at what git,
# not the server, said of it.
probing() { with_token "${TOKEN_FOR:-}" note limited 600 git -C "$temp/probe" "$@"; }
answers() { grep -E '^(fatal|error): ' "$noted" | grep -qE "$1"; }

# fault TEXT [address] blames the patchset for what it brought, and nobody for what was
# there before it; another commit of an address that is gone brings nothing.
fault() {
  if (cd "$top" && brought "${2:-}"); then blame "$1"; fi
  fail "$1. The patchset did not change that"
}

# brought reports whether the commit changes what is worked on: with "address" that
# of a submodule alone, or that it is new.
brought() {
  local key
  if ! git rev-parse --verify --quiet 'HEAD~1^{commit}' >/dev/null; then
    if ! git cat-file commit HEAD | sed '/^$/,$d' | grep '^parent ' >/dev/null; then return; fi # the first one of all
    with_token "$mirror" limited 300 git fetch --quiet --no-tags --depth=2 origin "$REVISION" || {
      # Gerrit may give out no single commits.
      [[ ${GERRIT_REF:-} =~ ^refs/changes/[0-9]{2}/[0-9]+/[0-9]+$ ]] &&
        limited 300 git fetch --quiet --no-tags --depth=2 origin "$GERRIT_REF"
    } || return 1
  fi
  if [[ -n $top_path ]] && differs "$top_path" && ! { [[ $1 == address ]] && was_submodule "$top_path"; }; then return; fi
  if [[ -z $top_name ]]; then differs .gitmodules; return; fi
  for key in path url update; do
    if [[ $(git config --no-includes --blob HEAD:.gitmodules --get "submodule.$top_name.$key") != "$(git config --no-includes --blob HEAD~1:.gitmodules --get "submodule.$top_name.$key")" ]]; then return; fi
  done
  return 1
}

# was_submodule PATH reports whether the parent has one there.
was_submodule() { [[ $(git ls-tree HEAD~1 -- "$1") == '160000 '* ]]; }

# differs PATH reports whether that is another thing in the parent.
differs() { [[ $(git ls-tree HEAD -- "$1") != "$(git ls-tree HEAD~1 -- "$1")" ]]; }
