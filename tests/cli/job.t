#!/bin/bash
# adminctl job: the extraction queue, looked at and changed. The jobs are made by hand, no extractd runs.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
for code in acme other; do
	adminctl tenant create "$code" >/dev/null
done
acme=$(stack_sql "SELECT tenant_id FROM tenant WHERE code = 'acme'")
other=$(stack_sql "SELECT tenant_id FROM tenant WHERE code = 'other'")

# job TENANT NUMBER STATE [ERROR]: its id ends in the number.
job() {
	stack_sql "INSERT INTO extraction_job (tenant_id, sha256, extractor_version, job_id, state, object_id, size_bytes, error, attempt, updated_at)
		VALUES ($1, sha256('$2'), 1, '00000000-0000-0000-0000-00000000000$2', '$3', $2, 1000 * $2, ${4:-NULL}, 3, now() + interval '$2 s')"
}
job "$acme" 1 d
job "$acme" 2 f "'encrypted'"
job "$acme" 3 q
job "$acme" 4 x
job "$other" 5 f "'corrupt'"
stack_sql "INSERT INTO extraction_result (tenant_id, sha256, extractor_version, extractor, status, media_type, duration_ms)
	VALUES ($acme, sha256('1'), 1, 'pdf', 'c', 'application/pdf', 42);
	INSERT INTO object VALUES ($acme, 1, 1, '2026-11/fs_1.pdf', 1000, sha256('1'), 'application/pdf', 1)"

ids() { adminctl job list --json "$@" | jq -r '[.[].job_id[-1:]] | join(" ")'; }
is "$(ids)" '5 4 3 2 1' 'the last changed first'
is "$(ids --tenant acme)" '4 3 2 1' 'of a tenant'
is "$(ids --status failed)" '5 2' 'failed'
is "$(ids --status pending)" 3 'pending'
is "$(ids --extractor pdf)" 1 'of an extractor'
is "$(ids --limit 2)" '5 4' 'some of them'
like "$(adminctl job list)" 'encrypted' 'for people, with the error'
like "$(adminctl job list --tenant acme --status processing)" 'No job' 'and none'
id() { echo "00000000-0000-0000-0000-00000000000$1"; }
is "$(adminctl job show "$(id 1)" --json | jq -c '[.tenant_code, .status, .file_size, .extractor, .mime_type, .duration_ms]')" \
	'["acme","completed",1000,"pdf","application/pdf",42]' 'show'
is "$(adminctl job stats --json | jq -r type)" object 'stats'
ok 'stats for people' adminctl job stats --tenant acme

exits 64 'a status that is none' adminctl job list --status nonsense
exits 64 'a lane that is none' adminctl job list --lane nonsense
exits 3 'a tenant that is not there' adminctl job list --tenant nobody
exits 3 'a job that is not there' adminctl job show "$(id 9)"
exits 64 'no id of a job' adminctl job show nonsense

exits 64 'retry of nothing in particular' adminctl job retry
like "$OUTPUT" 'JOB, --tenant CODE, --all' 'asks what is meant'
exits 64 'retry of two things at once' adminctl job retry "$(id 2)" --all
exits 3 'a job that did not fail is not tried again' adminctl job retry "$(id 1)"
exits 0 'retry of one' adminctl job retry "$(id 2)"
is "$(stack_sql "SELECT state FROM extraction_job WHERE job_id = '$(id 2)'")" q 'queues it'
is "$(adminctl job retry --tenant acme --json | jq .jobs)" 1 'retry of a tenant: the cancelled one'
is "$(stack_sql "SELECT state FROM extraction_job WHERE job_id = '$(id 5)'")" f "another tenant's stays"
is "$(adminctl job retry --all --json | jq .jobs)" 1 'retry of all'
is "$(adminctl job cancel --tenant acme --json | jq .jobs)" 3 'cancel what waits'
is "$(ids --status cancelled | tr ' ' '\n' | sort | paste -sd ' ')" '2 3 4' 'it is cancelled'
exits 0 'rerun' adminctl job rerun --tenant acme --extractor pdf
like "$OUTPUT" '1 job queued' 'what an extractor has read'
exits 64 'rerun of nothing in particular' adminctl job rerun
exits 3 'retry of no tenant' adminctl job retry --tenant nobody
done_testing
