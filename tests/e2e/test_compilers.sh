#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What each supported compiler makes of the sources is accepted by the kernel
# and forwards; what make install puts in place runs.
. "$(dirname "$0")/lib.sh"

forwards() {
	local mode
	XDPFWD=$BUILD/$1/xdpfwd
	for mode in native tc; do
		topology
		tier gro
		web_server server 8443
		udp_server server :: 7000
		xdpfwd load wan0 --mode $mode
		xdpfwd map add tcp :443 $SERVER4:8443
		xdpfwd map add tcp :443 "[$SERVER6]:8443" --source masquerade
		xdpfwd map add udp :5000-5999 $SERVER4:7000
		xdpfwd map add udp :5000-5999 "[$SERVER6]:7000" --source masquerade
		download client "http://$WAN4:443/file"
		download client "http://[$WAN6]:443/file"
		udp_ask client $WAN4 5000 100
		udp_ask client $WAN6 5000 100
	done
}

installed() {
	make -s -C "$TOP" BUILD="$BUILD" DESTDIR="$TMP/root" PREFIX=/usr/local install
	equal "version" "$("$XDPFWD" --version)" "$("$TMP/root/usr/local/sbin/xdpfwd" --version)"
	equal "mode of the binary" 755 "$(stat -c %a "$TMP/root/usr/local/sbin/xdpfwd")"
}

it "clang 14: accepted by the kernel, forwards" forwards clang-14
it "clang 19: accepted by the kernel, forwards" forwards clang-19
it "make install" installed

done_testing
