# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Makes room for a checkout. Runners that stay keep the folders of earlier jobs:
# hooks, configuration, locks and files of root's among them. Nothing of it is used.

# clear_folder FOLDER removes it where it was left in the workspace.
clear_folder() {
  local folder=$1 parent name workspace left
  if [[ ! -L $folder && ! -e $folder ]] || [[ ! -L $folder && -d $folder && -z $(ls -A "$folder") ]]; then return; fi
  name=$(basename -- "$folder")
  parent=$(cd -P "$(dirname -- "$folder")" && pwd)
  workspace=$(cd -P "${GITHUB_WORKSPACE:-/nonexistent}" 2>/dev/null && pwd) || workspace=
  if [[ -z $workspace || $name == . || $name == .. || $parent/ != "$workspace"/* || $parent/$name == "$workspace" ]]; then
    fail "the folder $(show "$folder") is not empty, and not one that an earlier job left in the workspace: remove it, or choose another path"
  fi
  folder=$parent/$name
  printf 'removing what an earlier job has left in %s\n' "$(show "$name")"
  if [[ ! -L $folder ]]; then chmod -R u+rwX -- "$folder" 2>/dev/null || true; fi
  rm -rf -- "$folder" 2>/dev/null && return
  sudo -n rm -rf -- "$folder" 2>/dev/null && return
  left=$parent/.left.$(date +%s).$$
  mv -- "$folder" "$left" 2>/dev/null ||
    fail "what an earlier job has left in $(show "$name") belongs to another account, and can be neither removed nor renamed: remove it by hand, or let jobs on this runner remove what they leave"
  loud
  printf '::warning::what an earlier job has left in %s belongs to another account: it is in %s now, and takes room until somebody removes it\n' "$(show "$name")" "$(show "$left")"
  quiet
}
