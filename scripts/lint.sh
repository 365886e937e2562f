#!/usr/bin/env bash
# All static checks. Reports every failing one, then fails.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
PATH="$(go env GOPATH)/bin:$PATH"
failed=0

check() {
  printf -- '-- %s\n' "$*"
  "$@" || failed=1
}

unformatted=$(gofmt -s -l .)
if [ -n "$unformatted" ]; then
  printf -- '-- gofmt -s: not formatted:\n%s\n' "$unformatted"
  failed=1
fi
check go vet ./...
check go vet -tags e2e,bench ./...
check go vet -tags action .
check go mod tidy -diff
check staticcheck ./...
check staticcheck -tags e2e,bench ./e2e/... ./bench/...
check shellcheck .ci/run scripts/*.sh images/*/provision.sh e2e/testdata/images/*/provision.sh
check shellcheck -s sh images/*/smoke.sh e2e/testdata/images/*/smoke.sh
check shellcheck actions/*/*.sh e2e/testdata/act/actions/*/*.sh
# Three checkers of workflows: each knows what the others do not. The callers are
# no workflows of this repository, so their place is named.
check actionlint
check actionlint -config-file .github/actionlint.yaml workflows/*.yml
check zizmor --offline --quiet .
check node scripts/workflows/check.mjs .
exit "$failed"
