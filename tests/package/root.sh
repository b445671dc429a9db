# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # the variables are for those who source this
#
# What tests of the Debian package share: the package, and a fresh Debian 12 to
# install it in. The base of that is made once and kept; each fresh one is a layer
# above it, in memory.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

SUITE=bookworm
PACKAGE_DIR=$BUILD/package
ROOT=$TMP/root
# All machines' namespaces see it, so it is called by a number that no other test has.
CGROUP=$TMP/cgroup/xdpfwd-test.$(readlink /proc/self/ns/mnt | tr -dc 0-9)

mirror() {
	# shellcheck disable=SC2016 # apt fills it in
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
		awk '$2 !~ /-security$/ { print $1; exit }'
}

is_outdated() {
	local deb
	deb=$(ls "$PACKAGE_DIR"/deb/xdpfwd_*.deb 2>/dev/null) || return 0
	# shellcheck disable=SC2016 # the inner shell expands it
	[ -n "$(cd "$TOP" && git ls-files -z | xargs -0 bash -c 'find "$@" -newer "$0" -print' "$deb")" ]
}

# build_package: $DEB, of this tree; built once for whoever runs at the same time.
build_package() {
	mkdir -p "$PACKAGE_DIR"
	(
		flock 9
		! is_outdated || "$TOP/tools/deb" "$PACKAGE_DIR/deb"
	) 9>"$PACKAGE_DIR/lock"
	DEB=$(ls "$PACKAGE_DIR"/deb/xdpfwd_*.deb)
}

# make_base: $BASE, a minimal Debian 12 with systemd and what the package depends on.
make_base() {
	local packages
	packages=systemd-sysv,$(dpkg-deb -f "$DEB" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/ //g')
	BASE=$PACKAGE_DIR/$SUITE-$(md5sum <<<"$packages" | cut -c 1-8)
	[ ! -d "$BASE" ] || return 0
	(
		flock 9
		[ ! -d "$BASE" ] || exit 0
		rm -rf "$BASE.part"
		debootstrap --variant=minbase --include="$packages" "$SUITE" "$BASE.part" "${DEBIAN_MIRROR:-$(mirror)}"
		mv "$BASE.part" "$BASE"
	) 9>"$PACKAGE_DIR/lock"
}

# fresh_root: $ROOT, as after the installation of Debian; the router's network is around it.
fresh_root() {
	local mountpoint
	build_package
	make_base
	while mountpoint -q "$ROOT"; do umount -R "$ROOT"; done
	rm -rf "$TMP/layer"
	mkdir -p "$ROOT" "$TMP/layer/data" "$TMP/layer/work"
	mount -t overlay -o "lowerdir=$BASE,upperdir=$TMP/layer/data,workdir=$TMP/layer/work" overlay "$ROOT"
	for mountpoint in dev sys; do mount --rbind "/$mountpoint" "$ROOT/$mountpoint"; done
	mount -t proc proc "$ROOT/proc"
	mkdir -p "$ROOT/packages"
	mount --bind "$(dirname "$DEB")" "$ROOT/packages"
}

# in_root COMMAND...: in there and in the router's network. Not by chroot(2), in which nobody may unshare.
in_root() {
	# shellcheck disable=SC2016 # the inner shell expands it
	in_router unshare --mount --propagation private bash -c \
		'cd "$1" && pivot_root . mnt && umount -l /mnt && shift && exec "$@"' - "$ROOT" \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@" 3>&-
}

# boot: systemd as process 1 of $ROOT, in namespaces of its own; $TMP/boot.out has what it says.
boot() {
	mountpoint -q "$TMP/cgroup" || { mkdir -p "$TMP/cgroup"; mount -t cgroup2 cgroup2 "$TMP/cgroup"; }
	mkdir -p "$CGROUP"
	umount -R -l "$ROOT/dev" "$ROOT/sys/fs/cgroup"
	mount -t tmpfs -o mode=0755 tmpfs "$ROOT/dev"
	cp -a /dev/{null,zero,full,random,urandom,tty} "$ROOT/dev/"
	mkdir "$ROOT"/dev/{pts,shm,mqueue,hugepages}
	ln -s pts/ptmx "$ROOT/dev/ptmx"
	mount -t devpts -o newinstance,ptmxmode=0666 devpts "$ROOT/dev/pts"
	# Only the mounts that a machine has at power-on; no terminals, which would be those of this machine.
	# shellcheck disable=SC2016 # the inner shells expand it
	start boot in_router bash -c 'echo 0 >"$1/cgroup.procs" && exec unshare --cgroup --pid --fork --kill-child \
		--mount --uts --ipc --propagation private bash -c '\''
			cd "$0" && mount -t proc proc proc && mount -t tmpfs -o mode=0755 tmpfs run &&
			mount -t cgroup2 cgroup2 sys/fs/cgroup && pivot_root . mnt && umount -l /mnt &&
			exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd \
				--unit=basic.target --show-status=no'\'' "$2"' - "$CGROUP" "$ROOT"
	until_true is_booted
}

is_booted() { in_system systemctl is-active basic.target >/dev/null 2>&1; }

init_pid() { pgrep -fo '^/lib/systemd/systemd --unit=basic.target'; }

# in_system COMMAND...: beside that systemd.
in_system() {
	nsenter --target "$(init_pid)" --mount --pid --net --cgroup --uts --ipc --root --wd -- \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@" 3>&-
}

# power_off: also after a failure, when there may be nothing to do.
power_off() {
	[ -d "$CGROUP" ] || return 0
	kill -KILL "$(init_pid)" 2>/dev/null || true # all of its namespace goes with it
	until_true is_empty "$CGROUP"
}

is_empty() { find "$1" -depth -type d -exec rmdir {} + 2>/dev/null; }
