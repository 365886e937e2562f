#!/usr/bin/env bash
# Runs all unit tests; results go to output_dir.
set -uo pipefail
equal() {
  if [[ $1 == "$2" ]]; then return 0; fi
  echo "got $1, want $2"
  return 1
}
failed=() total=0
for file in lib/*.sh test/unit/*_ut.sh; do source "$file"; done
for name in $(compgen -A function test_); do
  total=$((total + 1))
  if why=$("$name"); then
    echo "ok $total - $name"
    echo "  <testcase name=\"$name\"/>" >>"$output_dir/cases"
  else
    echo "not ok $total - $name: $why"
    failed+=("$name")
    echo "  <testcase name=\"$name\"><failure message=\"$why\">test/unit/ring_ut.sh: $why</failure></testcase>" >>"$output_dir/cases"
  fi
done
{
  echo "<testsuite name=\"unit\" tests=\"$total\" failures=\"${#failed[@]}\">"
  cat "$output_dir/cases"
  echo "</testsuite>"
} >"$output_dir/ut_junit.xml"
rm "$output_dir/cases"
if ((${#failed[@]} > 0)); then
  echo "unittest: ${#failed[@]} of $total failed: ${failed[*]}" >&2
  exit 1
fi
