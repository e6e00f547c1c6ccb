# shellcheck shell=bash
# A private PostgreSQL and a private Redis on unix sockets, processes by pid file, mounts: what the stack of `make up`
# and the tests both need. To be sourced by bash; it defines functions only.
#
# A pid file holds the pid and the start time of its process (field 22 of /proc/PID/stat), so that a pid which the kernel
# has given to somebody else since is never taken for ours.

# --- processes --------------------------------------------------------------------------------------------------------

# process_start_time PID: prints it; fails when there is no such process, or only its corpse is left.
process_start_time() {
	local stat fields
	read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
	read -r -a fields <<<"${stat##*) }"
	[[ ${fields[0]} != Z ]] && echo "${fields[19]}"
}

# service_spawn PIDFILE LOG COMMAND...: starts a daemon in a session of its own, away from the terminal's signals.
service_spawn() {
	local pid_file=$1 log=$2
	shift 2
	setsid "$@" </dev/null >>"$log" 2>&1 9>&- &
	echo "$! $(process_start_time $!)" >"$pid_file"
}

# service_pid PIDFILE: prints the pid while that very process lives.
service_pid() {
	local pid start
	[[ -f $1 ]] && read -r pid start <"$1" && [[ -n $pid && $(process_start_time "$pid") == "$start" ]] && echo "$pid"
}

# service_stop PIDFILE SECONDS: TERM, then KILL when it did not go in time. Quiet when it is gone already.
service_stop() {
	local pid
	if pid=$(service_pid "$1"); then
		kill -TERM "$pid" 2>/dev/null
		process_wait_gone "$1" "$2" || { kill -KILL "$pid" 2>/dev/null; process_wait_gone "$1" 5; }
	fi
	rm -f "$1"
}

# process_wait_gone PIDFILE SECONDS
process_wait_gone() {
	local left=$(($2 * 50))
	while service_pid "$1" >/dev/null; do
		((left-- > 0)) || return 1
		sleep 0.02
	done
}

# wait_until SECONDS COMMAND...: runs it until it succeeds; fails when the time is over.
wait_until() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
		sleep 0.03
	done
}

