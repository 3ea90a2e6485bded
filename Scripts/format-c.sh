#!/usr/bin/env bash
# Whether the C sources are formatted as .clang-format says. Another version than Debian 12's would format some lines in
# another way: without that one nothing is looked at.
# Usage: Scripts/format-c.sh [--fix]      # with --fix formats them
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v clang-format-14 >/dev/null; then
    echo "format-c: there is no clang-format-14, so the C sources are not looked at"
    exit 0
fi
how=(--dry-run --Werror)
[ "${1:-}" != --fix ] || how=(-i)
git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0 clang-format-14 "${how[@]}"
