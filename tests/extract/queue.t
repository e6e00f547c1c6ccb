#!/usr/bin/env bash
# The queue as tenants feel it: fair, awake, cancellable; what is told afterwards through Redis.
. "$(dirname "$0")/../lib/stack.sh"
. "$(dirname "$0")/../lib/extraction.sh"
stack_start redis
stack_tenant acme
stack_tenant other
OPTIONS=(-o WORKER_PATH="$HOSTILE_WORKER" -o WORKERS=2 -o POLL_INTERVAL=60s)

redis() {
	redis-cli -s "$STACK/run/redis" --raw "$@"
}

# Milliseconds from the commit that queued the job until the one that ended it, by the clock of the database.
time_job() {
	job_put_text "$1" "$2"
	job_wait "$JOB" 30 || return 1
	job_get 'round(extract(epoch FROM completed_at - created_at) * 1000)'
}

# --- fairness ---
job_put_text acme 'the one file that they all are'
FILE=$(stack_sql "SELECT path FROM object WHERE sha256 = '\\x$JOB'")
stack_sql "
BEGIN;
INSERT INTO object (tenant_id, object_id, inode, path, size_bytes, sha256, media_type, published_at_ns)
SELECT 1, i, i, '$FILE', 31, sha256(('same' || i)::bytea), 'text/plain', 0 FROM generate_series(1, 100000) i;
INSERT INTO extraction_job (tenant_id, sha256, extractor_version, object_id, size_bytes)
SELECT 1, sha256(('same' || i)::bytea), $EXTRACTOR_VERSION, i, 31 FROM generate_series(1, 100000) i;
COMMIT"
stack_extractd "${OPTIONS[@]}"
wait_until 20 jobs_done_at_least 200
slowest=0
for i in 1 2 3 4 5; do
	took=$(time_job other "a single file $i")
	((took > slowest)) && slowest=$took
done
diag "behind 100,000 jobs of another tenant a file takes $slowest ms at most"
ok 'a single file does not wait for the 100,000 of another tenant' test "$slowest" -lt 1000
isnt "$(stack_sql "SELECT count(*) > 50000 FROM extraction_job WHERE tenant_id = 1 AND state = 'q'")" f '  which do wait'
stack_sql "DELETE FROM extraction_job WHERE tenant_id = 1 AND state = 'q'"
wait_until 20 no_jobs_left

for i in {1..8}; do
	printf 'attack sleep\n%d\n' "$i" >"$STACK/sleep$i.txt"
done
job_put acme "$STACK"/sleep?.txt
ok 'slow files take every worker' wait_until 10 eval '(($(stack_sql "SELECT count(*) FROM extraction_job WHERE state = '"'r'"'") >= 2))'
sleep 0.3
took=$(time_job other 'not so slow')
diag "beside slow files a file takes $took ms"
ok 'a file of another tenant is read beside them' test "$took" -lt 1000
CANCELLED=$(job_get job_id "$(sha256sum <"$STACK/sleep1.txt" | cut -d' ' -f1)")
stack_sql "UPDATE extraction_job SET state = 'x', lease_token = NULL WHERE job_id = '$CANCELLED'"
stack_stop_extractd
is "$(stack_sql "SELECT state FROM extraction_job WHERE job_id = '$CANCELLED'")" x 'a cancelled job stays cancelled, whatever its worker says'
is "$(stack_sql "SELECT count(*) FROM extraction_job WHERE state = 'q' AND attempt = 0")" 7 'broken off files are as if never begun'
stack_sql "DELETE FROM extraction_job WHERE state = 'q'"

