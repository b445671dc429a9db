#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The Debian package: built, looked at by lintian, and installed, upgraded,
# removed and purged in a fresh Debian 12 while it forwards.
. "$(dirname "$0")/root.sh"

# Every file in there but the package manager's own notes.
files() {
	find "$ROOT" -xdev -not -path "$ROOT/var/lib/dpkg/*" -not -path "$ROOT/var/log/*" \
		-not -path "$ROOT/var/cache/*" -not -path "$ROOT/run/systemd/*" -printf '%P %y %m %U %G\n' | sort
}

# newer_package: $NEWER, a version more with another config.
newer_package() {
	local tree=$TMP/newer
	build_package
	rm -rf "$tree"
	dpkg-deb -R "$DEB" "$tree"
	sed -i 's/^Version: .*/&+1/' "$tree/DEBIAN/control"
	echo "# The next version knows more." >>"$tree/etc/xdpfwd/xdpfwd.yaml"
	dpkg-deb -b --root-owner-group "$tree" "$ROOT/root/newer.deb" >/dev/null
}

built() {
	build_package
	equal "version" "$(cat "$TOP/VERSION")" "$(dpkg-deb -f "$DEB" Version)"
	equal "remarks of lintian" "" "$(lintian --allow-root --fail-on none --tag-display-limit 0 "$(dirname "$DEB")"/*.changes)"
}

# Who builds the package gets what tools/install-deps installs for the build.
builds_with() {
	local package
	sed -n '/^BUILD_PACKAGES="/,/"$/p' "$TOP/tools/install-deps" | sed 's/^BUILD_PACKAGES=//; s/"//g' | xargs -n 1 >"$TMP/packages"
	while read -r package; do
		case $package in
		make | gcc | libc6-dev) continue ;; # build-essential
		esac
		grep -Eqw "^(Build-Depends:)? *$package,?" "$TOP/packaging/debian/control" ||
			fail "Build-Depends lacks $package"
	done <"$TMP/packages"
}

installed() {
	topology
	fresh_root
	files >"$TMP/before"
	in_root dpkg -i "/packages/$(basename "$DEB")"
	equal "version" "xdpfwd $(cat "$TOP/VERSION")" "$(in_root xdpfwd --version)"
	equal "what is enabled" "" "$(find "$ROOT/etc/systemd/system" -name 'xdpfwd*')"
	equal "config in force" "" "$(grep -v -e '^#' -e '^$' "$ROOT/etc/xdpfwd/xdpfwd.yaml" || true)"
	equal "remarks on the unit" "" "$(in_root systemd-analyze verify --man=no /lib/systemd/system/xdpfwd.service 2>&1)"
	bash -n "$ROOT/usr/share/bash-completion/completions/xdpfwd"
	zsh -n "$ROOT/usr/share/zsh/vendor-completions/_xdpfwd"
	fish -n "$ROOT/usr/share/fish/vendor_completions.d/xdpfwd.fish"
}

# From here on each test goes on where the one before it stopped.
upgraded() {
	in_root xdpfwd load wan0
	in_root xdpfwd map add tcp :443 $SERVER4:8443 --name web
	web_server server 8443
	download client "http://$WAN4:443/file"
	newer_package
	echo "# Ours." >>"$ROOT/etc/xdpfwd/xdpfwd.yaml"
	in_root dpkg --force-confdef -i /root/newer.deb
	matches "version" '\+1$' "$(in_root dpkg-query -W xdpfwd)"
	equal "the end of the config" "# Ours." "$(tail -n 1 "$ROOT/etc/xdpfwd/xdpfwd.yaml")"
	equal "configs" "xdpfwd.yaml xdpfwd.yaml.dpkg-dist" "$(find "$ROOT/etc/xdpfwd" -type f -printf '%f\n' | sort | xargs)"
	equal "flows taken" 1 "$(counter web flows_created)"
	download client "http://$WAN4:443/file"
	equal "flows taken" 2 "$(counter web flows_created)"
}

removed() {
	in_root dpkg -r xdpfwd
	equal "pins" "" "$(pins)"
	equal "programs" "" "$(in_router tc filter show dev wan0 ingress; in_router ip link show wan0 | grep xdp || true)"
	equal "the end of the config" "# Ours." "$(tail -n 1 "$ROOT/etc/xdpfwd/xdpfwd.yaml")"
	! tcp_connect client $WAN4 443 2>/dev/null || fail "it still forwards"
}

purged() {
	in_root dpkg -P xdpfwd
	rm "$ROOT/root/newer.deb"
	files >"$TMP/after"
	diff "$TMP/before" "$TMP/after" || fail "something is left"
}

it "builds, without a remark of lintian" built
it "names what its build needs" builds_with
it "installs in a fresh Debian 12, and starts nothing" installed
it "upgrades while it forwards, and keeps a config that was changed" upgraded
it "is removed, and forwarding with it; the config stays" removed
it "is purged, and nothing is left" purged

done_testing
