# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # the variables are for those who source this
#
# A network to try the forwarder in. Sourcing this moves the script into mount
# and process namespaces of its own: its bpffs, network namespaces and servers
# are out of everybody's way, and gone when the script is, however it ends.
#
#	client eth0 ---- wan0 router lan0 ---- eth0 server
#	198.51.100.2     198.51.100.1  192.0.2.1     192.0.2.10
#	2001:db8:1::2    2001:db8:1::1 2001:db8:2::1 2001:db8:2::10
#	                 203.0.113.7 (an address more, on wan0)
#
# The devices are veth pairs with all offloads at their defaults.

E2E_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$E2E_DIR/../.." && pwd)
BUILD=${BUILD:-build}
[[ $BUILD = /* ]] || BUILD=$TOP/$BUILD
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C

if [ "${E2E_INSIDE:-}" != "$(readlink /proc/self/ns/mnt)" ]; then
	[ "$(id -u)" -eq 0 ] || { echo "$0: needs root" >&2; exit 1; }
	# The inner shell recognises its namespace by its number, so that a stray
	# environment variable cannot make a test run outside.
	# shellcheck disable=SC2016 # the inner shell expands it
	exec unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
		bash -c 'E2E_INSIDE=$(readlink /proc/self/ns/mnt) exec bash "$0" "$@"' "$0" "$@"
fi

XDPFWD=${XDPFWD:-$BUILD/xdpfwd}
HELPERS=$BUILD/e2e
CLIENT4=198.51.100.2 WAN4=198.51.100.1 PUBLIC4=203.0.113.7 LAN4=192.0.2.1 SERVER4=192.0.2.10
CLIENT6=2001:db8:1::2 WAN6=2001:db8:1::1 LAN6=2001:db8:2::1 SERVER6=2001:db8:2::10
EVENT_TIMEOUT=${EVENT_TIMEOUT:-60} # seconds; how long an event may take before the test gives up on it

# The names of network namespaces are in /run, and so is what the tests write.
mount -t tmpfs -o mode=0755 tmpfs /run
TMP=/run/test
mkdir /run/netns $TMP
: >"$TMP/pids"

fail() {
	echo "$*" >&2
	return 1
}

# ---- namespaces

in_client() { nsenter --net=/run/netns/client -- "$@"; }
in_client2() { nsenter --net=/run/netns/client2 -- "$@"; }
in_router() { nsenter --net=/run/netns/router -- "$@"; }
in_server() { nsenter --net=/run/netns/server -- "$@"; }
in_server2() { nsenter --net=/run/netns/server2 -- "$@"; }
xdpfwd() { in_router "$XDPFWD" "$@"; }

# namespace NAME: a new one, its loopback up, without waits for duplicate addresses.
namespace() {
	ip netns add "$1"
	nsenter --net="/run/netns/$1" -- sysctl -qw \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.default.router_solicitations=0 \
		net.ipv4.icmp_ratelimit=0
	ip -n "$1" link set lo up
}

# cable NS1 DEV1 NS2 DEV2
cable() {
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# address NS DEV ADDR/LEN...
address() {
	local ns=$1 dev=$2 addr
	shift 2
	for addr in "$@"; do
		case $addr in
		*:*) ip -n "$ns" addr add "$addr" dev "$dev" nodad ;;
		*) ip -n "$ns" addr add "$addr" dev "$dev" ;;
		esac
	done
}

gateway() { # NS VIA4 VIA6
	ip -n "$1" route add default via "$2"
	ip -n "$1" -6 route add default via "$3"
}

# The side of the targets, of three kinds. What the router calls its device: $LAN.
lan_plain() {
	LAN=lan0
	cable router lan0 server eth0
}
lan_bridge() {
	LAN=br0
	namespace server2
	ip -n router link add br0 type bridge forward_delay 0 mcast_snooping 0
	cable router lan0 server eth0
	cable router lan1 server2 eth0
	ip -n router link set lan0 master br0
	ip -n router link set lan1 master br0
	ip -n router link set br0 up
	address server2 eth0 192.0.2.11/24 2001:db8:2::11/64
	gateway server2 $LAN4 $LAN6
}
lan_tun() {
	LAN=tun0
	start tunpipe "$HELPERS/tunpipe" /run/netns/router tun0 /run/netns/server eth0
	wait_for_line "$TMP/tunpipe.out" ready
	ip -n router link set tun0 up
	ip -n server link set eth0 up
}

# Client, router and server, from scratch, in place of what was there before; no cables yet.
machines() {
	teardown
	mount_bpffs
	namespace client
	namespace router
	namespace server
	in_router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.forwarding=1
}

# topology [plain|bridge|tun]: and the cables.
topology() {
	machines
	cable client eth0 router wan0
	"lan_${1:-plain}"
	address client eth0 $CLIENT4/24 $CLIENT6/64
	address router wan0 $WAN4/24 $PUBLIC4/32 $WAN6/64
	address router "$LAN" $LAN4/24 $LAN6/64
	address server eth0 $SERVER4/24 $SERVER6/64
	gateway client $WAN4 $WAN6
	gateway server $LAN4 $LAN6
}

# A second client, behind an interface of its own: eth0 ---- wan1, 203.0.113.128/25.
second_client() {
	namespace client2
	cable client2 eth0 router wan1
	address client2 eth0 203.0.113.130/25 2001:db8:3::2/64
	address router wan1 203.0.113.129/25 2001:db8:3::1/64
	gateway client2 203.0.113.129 2001:db8:3::1
}

mount_bpffs() {
	mount -t bpf -o mode=0700 bpf /sys/fs/bpf
}

# Everything in the bpffs but what the kernel puts into each.
pins() {
	find /sys/fs/bpf -mindepth 1 -not -name '*.debug' | sort
}

# tier tc|native|gro|fast: sets the ends up for it; the mode to load with is in $MODE.
#	tc       the full tier alone
#	native   the fast tier on veths whose peers do not take XDP frames: it cannot finish
#	gro      the peers run NAPI, so that the fast tier can finish
#	fast     likewise, and senders write whole checksums: it must finish
tier() {
	local ns
	MODE=native
	case $1 in
	tc) MODE=tc ;;
	native) ;;
	gro | fast)
		for ns in client server; do
			nsenter --net=/run/netns/$ns -- ethtool -K eth0 gro on
			[ "$1" = gro ] || nsenter --net=/run/netns/$ns -- ethtool -K eth0 tx off >/dev/null
		done
		;;
	esac
}

# Does the kernel tell which devices take XDP frames (6.3)? Else the fast tier sends nothing through a veth.
tells_xdp_features() { genl ctrl get name netdev >/dev/null 2>&1; }

teardown() {
	local pid ns
	while read -r pid; do
		kill -KILL "$pid" 2>/dev/null || true
	done <"$TMP/pids"
	: >"$TMP/pids"
	for ns in /run/netns/*; do
		[ ! -e "$ns" ] || ip netns del "$(basename "$ns")"
	done
	while mountpoint -q /sys/fs/bpf; do umount /sys/fs/bpf; done
	return 0
}

# ---- programs that run beside the test

# start NAME COMMAND...: in the background, output in $TMP/NAME.out and $TMP/NAME.err.
start() {
	local name=$1
	shift
	: >"$TMP/$name.out" # whoever waits for a line must not read the last one of that name
	"$@" >"$TMP/$name.out" 2>"$TMP/$name.err" </dev/null 3>&- &
	echo $! >>"$TMP/pids"
	echo $! >"$TMP/$name.pid"
	disown $! # nobody wants to read that it was killed
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# stop NAME: what was started under that name, and only when it is gone, with its sockets, this returns.
stop() {
	local pid
	pid=$(cat "$TMP/$1.pid")
	kill "$pid"
	until_true is_gone "$pid"
}

# wait_for_line FILE REGEX: until the file, which may still be growing, has such a line.
wait_for_line() {
	local tail_pid
	touch "$1"
	coproc TAIL { exec tail -n +1 -f "$1" 2>/dev/null; }
	tail_pid=$!
	if ! timeout "$EVENT_TIMEOUT" grep -Eq -m1 -- "$2" <&"${TAIL[0]}"; then
		kill "$tail_pid"
		wait "$tail_pid" || true
		cat "$1" >&2
		fail "no line '$2' in $1"
		return 1
	fi
	kill "$tail_pid"
	wait "$tail_pid" || true
}

# until_true COMMAND...: for what announces itself by no event.
until_true() {
	local deadline=$((SECONDS + EVENT_TIMEOUT))
	until "$@"; do
		[ $SECONDS -lt $deadline ] || { fail "in $EVENT_TIMEOUT s never true: $*"; return 1; }
		read -rt 0.1 <> <(:) || true
	done
}

# A web server in namespace $1 on ports $2..., with /file (20 MB) below $TMP/www.
web_server() {
	local ns=$1 port listen=
	shift
	for port in "$@"; do
		listen+="listen $port; listen [::]:$port; "
	done
	mkdir -p "$TMP/www"
	[ -e "$TMP/www/file" ] || head -c 20000000 /dev/urandom >"$TMP/www/file"
	cat >"$TMP/nginx.conf" <<-EOF
		user root;
		daemon off;
		master_process off;
		pid $TMP/nginx.pid;
		error_log $TMP/nginx.log notice;
		events {}
		http {
			access_log $TMP/access.log;
			client_body_temp_path $TMP/www-body;
			proxy_temp_path $TMP/www-proxy;
			fastcgi_temp_path $TMP/www-fastcgi;
			uwsgi_temp_path $TMP/www-uwsgi;
			scgi_temp_path $TMP/www-scgi;
			server {
				$listen
				root $TMP/www;
				location = /port { return 200 "\$server_port\n"; }
			}
		}
	EOF
	: >"$TMP/access.log"
	rm -f "$TMP/nginx.log"
	start nginx nsenter --net="/run/netns/$ns" -- nginx -c "$TMP/nginx.conf" -e "$TMP/nginx.log"
	# It says so once its sockets listen.
	wait_for_line "$TMP/nginx.log" 'event method'
}

# download NAMESPACE URL: whole and unchanged, or the test fails.
download() {
	nsenter --net="/run/netns/$1" -- curl -sS --noproxy '*' --max-time 60 -o "$TMP/downloaded" "$2"
	cmp "$TMP/downloaded" "$TMP/www/file"
	equal "sha256 of $2" "$(sha256sum <"$TMP/www/file")" "$(sha256sum <"$TMP/downloaded")"
	rm -f "$TMP/downloaded"
}

# The address that the web server's last line names.
last_visitor() {
	wait_for_line "$TMP/access.log" 'GET'
	tail -n 1 "$TMP/access.log" | cut -d ' ' -f 1
}

# udp_server NAMESPACE ADDR PORT...: answers each datagram with its sender's address and the datagram.
udp_server() {
	local ns=$1
	shift
	start "udp-$ns" nsenter --net="/run/netns/$ns" -- python3 "$E2E_DIR/udp.py" serve "$@"
	wait_for_line "$TMP/udp-$ns.out" ready
}

# udp_ask NAMESPACE ADDR PORT [COUNT]: so many datagrams, each must be answered; prints who the server saw.
udp_ask() {
	nsenter --net="/run/netns/$1" -- python3 "$E2E_DIR/udp.py" ask "$2" "$3" "${4:-1}"
}

# tcp_connect NAMESPACE ADDR PORT: says what is wrong if it cannot.
tcp_connect() {
	nsenter --net="/run/netns/$1" -- python3 -c \
		'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)' "$2" "$3"
}

# tcp_server NAMESPACE ADDR PORT: for connections that stay open.
tcp_server() {
	start "tcp-$1" nsenter --net="/run/netns/$1" -- python3 "$E2E_DIR/tcp.py" serve "$2" "$3"
	wait_for_line "$TMP/tcp-$1.out" ready
}

# hold NAMESPACE ADDR PORT COUNT SOURCE-PORT: opens connections; $TMP/held-NAMESPACE.out has who the server saw.
hold() {
	rm -f "$TMP/held-$1.fifo"
	mkfifo "$TMP/held-$1.fifo"
	start "held-$1" nsenter --net="/run/netns/$1" -- python3 "$E2E_DIR/tcp.py" hold "$2" "$3" "$4" "$5" "$TMP/held-$1.fifo"
	wait_for_line "$TMP/held-$1.out" '^ready'
}

# release NAMESPACE: each held connection must still work; then they end.
release() {
	echo >"$TMP/held-$1.fifo"
	wait_for_line "$TMP/held-$1.out" '^done'
}
