#!/bin/bash
# Installs the QEMU releases that the tests talk to, next to each other:
#
#   7.2    Debian 12's own package, through apt: qemu-system-x86_64
#   10.0   the package of bookworm-backports, unpacked into $QEMU_ROOT/qemu-10.0: qemu10-system-x86_64
#   5.2    the package of bullseye, unpacked into $QEMU_ROOT/qemu-5.2: qemu5-system-x86_64
#
#   install_qemu.sh [--all] [7.2|10.0|5.2 ...]       (7.2 and 10.0 without arguments)
#
# --all adds every other target (aarch64, ppc64, s390x, mips ...). What is there already is left
# alone. QEMU_ROOT (/opt) holds the unpacked ones, QEMU_BIN (/usr/local/bin) their wrappers. Nothing
# of the system's own QEMU is replaced. The mirror is the one that apt is configured for.
set -euo pipefail

root_folder=${QEMU_ROOT:-/opt}
bin_folder=${QEMU_BIN:-/usr/local/bin}
state=${QEMU_APT_STATE:-${TMPDIR:-/var/tmp}/vmsgen-qemu-apt}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")
libdir=usr/lib/$triplet
targets=(x86)
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)

mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' |
        grep -E '/debian/?$' | head -1 | grep . ||
        { echo "no Debian mirror in apt's configuration" >&2; return 1; }
}

# Whether the binary $1 starts and is of the release $2.
runs() { "$1" --version 2>/dev/null | grep -q "version ${2//./\\.}\."; }

system_packages() {
    local want=() t
    for t in "${targets[@]}"; do want+=("qemu-system-$t"); done
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y --no-install-recommends install "${want[@]}" qemu-utils
}

# Copies into $1/lib each shared library of the downloaded packages ($1.closure) that the given
# check still misses: with "absent" those that the system lacks, with "old" those of which the
# system's copy lacks a symbol version. The system's own libc always stays.
copy_libraries() {
    local root=$1 check=$2 name source copied
    while :; do
        copied=0
        for name in $(missing_libraries "$root" "$check"); do
            case $name in libc.so* | libm.so* | ld-linux*) continue ;; esac
            [ -e "$root/lib/$name" ] && continue
            source=$(find "$root.closure" -name "$name" -print -quit)
            [ -n "$source" ] || continue
            cp -L "$source" "$root/lib/$name"
            copied=$((copied + 1))
        done
        [ "$copied" -gt 0 ] || return 0
    done
}

missing_libraries() {
    local root=$1 file
    for file in "$root"/usr/bin/qemu-system-* "$root/$libdir"/qemu/*.so "$root"/lib/*; do
        [ -f "$file" ] && LD_LIBRARY_PATH=$root/lib:$root/$libdir/qemu ldd "$file" 2>&1 || true
    done | if [ "$2" = absent ]; then
        awk '/not found/ && !/version/ { print $1 }'
    else
        sed -n 's/^[^:]*: \([^:]*\): version .* not found.*/\1/p' | xargs -rn1 basename
    fi | sort -u
}

unpacked() { # VERSION PREFIX SUITE [BASE SUITE]
    local version=$1 prefix=$2 suite=$3 base=${4:-}
    local root=$root_folder/qemu-$version apt_state=$state/$suite each packages=() deb binary
    mkdir -p "$apt_state/lists/partial" "$apt_state/cache/archives/partial"
    for each in $suite $base; do
        echo "deb [signed-by=$keyring] $(mirror) $each main"
    done > "$apt_state/sources.list"
    # An empty status file: the whole closure is downloaded and not only what this system lacks.
    : > "$apt_state/status"
    local apt=(-q -o "Dir::Etc::sourcelist=$apt_state/sources.list" -o Dir::Etc::sourceparts=-
        -o "Dir::State::Lists=$apt_state/lists" -o "Dir::Cache=$apt_state/cache"
        -o "Dir::State::status=$apt_state/status" -o Debug::NoLocking=1)
    [ "$(id -u)" = 0 ] && apt+=(-o APT::Sandbox::User=root)
    apt-get "${apt[@]}" update
    # The display modules too: one that this QEMU does not find in its own folder it takes from the
    # system's, and then dies of another build's module.
    for each in "${targets[@]}" data common modules-opengl modules-spice; do
        apt-cache "${apt[@]}" show "qemu-system-$each" >/dev/null 2>&1 && packages+=("qemu-system-$each")
    done
    apt-get "${apt[@]}" -y -t "$suite" --no-install-recommends --download-only install \
        "${packages[@]}" ipxe-qemu seabios
    "${as_root[@]}" mkdir -p "$root_folder" "$bin_folder"
    "${as_root[@]}" rm -rf "$root" "$root.closure"
    "${as_root[@]}" install -d -o "$(id -u)" "$root" "$root.closure" "$root/lib"
    for deb in "$apt_state"/cache/archives/*.deb; do
        case $(basename "$deb") in
        qemu-system-* | ipxe-qemu_* | seabios_* | opensbi_* | openbios-* | u-boot-qemu_* | qemu-slof_*)
            dpkg -x "$deb" "$root" ;;
        libc6_* | libc-bin_* | libgcc-s1_* | libstdc++6_*) ;;
        lib* | zlib*) dpkg -x "$deb" "$root.closure" ;;
        esac
    done
    copy_libraries "$root" absent
    copy_libraries "$root" old
    "${as_root[@]}" rm -rf "$root.closure"
    for binary in "$root"/usr/bin/qemu-system-*; do
        binary=$(basename "$binary")
        [ "$binary" = qemu-system-x86_64-spice ] && continue
        "${as_root[@]}" tee "$bin_folder/$prefix-${binary#qemu-}" >/dev/null <<WRAPPER
#!/bin/sh
LD_LIBRARY_PATH=$root/lib QEMU_MODULE_DIR=$root/$libdir/qemu exec $root/usr/bin/$binary \\
    -L $root/usr/share/qemu -L $root/usr/share/seabios -L $root/usr/lib/ipxe/qemu "\$@"
WRAPPER
        "${as_root[@]}" chmod +x "$bin_folder/$prefix-${binary#qemu-}"
    done
}

ensure() { # VERSION PREFIX COMMAND...
    local version=$1 binary=$2-system-x86_64
    shift 2
    # With QEMU_BIN set, what stands there counts, and not what the PATH finds elsewhere.
    local found=${QEMU_BIN:+$bin_folder/}$binary
    [ "$1" = system_packages ] && found=$binary
    if [ ${#targets[@]} -gt 1 ] || ! runs "$found" "$version"; then
        "$@"
    fi
    runs "$found" "$version" || { echo "not QEMU $version: $found: $("$found" --version 2>&1 | head -1)" >&2; return 1; }
    echo "QEMU $version: $("$found" --version | head -1)"
}

versions=()
for argument; do
    case $argument in
    --all) targets=(x86 arm ppc mips sparc misc s390x riscv) ;;
    7.2 | 10.0 | 5.2) versions+=("$argument") ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done
[ ${#versions[@]} -gt 0 ] || versions=(7.2 10.0)
for version in "${versions[@]}"; do
    case $version in
    7.2) ensure 7.2 qemu system_packages ;;
    10.0) ensure 10.0 qemu10 unpacked 10.0 qemu10 bookworm-backports bookworm ;;
    5.2) ensure 5.2 qemu5 unpacked 5.2 qemu5 bullseye ;;
    esac
done
