# shellcheck shell=bash
# A stack of its own for a test: sourced by tests/*/*.t. Everything lives in one temporary folder and ends with the script,
# however it ends.
#
#	. "$(dirname "$0")/../lib/stack.sh"
#	stack_start mount extractd       # PostgreSQL always; as asked: redis, mount, extractd (brings redis), httpshim
#	stack_tenant acme --quota 1M
#	ok 'a file can be written' cp file "$TENANTFS_MOUNT/acme/"
#	is "$(stat -c %s "$TENANTFS_MOUNT/acme/file")" 4 'its size is told'
#	done_testing
#
# Sets: STACK (the folder), STORAGE_BASE_PATH, TENANTFS_MOUNT, DATABASE_URL, REDIS_URL, SECRET_KEY, TENANTFS_URL (httpshim),
# PATH (the programs first), MONTH (this month's folder name). Logs: $STACK/log/NAME.
# BUILD names the folder with the programs, default `build` in the repository.

set -u
TESTS_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$(dirname "$TESTS_LIB")")
BUILD=$(cd "$TOP" && realpath -m "${BUILD:-build}")
# shellcheck source=packaging/services.sh
. "$TOP/packaging/services.sh"
# shellcheck source=tests/lib/tap.sh
. "$TESTS_LIB/tap.sh"
unset STORAGE_BASE_PATH TENANTFS_MOUNT DATABASE_URL REDIS_URL TENANTFS_URL "${!DB_@}" "${!REDIS_@}"
MONTH=$(date -u +%Y-%m)
export BUILD MONTH PATH="$BUILD/bin:$PATH" LC_ALL=C.UTF-8 TZ=UTC
STACK=

# --- life -------------------------------------------------------------------------------------------------------------

# stack_start [redis] [mount] [extractd] [httpshim]
stack_start() {
	local part
	stack_folder
	stack_postgres || stack_give_up 'PostgreSQL did not start'
	stack_migrate || stack_give_up 'the migrations failed'
	for part; do
		"stack_$part" || stack_give_up "$part did not start"
	done
}

# The folder and the environment alone, nothing started.
stack_folder() {
	STACK=$(mktemp -d /tmp/tenantfs-test.XXXXXXXX) || exit 1
	[[ -z ${TENANTFS_TEST_FOLDERS:-} ]] || echo "$STACK" >>"$TENANTFS_TEST_FOLDERS"
	chmod 0755 "$STACK"
	trap stack_end EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$STACK"/{base,mount,log,pid,run}
	chmod 0700 "$STACK/base"
	export STACK STORAGE_BASE_PATH=$STACK/base TENANTFS_MOUNT=$STACK/mount STORAGE_EMERGENCY_PERCENT=0 LOG_LEVEL=${LOG_LEVEL:-info}
	export DATABASE_URL="postgresql://tenantfs@/tenantfs?host=$STACK/run/postgres" REDIS_URL=
	export SECRET_KEY=a-secret-of-the-tests-and-of-nothing-else
}

