#!/usr/bin/env bash
# What addresses that prove themselves cost: the search for a Modifier beside "openssl speed", I2 to R2 with CGA locators,
# the check of an HBA set. See docs/measurements.md.
# Usage: Scripts/bench-identity.sh [--rounds N]
set -euo pipefail
exec "$(dirname "$0")/bench-core.sh" "$@" search i2 hba
