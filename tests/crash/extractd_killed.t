#!/bin/bash
# timeout: 240
# kill -9 of extractd, of its zygote and of its workers in the middle of a copy of a thousand files: results come later, none is
# lost, none comes twice.
. "$(dirname "$0")/../lib/stack.sh"
. "$TESTS_LIB/crash.sh"
stack_start mount extractd
stack_tenant acme
crash_source 1000

# Ends below extractd: the zygotes are its children, the workers theirs.
workers() {
	local pid zygote
	pid=$(service_pid "$STACK/pid/extractd") || return
	for zygote in $(pgrep -P "$pid"); do
		echo "$zygote"
		pgrep -P "$zygote"
	done
}

copy_start
for at in 100 300 500; do
	ok "the copy reaches $at files" copy_reaches "$at"
	ok 'extractd is killed' stack_kill_extractd
	ok 'its workers end with it' wait_until 10 test -z "$(workers)"
	ok 'and it starts again' stack_extractd
done
for ((i = 0; i < 30; i++)); do
	victim=$(workers | shuf -n 1)
	[[ -z $victim ]] || kill -KILL "$victim" 2>/dev/null
	sleep 0.1
done
ok 'extractd outlives its workers' service_pid "$STACK/pid/extractd"
ok 'the copy comes to its end' copy_finish 120
is "$(cat "$STACK/log/copier")" '' 'without a single error'
ok 'all files are there' promises_kept
ok 'every file is extracted in the end' wait_until 150 all_extracted
is "$(stack_sql "SELECT count(*) FROM extraction_job WHERE state = 'f'")" 0 'none failed for having lost its worker'
is "$(stack_sql 'SELECT count(*) FROM extraction_result')" "$(stack_sql 'SELECT count(DISTINCT sha256) FROM object')" 'each content once'
is "$(xattr "$COPY_TO/f00777.txt" user.extract.text | head -c 9)" 'file 777,' 'and its text can be read'
ok 'database, journal and disk agree' agrees
ok 'they agree at rest' agrees_at_rest
done_testing
