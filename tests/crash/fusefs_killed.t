#!/bin/bash
# timeout: 240
# kill -9 of fusefs in the middle of a copy of a thousand files, several times: every file whose close succeeded is there.
. "$(dirname "$0")/../lib/stack.sh"
. "$TESTS_LIB/crash.sh"
stack_start mount
stack_tenant acme
crash_source 1000

copy_start
for at in 100 400 800; do
	ok "the copy reaches $at files" copy_reaches "$at"
	ok 'fusefs is killed' stack_kill_fusefs
	nok 'the mount is dead' mount_answers "$TENANTFS_MOUNT"
	ok 'and mounts again' stack_mount
	ok 'every file that was promised is there' promises_kept
done
ok 'the copy goes on to its end' copy_finish 120
is "$(copied)" 1000 'a thousand files were promised'
ok 'and are there' promises_kept
is "$(find "$COPY_TO" -type f | wc -l)" 1000 'no more and no fewer'
ok 'database, journal and disk agree' agrees

# Killed while nothing is pending, twice in a row.
stack_kill_fusefs && stack_mount
stack_kill_fusefs && stack_mount
ok 'killing it at rest changes nothing' promises_kept

# Overwriting what is published: the old bytes or the new ones, never a mixture.
mkdir "$STACK/source2" && for file in "$STACK"/source/*; do tac "$file" >"$STACK/source2/${file##*/}"; done
old=$STACK/source
mv "$STACK/source2" "$STACK/new" && mv "$old" "$STACK/old" && mv "$STACK/new" "$STACK/source"
copy_start
ok 'overwriting reaches 300 files' copy_reaches 300
stack_kill_fusefs
touch "$DIARY.stop"
wait "$COPIER"
rm -f "$DIARY.stop"
ok 'it mounts again' stack_mount
mixed=0
for file in "$STACK"/source/*; do
	there=$COPY_TO/${file##*/}
	if grep -qxF "${file##*/}" "$DIARY"; then
		cmp -s "$file" "$there" || mixed=$((mixed + 1))
	else
		cmp -s "$file" "$there" || cmp -s "$STACK/old/${file##*/}" "$there" || mixed=$((mixed + 1))
	fi
done
is "$mixed" 0 'each file has its new bytes when that was promised, else its old or its new ones'
ok 'they agree at rest' agrees_at_rest
done_testing
