#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How commands answer, whatever they are asked: exit codes, one line on stderr,
# nothing on stdout but what was asked for, JSON errors, help with an example.
. "$(dirname "$0")/lib.sh"

COMMANDS=(load unload status map "map add" "map del" "map list" "map show" "map enable" "map disable" stats flows
	"flows flush" "flows who" ban apply confirm save check metrics serve run import completion)
READERS=(status check "check web" "map list" "map show web" stats "stats web" "stats --sources" "stats --sources web" "ban list"
	flows "flows --rule web" "flows --limit 3" "flows --source 198.51.100.0/24" metrics)

setup() {
	topology
	xdpfwd load wan0
	xdpfwd map add tcp :443 $SERVER4:8443 --name web
}

# wrong CODE ARG...: exits so, says it in one line, and says nothing else.
wrong() {
	local code=$1 rc=0
	shift
	xdpfwd "$@" >"$TMP/out" 2>"$TMP/err" || rc=$?
	equal "exit code of '${*:0:99}'" "$code" "$rc"
	equal "lines on stderr of '$*'" 1 "$(wc -l <"$TMP/err")"
	matches "stderr of '$*'" '^xdpfwd: .' "$(cat "$TMP/err")"
	case " $* " in
	*" --json "*) equal "error of '$*'" "$(sed 's/^xdpfwd: //' "$TMP/err")" "$(jq -r .error "$TMP/out")" ;;
	*) equal "stdout of '$*'" "" "$(cat "$TMP/out")" ;;
	esac
}

helps() {
	topology
	local command
	for command in "" "${COMMANDS[@]}"; do
		# shellcheck disable=SC2086 # a list of words
		xdpfwd $command --help >"$TMP/out" 2>"$TMP/err"
		equal "stderr of '$command --help'" "" "$(cat "$TMP/err")"
		matches "'$command --help'" "^Usage: xdpfwd ?${command%% *}" "$(head -n 1 "$TMP/out")"
		grep -A 3 '^Example:' "$TMP/out" | grep -q "^  xdpfwd ${command%% *}" || fail "'$command --help' has no example"
	done
	equal "version" "xdpfwd $(cat "$TOP/VERSION")" "$(xdpfwd --version)"
}

usage() {
	setup
	local command later
	wrong 2
	wrong 2 ''
	wrong 2 nosuch
	wrong 2 "$(printf 'x%.0s' {1..100000})"
	wrong 2 $'two\nlines'
	wrong 2 --nosuch status
	wrong 2 --state
	wrong 2 --state= status
	for command in "${COMMANDS[@]}"; do
		# shellcheck disable=SC2086
		wrong 2 $command --nosuch
		# shellcheck disable=SC2086
		wrong 2 $command $'--no\nsuch\e[31m'
	done
	for command in status "map list" "map show" "map show web web" "flows who" "flows who 0" "flows bogus" \
		"flows --limit 0" "flows --limit x" "flows --source 300.0.0.0/8" "flows --source 198.51.100.0/33" \
		"stats --watch 0" "stats --watch" metrics; do
		# shellcheck disable=SC2086
		wrong 2 $command --json extra --nosuch
	done
	for command in "load" "load wan0 --mode turbo" "load wan0 --max-rules 0" "load wan0 --max-flows 1e6" "unload" \
		"unload --all wan0" "map" "map nosuch" "map add tcp :1" "map add tcp :1 $SERVER4 extra" "map del" \
		"map enable" "map disable" "serve --listen 9977" "serve --listen :9977" "serve --listen ::1:9977" \
		"apply" "apply a b" "apply a --confirm 0" "apply a --confirm x" "confirm now" "save a b"; do
		# shellcheck disable=SC2086
		wrong 2 $command
	done
	# What this version has not is no command and no option, and no stub of one.
	for later in top trace explain; do
		wrong 2 $later
		! xdpfwd --help | grep -q "^  $later " || fail "--help speaks of $later"
	done
	wrong 2 map add tcp :1 $SERVER4 --weight 1
	equal "rules" 1 "$(xdpfwd status --json | jq .rules)"
}