# free_port: prints a TCP port of the loopback address that nobody listens on.
free_port() {
	local port tries
	for ((tries = 0; tries < 100; tries++)); do
		port=$((20000 + RANDOM % 12000))
		(exec 4<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port" && return; }
	done
	return 1
}

# --- mounts -----------------------------------------------------------------------------------------------------------

# is_mounted PATH: by the kernel's table, without touching the path, which may hang or be dead.
is_mounted() {
	local path=$1
	path=${path//\\/\\134} path=${path// /\\040} path=${path//$'\t'/\\011} path=${path//$'\n'/\\012}
	P=$path awk '$5 == ENVIRON["P"] { found = 1 } END { exit !found }' /proc/self/mountinfo
}

# mount_answers PATH: the file system there replies within five seconds. Opening asks the daemon; the kernel would tell of names
# and sizes from memory, long after the daemon is dead.
mount_answers() {
	is_mounted "$1" && timeout -k 1 5 head -c 1 -- "$1/.stats" >/dev/null 2>&1
}

# mount_release PATH: unmounts until nothing is left there, also when the daemon behind it is dead.
mount_release() {
	local tries=0
	while is_mounted "$1"; do
		((tries++ < 8)) || return 1
		timeout -k 1 10 fusermount3 -u -z -- "$1" 2>/dev/null || umount -l -- "$1" 2>/dev/null || sleep 0.2
	done
}

# socket_folder FOLDER: prints FOLDER when a unix socket can live in it (107 bytes at most; no character that the
# connection string would have to quote), else a fresh folder below /tmp.
socket_folder() {
	if ((${#1} <= 80)) && [[ $1 =~ ^[A-Za-z0-9/._-]+$ ]]; then
		mkdir -p "$1" && echo "$1"
	else
		# To be walked through by the user postgres, and listed by nobody.
		local folder
		folder=$(mktemp -d /tmp/tenantfs-run.XXXXXXXX) && chmod 0711 "$folder" && echo "$folder"
	fi
}

# --- PostgreSQL -------------------------------------------------------------------------------------------------------

# postgres_bin: prints the folder with initdb and pg_ctl; of several versions the newest.
postgres_bin() {
	local folder
	if folder=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t/ -k5 -n | tail -n 1) && [[ -x $folder/initdb ]]; then
		echo "$folder"
	elif command -v initdb >/dev/null; then
		dirname "$(readlink -f "$(command -v initdb)")"
	else
		echo "PostgreSQL's server programs (initdb, pg_ctl) are not installed; run packaging/deps" >&2
		return 1
	fi
}

# as_postgres FOLDER COMMAND...: PostgreSQL refuses to run as root, so root becomes the user postgres for it. Where that user
# may not walk to the folder (below /root, say), it is given the one right to search directories, and nothing else.
as_postgres() {
	local folder=$1
	shift
	if ((EUID != 0)); then
		"$@"
	elif (cd / && runuser -u postgres -- test -x "$folder"); then
		(cd / && exec runuser -u postgres -- "$@")
	else
		(cd / && exec setpriv --reuid postgres --regid postgres --init-groups --inh-caps=-all,+dac_read_search \
			--ambient-caps=-all,+dac_read_search --bounding-set=-all,+dac_read_search -- "$@")
	fi
}

# postgres_own PATH...: hands folders to whoever as_postgres runs as.
postgres_own() {
	((EUID != 0)) || chown -R postgres: "$@"
}

# postgres_init DATA: a new cluster with the superuser tenantfs, who needs no password on the socket.
postgres_init() {
	mkdir -p "$1" && postgres_own "$1" && chmod 0700 "$1" || return 1
	as_postgres "$1" "$(postgres_bin)/initdb" -D "$1" -U tenantfs --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
		--wal-segsize=4 --no-sync --no-instructions >/dev/null
}

# postgres_start DATA SOCKET_FOLDER LOG [SETTING...]: returns when it takes connections. SETTINGs are name=value.
postgres_start() {
	local data=$1 sockets=$2 log=$3 setting options="-c listen_addresses= -c unix_socket_directories='$2'"
	shift 3
	for setting; do
		options+=" -c $setting"
	done
	postgres_forget_stale "$data" "$sockets"
	mkdir -p "$sockets" && postgres_own "$sockets" && chmod 0700 "$sockets" || return 1
	: >>"$log" && postgres_own "$log" || return 1
	as_postgres "$data" "$(postgres_bin)/pg_ctl" start -D "$data" -l "$log" -w -t 60 -s -o "$options" \
		</dev/null >/dev/null 2>&1 9>&- && return
	echo "PostgreSQL did not start; the end of $log:" >&2
	tail -n 5 "$log" >&2
	return 1
}

# postgres_pid DATA: the postmaster's pid, while it lives.
postgres_pid() {
	local pid
	{ read -r pid <"$1/postmaster.pid"; } 2>/dev/null && [[ -n $pid && -r /proc/$pid/cmdline ]] || return 1
	tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -Fxq -- "$1" && echo "$pid"
}

# After a kill -9 the lock files stay behind, and their pid may be anybody's by now, or a corpse that nobody buries in a
# container without an init; PostgreSQL would refuse to start.
postgres_forget_stale() {
	postgres_pid "$1" >/dev/null || rm -f "$1/postmaster.pid" "$2"/.s.PGSQL.*
}

# postgres_stop DATA [MODE]: smart, fast (default) or immediate; then by signal.
postgres_stop() {
	local pid
	pid=$(postgres_pid "$1") || return 0
	as_postgres "$1" "$(postgres_bin)/pg_ctl" stop -D "$1" -m "${2:-fast}" -w -t 30 -s 2>/dev/null && return
	kill -QUIT "$pid" 2>/dev/null
	wait_until 10 process_is_gone "$pid" || kill -KILL "$pid" 2>/dev/null
}

process_is_gone() {
	! process_start_time "$1" >/dev/null
}

# --- Redis ------------------------------------------------------------------------------------------------------------

# redis_start FOLDER SOCKET PIDFILE LOG: nothing is kept on disk, it is a cache.
redis_start() {
	mkdir -p "$1" || return 1
	rm -f "$2"
	service_spawn "$3" "$4" redis-server --port 0 --unixsocket "$2" --unixsocketperm 700 --dir "$1" --save '' \
		--appendonly no --daemonize no --maxmemory 256mb --maxmemory-policy volatile-lru
	wait_until 10 redis-cli -s "$2" ping && return
	echo "Redis did not start; the end of $4:" >&2
	tail -n 5 "$4" >&2
	return 1
}
