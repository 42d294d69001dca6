# SPDX-License-Identifier: GPL-2.0-only
#
# bash completion of mkctl. Commands, options and names come from mkctl itself.

# What stands behind "msg", "msg ping", "pfn give" ...
_mkctl_names() {
	if [ $# -eq 1 ]; then
		mkctl help "$1" --list-commands
	elif [ "$1" = msg ]; then
		mkctl ls --quiet
	else
		mkctl pfn ls --quiet
	fi 2> /dev/null
}

_mkctl() {
	local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} words sub=()

	case $verb in
	msg | pfn) [ "$COMP_CWORD" -eq 2 ] || sub=("${COMP_WORDS[2]}") ;;
	esac
	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$(mkctl help --list-commands 2> /dev/null)
	elif [[ $word == -* ]]; then
		words=$(mkctl "$verb" "${sub[@]}" --list-options 2> /dev/null)
	elif [ "$verb" = spawn ] || [ "$verb" = check ]; then
		mapfile -t COMPREPLY < <(compgen -f -X '!*.json' -- "$word"
			compgen -d -S / -- "$word")
		return
	else
		case $verb in
		show | logs | dump | stop | kill | start | restart | rm)
			words=$(mkctl ls --quiet 2> /dev/null) ;;
		pool) words=show ;;
		msg | pfn)
			words=$(_mkctl_names "$verb" "${sub[@]}") ;;
		help) words=$(mkctl help --list-commands 2> /dev/null) ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _mkctl mkctl
