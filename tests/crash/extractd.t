#!/usr/bin/env bash
# timeout: 300
# Whatever dies in the middle of a long queue, every file is extracted, none twice, none given up.
. "$(dirname "$0")/../lib/stack.sh"
. "$(dirname "$0")/../lib/extraction.sh"
stack_start redis
stack_tenant acme
COUNT=1500
OPTIONS=(-o WORKER_PATH="$HOSTILE_WORKER" -o WORKERS=2 -o POLL_INTERVAL=500ms)

# A queue of COUNT jobs, a little of it done.
begin_queue() {
	stack_sql 'TRUNCATE node, object, extraction_job, extraction_result, outbox'
	redis-cli -s "$STACK/run/redis" DEL tenantfs:events >/dev/null
	jobs_put_many acme "$COUNT"
	stack_extractd "${OPTIONS[@]}"
	wait_until 20 jobs_done_at_least 50
}

check_queue() {
	ok "$1: every file is extracted" wait_until 60 no_jobs_left
	is "$(jobs_done)" "$COUNT" '  all of them well'
	is "$(stack_sql "SELECT count(*) FROM extraction_result JOIN object USING (tenant_id, sha256)
	                  WHERE extracted_text LIKE 'text acme % of many%'")" "$COUNT" '  with their text'
	is "$(stack_sql 'SELECT count(*) FROM extraction_job WHERE failures > 0')" 0 '  none is said to have failed'
	is "$(stack_sql "SELECT count(*) FROM (SELECT payload->>'file_id' FROM outbox UNION ALL SELECT file_id FROM carried) e")" \
		"$COUNT" '  each is announced once'
}

# Events that Redis has got already, by their number: delivered at least once, so the number tells which are the same.
stack_sql 'CREATE TABLE carried (file_id text)'
collect_events() {
	stack_sql 'TRUNCATE carried'
	wait_until 20 outbox_is_empty
	redis-cli -s "$STACK/run/redis" --raw XRANGE tenantfs:events - + |
		awk '$0 == "id" { getline id } $0 == "payload" { getline json; split(json, part, "\""); for (i in part) if (part[i] == "file_id") file = part[i + 2]; print id "\t" file }' |
		sort -u | cut -f2 >"$STACK/events"
	stack_sql "COPY carried FROM STDIN" <"$STACK/events"
	redis-cli -s "$STACK/run/redis" DEL tenantfs:events >/dev/null
}

outbox_is_empty() {
	[[ $(stack_sql 'SELECT count(*) FROM outbox') == 0 ]]
}

# Workers of this test alone: others may run theirs.
no_worker_left() {
	[[ -z ${ZYGOTE:-} || ! -d /proc/$ZYGOTE ]]
}

zygote_of() {
	pgrep -P "$(service_pid "$STACK/pid/extractd")" -f -- --zygote
}

# --- the daemon ---
begin_queue
ZYGOTE=$(zygote_of)
stack_kill_extractd
isnt "$(jobs_left)" 0 'kill -9 of extractd leaves work'
ok 'and no worker' wait_until 5 no_worker_left
stack_extractd "${OPTIONS[@]}"
wait_until 60 no_jobs_left
collect_events
check_queue 'extractd killed'
stack_stop_extractd

# --- the parent of the workers, again and again ---
begin_queue
for _ in 1 2 3; do
	kill -KILL "$(zygote_of)" 2>/dev/null
	sleep 0.4
done
wait_until 60 no_jobs_left
collect_events
check_queue 'zygote killed'
isnt "$(grep -c 'a new one will be started' "$STACK/log/extractd")" 0 'which was noticed'
stack_stop_extractd

# --- workers: the file a worker was killed over is tried again ---
begin_queue
ZYGOTE=$(zygote_of)
for _ in {1..30}; do
	pgrep -P "$(zygote_of)" | xargs -r kill -KILL 2>/dev/null
	sleep 0.03
done
ok 'workers killed: every file is extracted' wait_until 60 no_jobs_left
is "$(jobs_done)" "$COUNT" '  all of them well'
is "$(zygote_of)" "$ZYGOTE" '  and their parent has not minded'
stack_stop_extractd

# --- PostgreSQL, cleanly and not ---
for mode in fast immediate; do
	begin_queue
	stack_stop_postgres $mode
	sleep 0.5
	ok "extractd outlives PostgreSQL ($mode)" service_pid "$STACK/pid/extractd"
	stack_postgres_start
	wait_until 60 no_jobs_left
	collect_events
	check_queue "PostgreSQL stopped ($mode)"
	stack_stop_extractd
done

# --- Redis ---
begin_queue
stack_stop_redis
ok 'without Redis every file is extracted' wait_until 60 no_jobs_left
isnt "$(stack_sql 'SELECT count(*) FROM outbox')" 0 'events wait for it'
stack_redis
ok 'and are delivered when it is back' wait_until 20 outbox_is_empty
stack_stop_extractd

# --- several side by side, one of them killed ---
begin_queue
mv "$STACK/pid/extractd" "$STACK/pid/extractd-first"
stack_extractd "${OPTIONS[@]}"
sleep 0.3
stack_kill_extractd
wait_until 60 no_jobs_left
collect_events
check_queue 'one of two killed'
service_stop "$STACK/pid/extractd-first" 10

# --- a clean end in the middle ---
begin_queue
isnt "$(jobs_left)" 0 'a clean end in the middle of the queue'
ok 'takes a few seconds at most' timeout 8 bash -c 'kill -TERM "$0"; while kill -0 "$0" 2>/dev/null; do sleep 0.05; done' \
	"$(service_pid "$STACK/pid/extractd")"
is "$(stack_sql "SELECT count(*) FROM extraction_job WHERE state = 'r'")" 0 'and leaves nothing claimed'
stack_extractd "${OPTIONS[@]}"
wait_until 60 no_jobs_left
collect_events
check_queue 'a clean end and a new start'
done_testing
