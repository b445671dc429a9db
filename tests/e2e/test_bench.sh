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
	run bare,nft,fast,full,fast@300/udp6 --flows 50 --kinds udp4,ack6 &&
		[ "$(jq '[.packets[].measurements[] | length] | add' "$TMP/run.json")" -eq 10 ]
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
		lab = scene.make_lab("fast", scene.Scene(["fast"]), how)
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

# A namespace lives on for a while after its deletion, and its threads with it: here, as long as it is held.
threads_of_its_own() {
	python3 -B - <<-'EOF'
		import os
		import sys
		sys.path.insert(0, "tools/bench")
		import scene
		how = scene.How(1, 0.1, 1, 0)
		labs = [scene.make_lab("bare", scene.Scene(["bare"]), how) for _ in range(2)]
		held = []
		try:
		    labs[0].up()
		    held = [os.open(f"/run/netns/{netns}", os.O_RDONLY) for netns in labs[0].netns.values()]
		    labs[0].down()
		    labs[1].up()
		    measured = scene.drive(labs[1], scene.Scene(["bare"]), 10, 0, how)
		finally:
		    for fd in held:
		        os.close(fd)
		    labs[1].down()
		both = set(labs[0].threads.values()) & set(labs[1].threads.values())
		sys.exit(bool(both) or not measured["busy_ns"])
	EOF
}

# The rest is measured and saved, and the exit code tells.
one_fails() {
	mkdir "$TMP/bin" && printf '#!/bin/sh\necho nothing works >&2\nexit 1\n' >"$TMP/bin/nft" && chmod +x "$TMP/bin/nft"
	PATH=$TMP/bin:$PATH timeout 60 tools/bench/run --subjects bare,nft --flows 10 --rounds 1 --seconds 0.1 \
		--egress moderated --json "$TMP/fails.json" && return 1
	jq -e '(.packets[0].measurements[0] | keys) == ["bare"] and
		(.failures | length) == 1 and (.failures[0].why | test("nothing works"))' "$TMP/fails.json"
}

# What the machine has set is raised for a scene and put back, also after a failure; files stand in for it here.
room_is_put_back() {
	echo 100 >"$TMP/max" && echo 4000 >"$TMP/buckets"
	python3 -B - "$TMP" <<-'EOF' || return 1
		import sys
		sys.path.insert(0, "tools/bench")
		import conntrack
		conntrack.MAX, conntrack.BUCKETS = (f"{sys.argv[1]}/{name}" for name in ("max", "buckets"))
		during = None
		try:
		    with conntrack.room(1000):
		        during = conntrack.limit(), conntrack.read(conntrack.BUCKETS)
		        raise KeyboardInterrupt
		except KeyboardInterrupt:
		    pass
		sys.exit(during is None or during[0] < 1000 or during[1] != 4000)
	EOF
	[ "$(cat "$TMP/max")" = 100 ] && [ "$(cat "$TMP/buckets")" = 4000 ]
}

tcp() {
	python3 -B - <<-'EOF'
		import sys
		sys.path.insert(0, "tools/bench")
		import scene
		import tcp
		from failures import Failures
		failures = Failures()
		for offloads, names in (("none", ["pair", "fast"]), ("gso", ["pair-tc"])):
		    part = tcp.measure(offloads, names, scene.How(1, 1, 1, 0), failures)
		    print("\n".join(tcp.table(part)))
		    if not all(its and its["median"] > 0 for name in names for its in part["figures"][name].values()):
		        sys.exit(f"{offloads}: something is missing")
		sys.exit(str(failures.all) if failures.all else 0)
	EOF
}

nothing_left() {
	! ip netns list | grep . && ! find /sys/fs/bpf -mindepth 1 -not -name '*.debug' | grep .
}

it "every kind of packet, through each forwarder" all_kinds
it "new flows, refused packets" new_and_refused
it "a wrong source is noticed" notices "--masquerade 0xc0000202" "wrong address"
it "packets that should have been refused are noticed" notices "--dropped" "was to drop"
it "threads of a namespace that is gone are not taken for others" threads_of_its_own
it "one subject's failure leaves the others" one_fails
it "room for connections is put back" room_is_put_back
it "TCP through the fast tier and the bare pairs" tcp
it "nothing is left behind" nothing_left
it "the verifier's work is as docs/verifier.txt has it" tools/verifier-cost --check
echo "1..$tests_run"
[ "$tests_failed" -eq 0 ]
