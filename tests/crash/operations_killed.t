#!/bin/bash
# timeout: 240
# kill -9 of fusefs, alone and with PostgreSQL, in the middle of renames, links, removals, attributes, appends and folders: whatever
# was answered has happened, and of the operation under way all or nothing.
. "$(dirname "$0")/../lib/stack.sh"
stack_start mount
stack_tenant acme --unrestricted
root=$TENANTFS_MOUNT/acme/$MONTH/act
mkdir -p "$root" || bail_out 'no folder to act in'
seed=${SEED:-$RANDOM}
diag "SEED=$seed"

for ((i = 0; i < 8; i++)); do
	"$TESTS_LIB/actor" act "$root" "$STACK/actions" $((seed + i)) >"$STACK/log/actor" 2>&1 &
	actor=$!
	sleep "0.$((RANDOM % 90 + 10))"
	((i % 3 == 2)) && stack_stop_postgres immediate
	((i % 3 == 2)) && sleep 0.3
	kill -0 "$actor" 2>/dev/null || diag "the actor stopped early: $(cat "$STACK/log/actor")"
	ok "round $i: fusefs is killed" stack_kill_fusefs
	wait "$actor"
	((i % 3 == 2)) && stack_postgres_start
	ok 'it mounts again' stack_mount
	ok 'all that was answered has happened' "$TESTS_LIB/actor" check "$root" "$STACK/actions"
done
operations=$(grep -c '^done' "$STACK/actions")
ok "that were $operations operations" test "$operations" -ge 200

# The same, read from the database alone by a mount that knows nothing.
wait_committed acme
stack_unmount
ok 'it mounts once more, cleanly' stack_mount
ok 'and shows the same' "$TESTS_LIB/actor" check "$root" "$STACK/actions"
ok 'database, journal and disk agree' adminctl fsck --hash
rm -rf "$root"
wait_committed acme
stack_unmount
ok 'nothing is left after removing it all' test "$(adminctl fsck --json)" = '[]'
is "$(adminctl quota check --tenant acme --json | jq -c '.[0] | [.charged_bytes, .charged_files]')" '[0,0]' 'and nothing is charged'
done_testing