stack_give_up() {
	diag "$1; the ends of the logs:"
	tail -n 5 "$STACK"/log/* 2>/dev/null | sed 's/^/# /' >&2
	bail_out "$1"
}

# stack_end [STATUS]: at exit, the verdict of the test first, then everything away. A test with a trap of its own calls it last.
stack_end() {
	local status=${1:-$?}
	trap - EXIT
	trap '' HUP INT TERM
	if ((TAP_FAILED > 0 || status != 0)) && [[ -n ${KEEP_LOGS:-} ]]; then
		cp -r "$STACK/log" "$KEEP_LOGS/$(basename "$0" .t).log"
	fi
	stack_stop || { status=1 && diag "$STACK is not quite gone"; }
	tap_end "$status"
}

# Ends every daemon by its pid, unmounts, removes the folder. May be called in the middle of a test too.
stack_stop() {
	local pid_file
	[[ -n $STACK && -d $STACK ]] || return 0
	for pid_file in httpshim extractd fusefs redis; do
		service_stop "$STACK/pid/$pid_file" 10
	done
	for pid_file in "$STACK"/pid/*; do
		[[ ! -e $pid_file ]] || service_stop "$pid_file" 5
	done
	stack_unmount_all
	[[ ! -d $STACK/postgres ]] || postgres_stop "$STACK/postgres" immediate
	rm -rf --one-file-system "$STACK" && STACK=
}

stack_unmount_all() {
	local path
	awk -v below="$STACK/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | while read -r path; do
		mount_release "$(printf '%b' "${path//\\/\\0}")"
	done
}

# --- PostgreSQL and Redis ---------------------------------------------------------------------------------------------

# initdb costs a second and more: done once a build folder, then copied.
stack_postgres() {
	local template fresh
	template=$BUILD/tests/postgres-$(basename "$(dirname "$(postgres_bin)")")-$EUID
	if [[ ! -d $template ]]; then
		mkdir -p "$BUILD/tests"
		fresh=$(mktemp -d /tmp/tenantfs-template.XXXXXXXX) && chmod 0755 "$fresh"
		{ postgres_init "$fresh/data" && stack_postgres_database "$fresh"; } || return 1
		mv -T "$fresh/data" "$template" 2>/dev/null || [[ -d $template ]] || return 1
		rm -rf "$fresh"
	fi
	cp -a --reflink=auto "$template" "$STACK/postgres" && stack_postgres_start
}

stack_postgres_database() {
	postgres_start "$1/data" "$1/run" "$1/log" fsync=off || return 1
	psql -q "postgresql://tenantfs@/postgres?host=$1/run" -c 'CREATE DATABASE tenantfs' -c CHECKPOINT
	postgres_stop "$1/data"
}

stack_postgres_start() {
	postgres_start "$STACK/postgres" "$STACK/run/postgres" "$STACK/log/postgres" fsync=off full_page_writes=off \
		shared_buffers=16MB max_connections=60 autovacuum_naptime=5min
}

# stack_stop_postgres [MODE]: fast (default), immediate (as if it had crashed).
stack_stop_postgres() {
	postgres_stop "$STACK/postgres" "${1:-fast}"
}

stack_restart_postgres() {
	stack_stop_postgres "${1:-fast}" && stack_postgres_start
}

stack_kill_postgres() {
	local pid
	pid=$(postgres_pid "$STACK/postgres") || return 1
	kill -KILL "$pid"
	wait_until 10 process_is_gone "$pid"
	wait_until 10 stack_postgres_children_gone
}

# Backends notice the postmaster's death by themselves; until then the data folder is in use.
stack_postgres_children_gone() {
	! fuser -s "$STACK"/postgres/PG_VERSION "$STACK"/postgres/pg_wal/0* 2>/dev/null
}

# stack_sql SQL: rows, columns divided by |, or psql's error.
stack_sql() {
	PGOPTIONS='-c client_min_messages=warning' psql -XqAt -v ON_ERROR_STOP=1 "$DATABASE_URL" -c "$1"
}

stack_migrate() {
	adminctl migrate >"$STACK/log/migrate" 2>&1
}

stack_redis() {
	export REDIS_URL="unix://$STACK/run/redis"
	redis_start "$STACK/redis" "$STACK/run/redis" "$STACK/pid/redis" "$STACK/log/redis"
}

stack_stop_redis() {
	service_stop "$STACK/pid/redis" 5
}

# --- our daemons ------------------------------------------------------------------------------------------------------

# stack_mount [OPTION...]: fusefs on $TENANTFS_MOUNT, returns when it answers. Also after stack_kill_fusefs.
stack_mount() {
	mount_release "$TENANTFS_MOUNT"
	service_spawn "$STACK/pid/fusefs" "$STACK/log/fusefs" fusefs "$TENANTFS_MOUNT" -f "$@"
	stack_wait_for fusefs 30 mount_answers "$TENANTFS_MOUNT"
}

# stack_wait_for NAME SECONDS COMMAND...: like wait_until, but ends early when the daemon has died.
stack_wait_for() {
	local name=$1 deadline=$((SECONDS + $2))
	shift 2
	until "$@" >/dev/null 2>&1; do
		service_pid "$STACK/pid/$name" >/dev/null && ((SECONDS < deadline)) || return 1
		sleep 0.03
	done
}

# A clean end: TERM unmounts, commits what is pending and gives the leases back.
stack_unmount() {
	service_stop "$STACK/pid/fusefs" 20
	mount_release "$TENANTFS_MOUNT"
}

# stack_kill_fusefs: kill -9, the dead mount is left as a crash leaves it.
stack_kill_fusefs() {
	stack_kill fusefs
}

stack_kill_extractd() {
	stack_kill extractd
}

stack_kill() {
	local pid
	pid=$(service_pid "$STACK/pid/$1") || return 1
	kill -KILL "$pid" && process_wait_gone "$STACK/pid/$1" 10
}

stack_extractd() {
	[[ -n $REDIS_URL ]] || stack_redis || return 1
	service_spawn "$STACK/pid/extractd" "$STACK/log/extractd" extractd "$@"
	sleep 0.1
	service_pid "$STACK/pid/extractd" >/dev/null
}

stack_stop_extractd() {
	service_stop "$STACK/pid/extractd" 20
}

stack_httpshim() {
	local port
	port=$(free_port) || return 1
	export TENANTFS_URL=http://127.0.0.1:$port
	LISTEN=127.0.0.1:$port service_spawn "$STACK/pid/httpshim" "$STACK/log/httpshim" httpshim "$@"
	stack_wait_for httpshim 15 curl -fsS -m 2 "$TENANTFS_URL/livez"
}

# --- what tests ask for again and again --------------------------------------------------------------------------------

# stack_tenant CODE [adminctl option...]: owned by whoever runs the test.
stack_tenant() {
	local code=$1
	shift
	adminctl tenant create "$code" --owner "$(id -u):$(id -g)" "$@" >>"$STACK/log/adminctl" 2>&1
}

# xattr FILE NAME: the value, nothing when there is none.
xattr() {
	timeout 20 getfattr --absolute-names --only-values -n "$2" -- "$1" 2>/dev/null
}

# wait_xattr FILE NAME VALUE [SECONDS]
wait_xattr() {
	wait_until "${4:-20}" xattr_is "$1" "$2" "$3"
}

xattr_is() {
	[[ $(xattr "$1" "$2") == "$3" ]]
}

# wait_committed TENANT: everything answered so far is in PostgreSQL.
wait_committed() {
	[[ $(xattr "$TENANTFS_MOUNT/$1" user.tenantfs.committed) == 1 ]]
}
