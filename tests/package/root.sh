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
