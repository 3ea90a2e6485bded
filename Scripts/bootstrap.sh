#!/usr/bin/env bash
# Installs the Debian 12 packages that the build, the format check, the tests and the demo need, if any is missing.
set -euo pipefail

build=(
    # What the Swift toolchain itself needs to compile and link.
    git binutils gcc libc6-dev libstdc++-12-dev linux-libc-dev
    pkg-config libnl-3-dev libnl-route-3-dev libnl-xfrm-3-dev libmnl-dev libssl-dev libbpf-dev libelf-dev zlib1g-dev
)
format=(clang-format-14)
run=(iproute2 nftables ethtool tcpdump tshark curl iputils-ping telnet kmod procps iperf3 socat lighttpd radvd)

die() {
    echo "bootstrap: $*" >&2
    exit 1
}

command -v swift >/dev/null || die "no 'swift' on the PATH: install a Swift 6.3 or newer toolchain from https://swift.org/install"

missing=()
for package in "${build[@]}" "${format[@]}" "${run[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

[ "$(id -u)" = 0 ] || die "needs root to install: ${missing[*]}"
echo "bootstrap: installing ${missing[*]}"

# Servers are wanted as programs, not as services of this machine: dpkg is asked not to start any, and the boot does
# not either.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends "${missing[@]}" </dev/null
for service in lighttpd radvd; do
    if [[ " ${missing[*]} " == *" $service "* ]] && command -v systemctl >/dev/null; then
        systemctl --quiet disable "$service" 2>/dev/null || true
    fi
done
