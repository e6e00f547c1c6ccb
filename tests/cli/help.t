#!/bin/bash
# adminctl explains itself, and refuses what it does not know with a word on what to do.
. "$(dirname "$0")/../lib/stack.sh"
stack_folder

ok 'adminctl --help lists the commands' bash -c 'adminctl --help | grep -q "tenant create CODE"'
ok 'help is a word for it too' bash -c 'adminctl help tenant | grep -q "tenant delete CODE"'
ok '--version prints the version' bash -c '[[ $(adminctl --version) == "adminctl $(cat '"$TOP"'/VERSION)" ]]'

# Every command that --help lists explains itself, without a database.
commands=0
while read -r group name; do
	[[ $name =~ ^[a-z]+$ ]] || name=
	# shellcheck disable=SC2086
	help=$(env -u DATABASE_URL adminctl $group $name --help) || fail "$group $name --help"
	like "$help" "Usage: adminctl $group ?$name" "$group $name --help says how it is used"
	like "$help" 'Exit codes:' "$group $name --help tells the exit codes"
	commands=$((commands + 1))
done < <(adminctl --help | sed -n '/^Usage/,/^Options/{s/^  \([a-z]*\) \([a-z]*\).*/\1 \2/p}')
ok "there are commands at all ($commands)" test "$commands" -ge 16

exits 64 'no command' adminctl
like "$OUTPUT" 'which command' 'and it asks for one'
exits 64 'an unknown command' adminctl nonsense
like "$OUTPUT" 'no command nonsense' 'and it names it'
exits 64 'an unknown command of a group' adminctl tenant crate
like "$OUTPUT" 'tenant create CODE' 'and it lists those there are'
exits 64 'a group alone' adminctl tenant
exits 64 'too few arguments' adminctl tenant show
like "$OUTPUT" 'too few arguments: adminctl tenant show CODE' 'and it shows what is missing'
exits 64 'too many arguments' adminctl tenant show one two
exits 64 'an unknown option' adminctl tenant list --nonsense
like "$OUTPUT" 'no option --nonsense here' 'and it names it'
exits 64 'a short option' adminctl tenant list -x
exits 64 'a flag with a value' adminctl tenant list --json=yes
exits 64 'an option without its value' adminctl tenant create a --quota
like "$OUTPUT" 'needs a value: SIZE' 'and it says what is missing'
done_testing
