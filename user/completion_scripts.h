/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each shell needs to ask `xdpfwd completion words`. Shells read the scripts
 * as users' files, so these end where the shell's own rules begin: which
 * characters split words, when no space follows, how files are completed.
 */
#ifndef XDPFWD_USER_COMPLETION_SCRIPTS_H
#define XDPFWD_USER_COMPLETION_SCRIPTS_H

/* Readline splits at ':' and '=' as well, and replaces only what follows the last of them. */
#define COMPLETION_BASH                                                                  \
	"# bash completion for xdpfwd\n"                                                 \
	"_xdpfwd() {\n"                                                                  \
	"\tlocal line=${COMP_LINE:0:COMP_POINT} words word kept\n"                       \
	"\tread -ra words <<<\"$line\"\n"                                                \
	"\t[[ $line != *[[:space:]] ]] || words+=(\"\")\n"                               \
	"\tword=${words[${#words[@]} - 1]}\n"                                            \
	"\tkept=${word%\"${word##*[:=]}\"}\n"                                            \
	"\tCOMPREPLY=()\n"                                                               \
	"\twhile IFS=$'\\t' read -r word _; do\n"                                        \
	"\t\tif [[ -n $word ]]; then\n"                                                  \
	"\t\t\tCOMPREPLY+=(\"${word#\"$kept\"}\")\n"                                     \
	"\t\telse\n"                                                                     \
	"\t\t\tcompopt -o filenames\n"                                                   \
	"\t\t\tmapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$2\")\n" \
	"\t\tfi\n"                                                                       \
	"\tdone < <(\"$1\" completion words -- \"${words[@]:1}\" 2>/dev/null)\n"         \
	"\t[[ ${COMPREPLY[0]-} != *[:=] ]] || compopt -o nospace\n"                      \
	"}\n"                                                                            \
	"complete -F _xdpfwd xdpfwd\n"

/* As a file in fpath this is the body of the function, otherwise it is sourced. */
#define COMPLETION_ZSH                                                                                     \
	"#compdef xdpfwd\n"                                                                                \
	"_xdpfwd() {\n"                                                                                    \
	"\tlocal word about\n"                                                                             \
	"\tlocal -a names shown open\n"                                                                    \
	"\twhile IFS=$'\\t' read -r word about; do\n"                                                      \
	"\t\tcase $word in\n"                                                                              \
	"\t\t'') _files ;;\n"                                                                              \
	"\t\t*[:=]) open+=(\"$word\") ;;\n"                                                                \
	"\t\t*) names+=(\"$word\") shown+=(\"$word${about:+  -- $about}\") ;;\n"                           \
	"\t\tesac\n"                                                                                       \
	"\tdone < <($words[1] completion words -- \"${(@)words[2,CURRENT-1]}\" \"$PREFIX\" 2>/dev/null)\n" \
	"\tcompadd -l -d shown -a names\n"                                                                 \
	"\tcompadd -S '' -a open\n"                                                                        \
	"}\n"                                                                                              \
	"if [ \"$funcstack[1]\" = _xdpfwd ]; then\n"                                                       \
	"\t_xdpfwd \"$@\"\n"                                                                               \
	"else\n"                                                                                           \
	"\tcompdef _xdpfwd xdpfwd\n"                                                                       \
	"fi\n"

#define COMPLETION_FISH                                                                          \
	"# fish completion for xdpfwd\n"                                                         \
	"function __xdpfwd_complete\n"                                                           \
	"\tset -l words (commandline -opc)\n"                                                    \
	"\tset -l current (commandline -ct)\n"                                                   \
	"\tfor line in ($words[1] completion words -- $words[2..-1] \"$current\" 2>/dev/null)\n" \
	"\t\tif test -n \"$line\"\n"                                                             \
	"\t\t\tprintf '%s\\n' $line\n"                                                           \
	"\t\telse\n"                                                                             \
	"\t\t\t__fish_complete_path \"$current\"\n"                                              \
	"\t\tend\n"                                                                              \
	"\tend\n"                                                                                \
	"end\n"                                                                                  \
	"complete -c xdpfwd -f -a '(__xdpfwd_complete)'\n"

#endif
