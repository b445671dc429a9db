#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The manual pages: sound, and about what there is. Nothing is missing of the
# commands, options, metrics, reasons and keys, and nothing is there that is not.
. "$(dirname "$0")/lib.sh"

MAN=$TOP/docs/man
# In the manual already, and not yet in the tool. Must be empty once they are.
COMING=""

words() { xdpfwd completion words -- "$@" | cut -f 1; }

# commands: "map add" and the like, one a line.
commands() {
	words '' | grep -v '^map$'
	words map '' | sed 's/^/map /'
	echo map
}

# sections FILE: its commands, as `.Ss map add Ar ...` names them.
sections() { sed -n 's/^\.Ss \([a-z ]*[a-z]\).*/\1/p' "$1"; }

# section COMMAND: the lines about it.
section() {
	awk -v command="$1" '
		/^\.S[sh] / { name = ""; for (i = 2; i <= NF && $i ~ /^[a-z]+$/; i++) name = name (i > 2 ? " " : "") $i }
		/^\.S[sh] / { ours = $1 == ".Ss" && name == command; next }
		ours' "$MAN/xdpfwd.8"
}

# items: the names of a list's items on stdin, without their macros.
items() { sed -n 's/^\.It \(Fl \|Cm \|Ic \)\([^ ]*\).*/\2/p'; }

# same WHAT FILE FILE: both lists have the same lines; those of COMING need not be in the first.
same() {
	sort -u "$2" >"$TMP/is"
	sort -u "$3" | grep -vxF "$(tr ' ' '\n' <<<"$COMING" | grep -vxFf "$TMP/is")" >"$TMP/told" || true
	diff "$TMP/is" "$TMP/told" >&2 || fail "$1: what there is (<) is not what the manual tells (>)"
}

sound() {
	local page found
	for page in "$MAN"/*; do
		found=$(mandoc -Tlint "$page" 2>&1 | grep -v 'referenced manual not found: Xr xdpfwd' || true)
		equal "remarks of mandoc" "" "$found"
		found=$(man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
		equal "remarks of man on $page" "" "$found"
	done
	equal "pages" "xdpfwd-metrics.7 xdpfwd.8 xdpfwd.yaml.5" "$(find "$MAN" -type f -printf '%f\n' | sort | xargs)"
}

all_commands() {
	topology
	local command
	commands >"$TMP/commands"
	sections "$MAN/xdpfwd.8" >"$TMP/sections"
	same "commands" "$TMP/commands" "$TMP/sections"
	while read -r command; do
		# shellcheck disable=SC2086 # a list of words
		words $command -- | grep -v -e '^--help$' >"$TMP/options" || true
		section "$command" | items | sed 's/^/-/' >"$TMP/told-options"
		same "options of $command" "$TMP/options" "$TMP/told-options"
		section "$command" | grep -Eq "^([a-z].*\| )?xdpfwd $command( |$)|<\(xdpfwd $command " ||
			fail "$command has no example"
	done <"$TMP/commands"
	xdpfwd completion words -- -- | cut -f 1 >"$TMP/options"
	sed '/^\.Sh COMMANDS/,$d' "$MAN/xdpfwd.8" | items | sed 's/^/-/' >"$TMP/told-options"
	same "options of the tool" "$TMP/options" "$TMP/told-options"
}

metrics_and_reasons() {
	topology
	xdpfwd load wan0
	xdpfwd metrics | sed -n 's/^# TYPE xdpfwd_\([a-z_]*\) .*/\1/p' >"$TMP/metrics"
	items <"$MAN/xdpfwd-metrics.7" | sed -n 's/^xdpfwd_//p' >"$TMP/told-metrics"
	same "metrics" "$TMP/metrics" "$TMP/told-metrics"
	{ echo none; xdpfwd metrics | sed -n 's/^xdpfwd_drops_total{reason="\(.*\)"} .*/\1/p'; } >"$TMP/reasons"
	sed -n '/^\.Sh REASONS/,$p' "$MAN/xdpfwd-metrics.7" | items >"$TMP/told-reasons"
	same "reasons" "$TMP/reasons" "$TMP/told-reasons"
}

# The keys of a rule are the options of map add, and its operands.
keys() {
	topology
	{ printf '%s\n' protocol listen target targets
	  words map add -- | sed 's/^--//' | grep -vx -e force -e json -e help; } >"$TMP/keys"
	sed -n '/^\.Sh RULES/,/^\.Sh FILES/p' "$MAN/xdpfwd.yaml.5" | items >"$TMP/told-keys"
	same "keys of a rule" "$TMP/keys" "$TMP/told-keys"
}

it "no remark of mandoc and man" sound
it "every command and option, with an example" all_commands
it "every metric and every reason" metrics_and_reasons
it "every key of a rule" keys

done_testing
