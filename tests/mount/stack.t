#!/bin/bash
# shellcheck disable=SC2154 # status is set by the traps
# timeout: 240
# make up, make down: twice, side by side, on a stack that a crash left dirty, as root and as an ordinary user.
. "$(dirname "$0")/../lib/stack.sh"
unset DATABASE_URL REDIS_URL STORAGE_BASE_PATH TENANTFS_MOUNT
stack_folder # for the temporary folder and its end alone
one=$STACK/one two=$STACK/two
stack() { "$TOP/packaging/stack" "$@"; }
# in STACK-FOLDER COMMAND...: with what its env file says.
in_stack() { (. "$1/env" && shift && "$@"); }

# Whatever happens, nothing of these stacks outlives the test.
stop_all() {
	local folder
	for folder in "$STACK"/*/.stack; do
		[[ ! -e $folder ]] || stack down "${folder%/.stack}" >/dev/null 2>&1
	done
}
trap 'status=$?; stop_all; stack_end "$status"' EXIT

# processes FOLDER: pids of daemons that were started for it, whatever their parents.
processes() {
	grep -lsF -- "$1" /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | sort -un | while read -r pid; do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		fusefs | extractd | extract-worker | postgres | redis-server | httpshim) echo "$pid" ;;
		esac
	done
}

exits 0 'up' stack up "$one"
like "$OUTPUT" "mounted at $one/mnt" 'it says where'
ok 'the tenant demo is there' test -d "$one/mnt/demo"
for name in TENANTFS_MOUNT STORAGE_BASE_PATH DATABASE_URL REDIS_URL TENANTFS_URL; do
	ok "env sets $name" in_stack "$one" bash -c "[[ -v $name ]]"
done
ok 'env can be sourced by a plain sh' sh -c ". '$one/env' && adminctl tenant show demo"
is "$(stat -c %a "$one/secret")" 600 'the secret is for its owner alone'
is "$(stat -c %a "$one/env")" 600 'and so is env'
ok 'a file can be written as the caller' cp /etc/hostname "$one/mnt/demo/hello.txt"
ok 'it is extracted' wait_xattr "$one/mnt/demo/hello.txt" user.extract.status completed 30
exits 0 'doctor has no complaint' in_stack "$one" adminctl doctor
before=$(processes "$one")
exits 0 'up once more' stack up "$one"
is "$(processes "$one")" "$before" 'changes nothing'

exits 0 'a second stack beside it' stack up "$two"
isnt "$(in_stack "$one" printenv DATABASE_URL)" "$(in_stack "$two" printenv DATABASE_URL)" 'with a database of its own'
nok 'and files of its own' test -e "$two/mnt/demo/hello.txt"
exits 0 'down of the second' stack down "$two"
ok 'leaves the first' cat "$one/mnt/demo/hello.txt"

exits 0 'down' stack down "$one"
is "$(processes "$one")" '' 'no process is left'
nok 'no mount is left' is_mounted "$one/mnt"
exits 0 'down once more' stack down "$one"
exits 0 'up again' stack up "$one"
is "$(cat "$one/mnt/demo/hello.txt")" "$(cat /etc/hostname)" 'the files have stayed'

# --- what a crash leaves ---
# shellcheck disable=SC2046
kill -KILL $(processes "$one")
sleep 0.5
nok 'everything was killed: the mount is dead' mount_answers "$one/mnt"
exits 0 'up repairs it' stack up "$one"
is "$(cat "$one/mnt/demo/hello.txt")" "$(cat /etc/hostname)" 'and the file is there'
ok 'it can be written to' cp /etc/hostname "$one/mnt/demo/again.txt"
# shellcheck disable=SC2046
kill -KILL $(processes "$one")
sleep 0.5
exits 0 'down on a dead one' stack down "$one"
nok 'leaves no dead mount' is_mounted "$one/mnt"
is "$(processes "$one")" '' 'and no process'
exits 0 'up' stack up "$one"
kill -KILL "$(service_pid "$one/pid/fusefs")" "$(service_pid "$one/pid/extractd")"
echo '1 1' >"$one/pid/extractd" # a pid that is somebody else's by now
exits 0 'up with the mount dead and a pid file that lies' stack up "$one"
ok 'it answers' cat "$one/mnt/demo/hello.txt"
exits 0 'down' stack down "$one"

# --- what it refuses ---
mkdir "$STACK/full" && touch "$STACK/full/precious"
exits 1 'a folder that is not empty and not ours' stack up "$STACK/full"
like "$OUTPUT" 'not empty and no stack of ours' 'is told'
is "$(ls -A "$STACK/full")" precious 'and left as it was'
exits 1 'down of it' stack down "$STACK/full"
exits 1 'the home folder' stack up "$HOME"
exits 1 'programs that are not built' env BUILD="$STACK/nowhere" "$TOP/packaging/stack" up "$STACK/unbuilt"
exits 2 'an unknown command' stack nonsense "$one"
exits 1 'status of nothing' stack status "$STACK/nothing"

# --- names that are awkward, and long ---
exits 0 'a folder whose name has a space and a quote' stack up "$STACK/it's here"
ok 'its env can be sourced' in_stack "$STACK/it's here" adminctl tenant show demo
exits 0 'and goes down' stack down "$STACK/it's here"
long=$STACK/$(printf 'a%.0s' {1..120})
exits 0 'a folder too deep for a unix socket' stack up "$long"
ok 'works too' in_stack "$long" adminctl tenant show demo
sockets=$(cat "$long/.run")
exits 0 'and goes down' stack down "$long"
nok 'with its sockets' test -e "$sockets"

# --- as an ordinary user ---
if ((EUID != 0)); then
	skip 'as an ordinary user' 'all of this was'
	done_testing
fi
user=tenantfs-test$$
useradd --create-home --home-dir "$STACK/home" --shell /bin/bash "$user" || bail_out 'no user could be made'
namespace=() holder=''
as_user() { (cd "$STACK/home" && "${namespace[@]}" runuser -u "$user" -- env HOME="$STACK/home" BUILD="$BUILD" "$@"); }
stop_user() {
	as_user "$TOP/packaging/stack" down "$STACK/home/var" >/dev/null 2>&1
	[[ -z $holder ]] || kill "$holder"
	userdel "$user"
}
trap 'status=$?; stop_user; stop_all; stack_end "$status"' EXIT
if ! as_user test -x "$BUILD/bin/fusefs"; then
	skip 'as an ordinary user' "who cannot read $BUILD"
	done_testing
fi
# Some machines keep /dev/fuse from users, which no distribution does: then one of the test's own, in a mount namespace of its own.
if ! as_user test -w /dev/fuse; then
	unshare --mount --propagation private sleep 300 &
	holder=$!
	wait_until 5 test -e "/proc/$holder/ns/mnt"
	sleep 0.2
	namespace=(nsenter --target "$holder" --mount)
	mknod "$STACK/fuse" c 10 229 && chmod 0666 "$STACK/fuse" && "${namespace[@]}" mount --bind "$STACK/fuse" /dev/fuse
fi
exits 0 'up as an ordinary user' as_user "$TOP/packaging/stack" up "$STACK/home/var"
ok 'the user can write' as_user cp /etc/hostname "$STACK/home/var/mnt/demo/mine.txt"
is "$(as_user stat -c %U "$STACK/home/var/mnt/demo/mine.txt")" "$user" 'the file is the user'\''s'
is_extracted() {
	[[ $(as_user getfattr --absolute-names --only-values -n user.extract.status "$STACK/home/var/mnt/demo/mine.txt") == completed ]]
}
ok 'it is extracted' wait_until 30 is_extracted
exits 0 'down as an ordinary user' as_user "$TOP/packaging/stack" down "$STACK/home/var"
is "$(processes "$STACK/home/var")" '' 'no process is left'
nok 'no mount is left' "${namespace[@]}" grep -qF "$STACK/home/var/mnt" /proc/self/mountinfo
done_testing
