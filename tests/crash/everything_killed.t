#!/bin/bash
# timeout: 240
# kill -9 of everything at once in the middle of a copy of a thousand files, as a power switch would do to the processes.
. "$(dirname "$0")/../lib/stack.sh"
. "$TESTS_LIB/crash.sh"
stack_start redis mount extractd
stack_tenant acme
crash_source 1000

copy_start
for at in 200 600; do
	ok "the copy reaches $at files" copy_reaches "$at"
	for name in fusefs extractd redis; do
		kill -KILL "$(service_pid "$STACK/pid/$name")"
	done
	ok 'all is killed' stack_kill_postgres
	sleep 0.5
	ok 'PostgreSQL recovers' stack_postgres_start
	ok 'Redis starts' stack_redis
	ok 'the mount replays its journal' stack_mount
	ok 'every file that was promised is there' promises_kept
	ok 'extractd starts' stack_extractd
done
ok 'the copy comes to its end' copy_finish 120
ok 'all files are there' promises_kept
is "$(find "$COPY_TO" -type f | wc -l)" 1000 'no more and no fewer'
ok 'Redis is killed, and nobody notices' service_stop "$STACK/pid/redis" 0
ok 'a file can be written' cp /etc/hostname "$COPY_TO/one-more.txt"
ok 'every file is extracted' wait_until 150 all_extracted
ok 'database, journal and disk agree' agrees
ok 'they agree at rest' agrees_at_rest
done_testing
