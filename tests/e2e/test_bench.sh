#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The parts of tools/bench work: packets of every kind arrive as they must through
# each forwarder, and a wrong one is noticed; TCP goes through; the verifier's work
# is what docs/verifier.txt says. No figure is asserted.
#
# Not in lib.sh's sandbox: the benchmark looks for threads of the kernel, which a
# process namespace hides. A mount namespace of its own it gets.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
if [ "${BENCH_INSIDE:-}" != "$(readlink /proc/self/ns/mnt)" ]; then
	# shellcheck disable=SC2016 # the inner shell expands it
	exec unshare --mount --propagation private \
		bash -c 'BENCH_INSIDE=$(readlink /proc/self/ns/mnt) exec bash "$0"' "tests/e2e/$(basename "$0")"
fi
mount -t tmpfs -o mode=0755 tmpfs /run && mkdir /run/netns && mount -t bpf bpf /sys/fs/bpf || exit 1

export BUILD=${BUILD:-build} PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
tests_run=0 tests_failed=0

# it NAME FUNCTION [ARG...]
it() {
	local name=$1
	shift
	tests_run=$((tests_run + 1))
	echo "== $name" >&2
	if ("$@") >&2; then
		echo "ok $tests_run - $name"
	else
		tests_failed=$((tests_failed + 1))
		echo "not ok $tests_run - $name"
	fi
}

# run SUBJECTS OPTION...: short, one round, every packet checked.
run() {
	local subjects=$1
	shift
	timeout 120 tools/bench/run --subjects "$subjects" --rounds 1 --seconds 0.2 --egress moderated --verify \
		--json "$TMP/run.json" "$@" || return 1
	# Of each subject all that was counted was checked, and nothing was lost.
	jq -e '[.packets[].measurements[][] | .lost == 0 and .checked >= .delivered and .handled > 0] | all' \
		"$TMP/run.json"
}

all_kinds() {
	run bare,nft,fast,full --flows 50 --kinds udp4,ack6 &&
		[ "$(jq '[.packets[].measurements[] | length] | add' "$TMP/run.json")" -eq 8 ]
}

new_and_refused() {
	run masq,stateless --flows new --kinds syn4 && run bare-drop,refused --flows 50
}

# notices OPTIONS WORDS: a fast tier whose packets are expected otherwise ends the measurement with these words.
notices() {
	python3 -B - "$@" <<-'EOF'
		import sys
		sys.path.insert(0, "tools/bench")
		import scene
		from lab import Failure
		how = scene.How(1, 0.1, 1, 0)
		lab = scene.make_lab("n", "fast", scene.Scene(["fast"]), how)
		try:
		    lab.up()
		    lab.drive = lab.drive + sys.argv[1].split()
		    scene.drive(lab, scene.Scene(["fast"]), 10, 0, how)
		except Failure as failure:
		    print(failure)
		    sys.exit(sys.argv[2] not in str(failure))
		finally:
		    lab.down()
		sys.exit("nothing was noticed")
	EOF
}

tcp() {
	python3 -B - <<-'EOF'
		import sys
		sys.path.insert(0, "tools/bench")
		import scene
		import tcp
		part = tcp.measure("none", ["fast"], scene.How(1, 1, 1, 0))
		print("\n".join(tcp.table(part)))
		sys.exit(not all(its["median"] > 0 for its in part["figures"]["fast"].values()))
	EOF
}

nothing_left() {
	! ip netns list | grep . && ! find /sys/fs/bpf -mindepth 1 -not -name '*.debug' | grep .
}

it "every kind of packet, through each forwarder" all_kinds
it "new flows, refused packets" new_and_refused
it "a wrong source is noticed" notices "--masquerade 0xc0000202" "wrong address"
it "packets that should have been refused are noticed" notices "--dropped" "was to drop"
it "TCP through the fast tier" tcp
it "nothing is left behind" nothing_left
it "the verifier's work is as docs/verifier.txt has it" tools/verifier-cost --check
echo "1..$tests_run"
[ "$tests_failed" -eq 0 ]