# --- who wakes it ---
stack_extractd "${OPTIONS[@]}"
sleep 1
job_put_quietly() {
	local text=$2 id=fs_quiet$RANDOM$RANDOM
	mkdir -p "$STORAGE_BASE_PATH/$1/$MONTH"
	JOB=$(printf '%s\n' "$text" | sha256sum | cut -d' ' -f1)
	stack_sql "
	INSERT INTO object (tenant_id, object_id, inode, path, size_bytes, sha256, media_type, published_at_ns)
	SELECT tenant_id, $RANDOM, 1, '$MONTH/$id.txt', $((${#text} + 1)), '\\x$JOB', 'text/plain', 0 FROM tenant WHERE code = '$1';
	INSERT INTO extraction_job (tenant_id, sha256, extractor_version, object_id)
	SELECT tenant_id, '\\x$JOB', $EXTRACTOR_VERSION, 1 FROM tenant WHERE code = '$1'"
	printf '%s\n' "$text" >"$STORAGE_BASE_PATH/$1/$MONTH/$id.txt"
}
job_put_quietly other 'seen by inotify alone'
ok 'without a NOTIFY the new object wakes it' job_wait "$JOB" 5
stack_tenant fresh
job_put_quietly fresh 'in a folder that was not there before'
sleep 0.5
touch "$STORAGE_BASE_PATH/fresh/$MONTH/again"
ok 'also in a folder that is new' job_wait "$JOB" 5
stack_stop_extractd
mv "$STORAGE_BASE_PATH/other" "$STORAGE_BASE_PATH/other-away"
stack_extractd -o WORKER_PATH="$HOSTILE_WORKER" -o POLL_INTERVAL=500ms
sleep 0.7
job_put_quietly other 'found by looking'
ok 'and without either it looks by itself' job_wait "$JOB" 5

# --- what is told ---
job_put_text acme 'Abracadabra'
job_wait
ok 'the letters of a content are cached' wait_until 5 eval '[[ -n $(redis GET "file:1:$JOB:results") ]]'
is "$(redis GET "file:1:$JOB:results" | jq -c '[.A, .B, .Z, length]')" '[5,2,0,26]' '  as they were counted'
ok '  for a day at most' test "$(redis TTL "file:1:$JOB:results")" -le 86400
like "$(redis XREVRANGE tenantfs:events + - COUNT 1)" "kind
extraction.completed
tenant
acme
.*\"sha256\": \"$JOB\"" 'the end is in the stream of events'
job_put_text acme 'attack encrypted'
job_wait
wait_until 5 eval '[[ $(redis XREVRANGE tenantfs:events + - COUNT 1) == *extraction.failed* ]]'
like "$(redis XREVRANGE tenantfs:events + - COUNT 1)" 'extraction.failed.*encrypted' 'and so is a failure'
is "$(redis GET "file:1:$JOB:results")" '' 'which is not cached'

# --- files that are gone ---
job_put_text acme 'gone before it was read'
stack_sql "UPDATE extraction_job SET state = 'x' WHERE sha256 = '\\x$JOB'" # it may have been quick
stack_sql "DELETE FROM extraction_result WHERE sha256 = '\\x$JOB'; DELETE FROM object WHERE sha256 = '\\x$JOB';
	UPDATE extraction_job SET state = 'q', not_before = now() WHERE sha256 = '\\x$JOB'; NOTIFY tenantfs_job"
ok 'a content that nobody has any more is forgotten' wait_until 5 eval '[[ -z $(job_get state) ]]'
job_put_text acme 'its bytes are lost'
job_wait
rm "$STORAGE_BASE_PATH/acme/$(stack_sql "SELECT path FROM object WHERE sha256 = '\\x$JOB'")"
stack_sql "UPDATE extraction_job SET state = 'q', not_before = now() WHERE sha256 = '\\x$JOB'; NOTIFY tenantfs_job"
job_wait "$JOB" 20
is "$(job_get "state::text || ' ' || error")" 'f the stored bytes are missing' 'bytes that are missing are told'
job_put_text acme 'a link out of the storage'
job_wait
OBJECT=$STORAGE_BASE_PATH/acme/$(stack_sql "SELECT path FROM object WHERE sha256 = '\\x$JOB'")
rm "$OBJECT" && ln -s /etc/passwd "$OBJECT"
stack_sql "UPDATE extraction_job SET state = 'q', not_before = now() WHERE sha256 = '\\x$JOB'; NOTIFY tenantfs_job"
job_wait "$JOB" 20
is "$(job_get "state::text || ' ' || error")" 'f the stored bytes cannot be opened' 'a symbolic link is never followed'
stack_stop_extractd

# --- without OCR ---
stack_extractd -o WORKER_PATH="$HOSTILE_WORKER" -o OCR=off
job_put_text acme 'attack wants-ocr'
job_wait
is "$(job_get "state::text || lane::text")" dn 'with OCR off nothing waits for it'
like "$(result_get warnings)" 'OCR is switched off' 'and the result says so'
stack_stop_extractd

# --- a start that cannot be ---
export LC_ALL=C
exits 2 'an unknown argument is refused' extractd surprise
exits 2 'a setting that does not exist is refused' extractd -o NO_SUCH=1
like "$OUTPUT" NO_SUCH '  by name'
exits 2 'a worker that is not there is told before anything begins' extractd -o WORKER_PATH=/no/such/worker
like "$OUTPUT" 'WORKER_PATH' '  with the setting'
exits 2 'and so is a user' extractd -o WORKER_USER=no-such-user
exits 1 'a storage that is not there ends it' extractd -o WORKER_PATH="$HOSTILE_WORKER" -o STORAGE_BASE_PATH=/no/such/base
like "$OUTPUT" '/no/such/base' '  with its path'
exits 0 'it has a help' extractd --help
like "$OUTPUT" 'EXTRACT_TIMEOUT' '  that lists the settings'
done_testing
