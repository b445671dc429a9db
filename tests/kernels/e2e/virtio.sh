# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # the variables are for those who source devices.sh
#
# The guest's four virtio NICs, of which cables join the first to the second and the third to
# the fourth. They come from the first network namespace, and go back there when that in which
# they are ends, some time later.

# nic NUMBER: what it is called here.
nic() {
	ip -o link | sed -n "s/^[0-9]*: \([^:@]*\)[:@].* link\/ether 02:00:00:00:00:0$1 .*/\1/p"
}

nic_is_here() { [ -n "$(nic "$1")" ]; }

# plug NUMBER NS NAME
plug() {
	until_true nic_is_here "$1"
	ip link set "$(nic "$1")" down netns "$2" name "$3"
	ip -n "$2" link set "$3" up
}

# Both ends of a cable: NS SIDE.
virtio_cable() {
	case $2 in
	wan) plug 1 "$1" eth0 && plug 2 router wan0 ;;
	lan) plug 4 "$1" eth0 && plug 3 router lan0 ;;
	esac
}

way_virtio() {
	END=eth0 DEVICE=${2}0
	virtio_cable "$1" "$2"
	ends "$1" "$2"
}

way_virtio_vlan() {
	virtio_cable "$1" "$2"
	on_top "$1" eth0 100
	on_top router "${2}0" 100
	END=eth0.100 DEVICE=${2}0.100
	ends "$1" "$2"
}
