#!/usr/bin/env bash
# Runs a command as root in a virtual machine with Debian's user-mode kernel, which has modules that the machine's own
# kernel may lack (netem, ESP, MIPv6). The guest sees this machine's files, read-only; /run, /tmp and /var are its own
# and empty. It has one processor and no network but what the command makes.
#
#   Scripts/guest.sh COMMAND [ARGUMENT...]     exits with the command's exit code
#
# Exit code 77: the kernel cannot be had here. GUEST_SECONDS and GUEST_MEMORY change its limits.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cache=$root/.build/guest-kernel
limit=${GUEST_SECONDS:-600}

if [ ! -x "$cache/linux" ]; then
    rm -rf "$cache" "$cache.new"
    mkdir -p "$cache.new/root/lib"
    if ! (cd "$cache.new" && apt-get -qq download -o APT::Sandbox::User=root user-mode-linux) >&2; then
        echo "guest: the package user-mode-linux cannot be downloaded" >&2
        exit 77
    fi
    dpkg -x "$cache.new"/user-mode-linux_*.deb "$cache.new/package"
    mv "$cache.new/package/usr/lib/uml/modules" "$cache.new/root/lib/modules"
    mv "$cache.new/package/usr/bin/linux.uml" "$cache.new/linux"
    rm -rf "$cache.new/package" "$cache.new"/*.deb
    mv "$cache.new" "$cache"
fi

guest=
init=$cache/init.$$
work=$(mktemp -d /tmp/s6-$$-guest.XXXXXX)
cleanup() {
    [ -z "$guest" ] || kill -9 -- "-$guest" 2>/dev/null || true
    rm -rf "$work" "$init"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# Nothing loads modules by itself in the guest: its /lib/modules is this machine's.
modules=(ipv6 mip6 veth tun dummy xfrm_user esp6 sch_netem sch_ingress cls_bpf act_bpf cls_matchall cls_flower act_gact
    nf_tables nft_numgen crypto_null authenc echainiv hmac cbc)
cat >"$init" <<INIT
#!/bin/bash
export PATH=$(printf '%q' "$PATH") HOME=/tmp LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sys /sys
# The tree itself may stand in one of the directories that are hidden.
mount -t tmpfs guest /mnt
mkdir /mnt/tree
mount --bind $(printf '%q' "$root") /mnt/tree
for directory in run tmp var; do mount -t tmpfs guest /\$directory; done
mkdir -p $(printf '%q' "$root")
mount --bind /mnt/tree $(printf '%q' "$root")
for module in ${modules[*]}; do
    modprobe -d $(printf '%q' "$cache/root") \$module
done
ip link set lo up
cd $(printf '%q' "$root")
$(printf '%q ' "$@")
echo "guest: exit code \$?"
echo o >/proc/sysrq-trigger
sleep 60
INIT
chmod +x "$init"

# The kernel keeps its programs' registers in a space that is too small for processors with AMX. It takes another way if
# it is told that PTRACE_GETREGSET and PTRACE_SETREGSET do not know NT_X86_XSTATE; that way keeps no AVX registers, so
# the guest's programs are told that there are none.
without_xstate='
    my @filter = (
        [0x20, 0, 0, 0], [0x15, 0, 6, 101],                             # system call: ptrace?
        [0x20, 0, 0, 16], [0x15, 1, 0, 0x4204], [0x15, 0, 3, 0x4205],   # request: GETREGSET or SETREGSET?
        [0x20, 0, 0, 32], [0x15, 0, 1, 0x202],                          # of NT_X86_XSTATE?
        [0x06, 0, 0, 0x00050016],                                       # fails with EINVAL
        [0x06, 0, 0, 0x7fff0000],                                       # is allowed
    );
    my $filter = join "", map { pack "SCCL", @$_ } @filter;
    my $program = pack "S x6 P", scalar @filter, $filter;
    syscall(157, 38, 1, 0, 0, 0) == 0 or die "PR_SET_NO_NEW_PRIVS: $!\n";
    syscall(157, 22, 2, $program) == 0 or die "PR_SET_SECCOMP: $!\n";
    exec @ARGV or die "$ARGV[0]: $!\n";'

exec {console}< <(
    export TMPDIR=$work HOME=$work
    exec setsid perl -e "$without_xstate" "$cache/linux" mem="${GUEST_MEMORY:-1024M}" \
        root=/dev/root rootfstype=hostfs rootflags=/ ro init="$init" \
        GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX_Fast_Unaligned_Load \
        OPENSSL_ia32cap=~0x1000000000000000:0 \
        con=null con0=null,fd:1 quiet loglevel=1 </dev/null 2>&1
)
guest=$!
code=1
while IFS= read -r -t "$((limit > SECONDS ? limit - SECONDS : 1))" -u "$console" line; do
    line=${line%$'\r'}
    case $line in
        "guest: exit code "*) code=${line##* } ;;
        "Warning: tempdir"* | "sysrq: Power Off" | "reboot: Power down") ;;
        *) printf '%s\n' "$line" ;;
    esac
done
if [ "$SECONDS" -ge "$limit" ]; then
    echo "guest: not done after $limit s" >&2
    exit 1
fi
exit "$code"