could_not() {
	setup
	local command
	for command in "map show nosuch" "stats nosuch" "stats web web" "flows --rule nosuch" "flows who 65535"; do
		# shellcheck disable=SC2086
		wrong 1 $command
		# shellcheck disable=SC2086
		wrong 1 $command --json
	done
	wrong 1 map show $'no\nsuch\e[31m\xff' --json
	for command in "map del nosuch" "map del web nosuch" "map del web web" "map del udp :443" "map enable nosuch" \
		"map disable web nosuch" "flows flush --rule nosuch" "unload nosuch" "load nosuch" "load wan0 nosuch" \
		"load wan0 --max-rules 5" "map add tcp :1 nohost.example" "map add tcp :1 $SERVER4,$SERVER4" \
		"serve --listen 192.0.2.99:9977" "serve --textfile /nonexistent/file" "apply /nonexistent" "apply /" \
		"confirm" "save /nonexistent/file" "load wan0 --config /nonexistent"; do
		# shellcheck disable=SC2086
		wrong 1 $command
	done
	wrong 1 map add tcp "$(printf ':%.0s' {1..70000})" $SERVER4
	wrong 1 map add tcp :1 $SERVER4 --name $'a\nb'
	wrong 1 map add tcp :1 $SERVER4 --name -x
	wrong 1 map add tcp :1 $SERVER4 --comment $'a\nb'
	equal "rules" 1 "$(xdpfwd status --json | jq .rules)"
	equal "enabled" true "$(xdpfwd map list --json | jq '.[0].enabled')"
}

# --json may come before, between and after operands; JSON is all there is on stdout.
json() {
	setup
	local command
	for command in "${READERS[@]}"; do
		# shellcheck disable=SC2086
		xdpfwd $command --json >"$TMP/out" 2>"$TMP/err"
		equal "stderr of '$command --json'" "" "$(cat "$TMP/err")"
		equal "values of '$command --json'" 1 "$(jq -s length "$TMP/out")"
	done
	diff <(xdpfwd map show --json web) <(xdpfwd map show web --json)
	diff <(xdpfwd stats --json web) <(xdpfwd stats web --json)
	equal "a family of metrics --json" 65536 \
		"$(xdpfwd metrics --json | jq '.[] | select(.name == "xdpfwd_rules_limit").samples[0].value')"
	equal "keys of status" "drops flows interfaces limits memory rules timeouts version" \
		"$(xdpfwd status --json | jq -r 'keys | join(" ")')"
}

unprivileged() { in_router setpriv --reuid=65534 --regid=65534 --clear-groups -- "$TMP/xdpfwd" "$@"; }

not_root() {
	setup
	local command rc
	install -m 0755 "$XDPFWD" "$TMP/xdpfwd"
	chmod 0755 "$TMP"
	for command in "${READERS[@]}" "load wan0" "unload --all" "map add tcp :1 $SERVER4"; do
		rc=0
		# shellcheck disable=SC2086
		unprivileged $command >"$TMP/out" 2>"$TMP/err" || rc=$?
		equal "exit code of '$command'" 1 $rc
		equal "lines on stderr of '$command'" 1 "$(wc -l <"$TMP/err")"
		matches "stderr of '$command'" '^xdpfwd: .*root' "$(cat "$TMP/err")"
		equal "stdout of '$command'" "" "$(cat "$TMP/out")"
	done
	unprivileged --help >/dev/null
}

# An answer that could not be written is not given.
full() {
	setup
	local command rc
	for command in "${READERS[@]}" "map list --json" "--version" "--help"; do
		rc=0
		# shellcheck disable=SC2086
		xdpfwd $command >/dev/full 2>"$TMP/err" || rc=$?
		equal "exit code of '$command >/dev/full'" 1 $rc
		equal "lines on stderr of '$command'" 1 "$(wc -l <"$TMP/err")"
	done
}

it "every command has help with an example" helps
it "wrong usage: exit code 2, one line" usage
it "what cannot be done: exit code 1, one line, nothing changed" could_not
it "JSON on stdout alone, wherever --json stands" json
it "without root: one line that says so" not_root
it "a full disk is an error" full

done_testing
