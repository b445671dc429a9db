#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Completion: what can follow, and that bash, zsh and fish do complete it. Lines
# are typed into real shells, in which xdpfwd notes how it was called.
. "$(dirname "$0")/lib.sh"

setup() {
	topology
	xdpfwd load wan0
	xdpfwd map add tcp :443 $SERVER4:8443 --name web
	xdpfwd map add udp :53 $SERVER4 --name name-server
	mkdir -p "$TMP/bin" "$TMP/dir" "$TMP/home"
	: >"$TMP/dir/rules.yaml"
	cat >"$TMP/bin/xdpfwd" <<-EOF
		#!/bin/bash
		[ "\${1:-}" != completion ] || exec "$XDPFWD" "\$@"
		printf '<%s>' "\$@" >>"$TMP/called"
		echo >>"$TMP/called"
	EOF
	chmod +x "$TMP/bin/xdpfwd"
}

# words WORD...: the candidates for the last one, without what they are about, in one line.
words() { xdpfwd completion words -- "$@" | cut -f 1 | xargs; }

# What --help lists is what can be completed, for each command that there is.
as_help_has_it() {
	setup
	local command list options
	list=$(xdpfwd --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | xargs)
	equal "commands" "$list" "$(words '')"
	for command in "" $list $(xdpfwd map --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/map \1/p' | tr ' ' ,); do
		# shellcheck disable=SC2086 # a list of words
		options=$(xdpfwd ${command/,/ } --help | sed -n '/^Options:/,$s/^  \(--[a-z-]*\).*/\1/p' | xargs)
		# shellcheck disable=SC2086
		equal "options of '$command'" "$options" "$(words ${command/,/ } --)"
	done
}

by_place() {
	setup
	equal "interfaces" "lan0 lo wan0" "$(words load '' | tr ' ' '\n' | sort | xargs)"
	equal "interfaces or --all" "--all lan0 lo wan0" "$(words unload '' | tr ' ' '\n' | sort | xargs)"
	equal "rules" "name-server web" "$(words map show '' | tr ' ' '\n' | sort | xargs)"
	equal "a rule" "name-server" "$(words map disable web n)"
	equal "no second rule" "" "$(words map show web '')"
	equal "protocols" "tcp udp tcp+udp" "$(words map add '')"
	equal "endpoints" "wan0:" "$(words map add tcp w)"
	equal "endpoints behind an option" "wan0:" "$(words map add --name x tcp w)"
	equal "a mode" "native" "$(words load wan0 --mode n)"
	equal "a mode behind =" "--mode=native" "$(words load wan0 --mode=n)"
	equal "a source" "masquerade" "$(words map add --source m)"
	equal "the rule of an option" "web" "$(words flows --rule w)"
	equal "words among operands" "flush who" "$(words flows '')"
	equal "tools" "nft iptables fw4 docker" "$(words import '')"
	equal "files" "" "$(xdpfwd completion words -- import nft '' | head -n 1)"
	equal "files of an option" 1 "$(xdpfwd completion words -- serve --textfile '' | wc -l)"
	equal "commands behind options" "map" "$(words --verbose --state /sys/fs/bpf/xdpfwd ma)"
	equal "another instance's rules" "" "$(words --state /sys/fs/bpf/other map show '')"
	equal "nothing behind nonsense" "" "$(words nosuch '')$(words map nosuch '')$(words status '')"
	equal "no options behind --" "" "$(words map show -- --)"
	refused 2 "no shell" completion tcsh
	refused 2 "too much" completion bash zsh
	xdpfwd unload --all
	equal "rules where nothing is loaded" "" "$(words map show '')"
}

# typed SHELL LOAD: what the lines below become in that shell.
typed() {
	setup
	rm -f "$TMP/called"
	"$XDPFWD" completion "$1" >"$TMP/completion.$1"
	(cd "$TMP/dir" && in_router env HOME="$TMP/home" PATH="$TMP/bin:$PATH" python3 "$E2E_DIR/shell.py" "$1" "$2" \
		"xdpfwd uns^I" "xdpfwd unl^Iwa^I" "xdpfwd ma^Ish^Iwe^I" "xdpfwd map del na^I" "xdpfwd map add --na^Ix" \
		"xdpfwd load --mode=na^I" "xdpfwd map add tcp wan0^I443" "xdpfwd import fw^Iru^I" \
		"xdpfwd flows --rule we^I" "xdpfwd --state /sys/fs/bpf/other map show we^I")
	diff - "$TMP/called" <<-'EOF'
		<uns>
		<unload><wan0>
		<map><show><web>
		<map><del><name-server>
		<map><add><--name><x>
		<load><--mode=native>
		<map><add><tcp><wan0:443>
		<import><fw4><rules.yaml>
		<flows><--rule><web>
		<--state></sys/fs/bpf/other><map><show><we>
	EOF
}

it "commands and options are those of --help" as_help_has_it
it "what can stand at a place" by_place
it "typed into bash" typed bash "source $TMP/completion.bash"
it "typed into zsh" typed zsh "autoload -U compinit; compinit -u -D; source $TMP/completion.zsh"
it "typed into fish" typed fish "source $TMP/completion.fish"

done_testing
