#!/bin/bash
# adminctl doctor: each dependency away in turn is named, with what to do.
. "$(dirname "$0")/../lib/stack.sh"
stack_start redis

# state PART: what doctor says of a part, in the environment given before it.
state() { jq -r --arg part "$1" '.[] | select(.part == $part) | .state' <<<"$REPORT"; }
advice() { jq -r --arg part "$1" '.[] | select(.part == $part) | "\(.detail) - \(.advice)"' <<<"$REPORT"; }
look() { REPORT=$(env "$@" adminctl doctor --json); }

look
is "$(state Redis)" ok 'Redis answers'
is "$(state schema)" ok 'the schema is the newest'
is "$(state settings)" ok 'the settings are complete'
is "$(state mount)" problem 'nothing is mounted'
like "$(advice mount)" "nothing of tenantfs is mounted at $TENANTFS_MOUNT.*fusefs" 'and it says how to'
is "$(state extractd)" problem 'no extractd'
like "$(advice extractd)" 'none is at work.*tenantfs-extractd' 'and it says how to start one'
is "$(state storage)" warning 'a storage that was never used'
is "$(state PostgreSQL)" warning 'fsync is off in the tests'
like "$(advice PostgreSQL)" 'fsync' 'and it says so'
exits 1 'a problem: exit code 1' adminctl doctor
like "$OUTPUT" 'PART +STATE +DETAIL +WHAT TO DO' 'a table for people'

adminctl tenant create x >/dev/null && adminctl tenant delete x --yes >/dev/null # makes the storage one of ours
look
is "$(state storage)" ok 'a storage of ours'
like "$(advice storage)" '% full, .* free' 'with the room that is left'
chmod 0755 "$STORAGE_BASE_PATH"
look
like "$(advice storage)" 'open to others \(0755\)' 'a storage that others can read'
chmod 0700 "$STORAGE_BASE_PATH"
look STORAGE_EMERGENCY_PERCENT=1
like "$(advice storage)" 'writes are refused' 'a disk at the emergency level'
look STORAGE_BASE_PATH="$STACK/nowhere"
is "$(state storage)" problem 'a storage that is not there'
look TENANTFS_MOUNT=/proc
is "$(state mount)" problem 'something else is mounted there'
look -u TENANTFS_MOUNT
is "$(state mount)" warning 'no mount is named'

stack_stop_redis
look
is "$(state Redis)" warning 'Redis away is no problem'
look REDIS_URL=
like "$(advice Redis)" 'not set' 'nor is none'
look REDIS_URL=nonsense
is "$(state Redis)" problem 'a malformed address'
stack_sql "INSERT INTO tenant (code) VALUES ('acme'); INSERT INTO extraction_job (tenant_id, sha256, extractor_version, object_id, created_at, not_before)
	SELECT tenant_id, sha256('x'), 1, 1, now() - interval '1 hour', now() - interval '1 hour' FROM tenant"
psql -XqAt "$DATABASE_URL" -c 'SELECT pg_advisory_lock(1954047332, 1)' -c 'SELECT pg_sleep(20)' >/dev/null &
sleep 0.5
look
is "$(state extractd)" warning 'an extractd that does not keep up'
like "$(advice extractd)" '1 jobs wait, the oldest for 3[0-9]{3} s' 'with how long jobs wait'
stack_sql "DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)"
look
is "$(state schema)" problem 'a migration is missing'
like "$(advice schema)" 'adminctl migrate' 'and it says what to run'
look DATABASE_URL="postgresql://x@/y?host=$STACK/nowhere"
is "$(state PostgreSQL)" problem 'PostgreSQL away'
like "$(advice PostgreSQL)" 'Is PostgreSQL running' 'and it says what to look at'
stack_stop_postgres immediate
exits 1 'PostgreSQL stopped: the rest is looked at all the same' adminctl doctor
like "$OUTPUT" 'storage +ok' 'indeed'
done_testing
