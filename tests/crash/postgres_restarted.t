#!/bin/bash
# timeout: 240
# PostgreSQL restarts, crashes and is killed in the middle of a copy of a thousand files: no application notices.
. "$(dirname "$0")/../lib/stack.sh"
. "$TESTS_LIB/crash.sh"
stack_start mount extractd
stack_tenant acme
crash_source 1000

copy_start
ok 'the copy reaches 100 files' copy_reaches 100
ok 'PostgreSQL restarts' stack_restart_postgres fast
ok 'the copy goes on' copy_reaches $(($(copied) + 50))
ok 'PostgreSQL crashes and recovers' stack_restart_postgres immediate
ok 'the copy goes on' copy_reaches $(($(copied) + 50))
ok 'PostgreSQL is killed' stack_kill_postgres
sleep 2
ok 'and started again' stack_postgres_start
ok 'the copy comes to its end' copy_finish 120
is "$(cat "$STACK/log/copier")" '' 'without a single error'
ok 'all thousand files are there' promises_kept
is "$(find "$COPY_TO" -type f | wc -l)" 1000 'no more and no fewer'
ok 'database, journal and disk agree' agrees
ok 'every file is extracted' wait_until 120 all_extracted
is "$(stack_sql 'SELECT count(*) FROM extraction_result')" "$(stack_sql 'SELECT count(DISTINCT sha256) FROM object')" 'each content once'
ok 'they agree at rest' agrees_at_rest
done_testing
