#!/bin/bash
# Starting: every mistake has its words, an exit code, and leaves nothing behind.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
stack_tenant acme --unrestricted
stack_tenant other --unrestricted
unmounted() { ! grep -q " $1 " /proc/self/mountinfo; }

# refused PATTERN NAME ARGUMENT...
refused() {
	local pattern=$1 name=$2
	shift 2
	fails_with "$pattern" "$name" timeout 20 fusefs "$@"
	ok '  nothing is mounted' unmounted "$TENANTFS_MOUNT"
}

refused 'no mount point' 'no mount point' -f
refused 'does not exist' 'a mount point that is not there' "$STACK/nowhere"
touch "$STACK/file"
refused 'no folder' 'one that is a file' "$STACK/file"
mkdir "$STACK/full" && touch "$STACK/full/file"
refused 'not empty' 'one that is not empty' "$STACK/full"
refused 'cache_size' 'a cache that is too small' "$TENANTFS_MOUNT" -o cache_size=1k
refused 'xattr_list' 'a word that is none' "$TENANTFS_MOUNT" -o xattr_list=some
refused 'no tenant has such a code' 'a tenant code that is none' "$TENANTFS_MOUNT" --tenant ../x
refused 'no such tenant' 'a tenant that is not there' "$TENANTFS_MOUNT" --tenant nobody
DATABASE_URL='nonsense://x' refused 'DATABASE_URL|malformed' 'a malformed DATABASE_URL' "$TENANTFS_MOUNT"
DATABASE_URL='postgresql://tenantfs@/tenantfs?host=/nowhere' refused 'not reachable|DATABASE_URL' 'a database that is not there' "$TENANTFS_MOUNT"
DATABASE_URL='postgresql://tenantfs@/nothing?host='$STACK/run/postgres refused 'refused|reachable' 'a database of another name' "$TENANTFS_MOUNT"
unlike "$(DATABASE_URL='postgresql://tenantfs:hush@/nothing?host=/nowhere' timeout 20 fusefs "$TENANTFS_MOUNT" 2>&1)" hush 'a password is not told'
STORAGE_BASE_PATH='' refused 'STORAGE_BASE_PATH' 'no base' "$TENANTFS_MOUNT"
STORAGE_BASE_PATH=$TENANTFS_MOUNT/base refused 'inside the mount' 'a base inside the mount' "$TENANTFS_MOUNT"
mkdir "$STACK/foreign" "$STACK/foreign/tenant" && touch "$STACK/foreign/tenant/file"
STORAGE_BASE_PATH=$STACK/foreign refused 'adopt' 'the tree of another service' "$TENANTFS_MOUNT"
is "$(find "$STACK/foreign" | wc -l)" 3 'it is left as it was'
mkdir "$STACK/base/mount"
refused 'inside STORAGE_BASE_PATH' 'a mount point among the bytes' "$STACK/base/mount"
rmdir "$STACK/base/mount"
stack_sql 'CREATE DATABASE fresh' 2>/dev/null
DATABASE_URL="postgresql://tenantfs@/fresh?host=$STACK/run/postgres" refused 'migrat' 'a database without the schema' "$TENANTFS_MOUNT"

ok '--help' fusefs --help
ok '--version' fusefs --version

# --- going into the background ---
ok 'it returns when the mount answers' timeout 20 fusefs "$TENANTFS_MOUNT" 2>"$STACK/log/background"
ok 'at once' test -d "$TENANTFS_MOUNT/acme/$MONTH"
is "$(findmnt -n -o FSTYPE "$TENANTFS_MOUNT")" fuse.tenantfs 'the type of the mount'
like "$(findmnt -n -o OPTIONS "$TENANTFS_MOUNT")" 'nosuid.*nodev|nodev.*nosuid' 'nosuid, nodev'
fails_with 'already' 'a second mount there' timeout 20 fusefs "$TENANTFS_MOUNT"
mkdir "$STACK/second"
fails_with 'another fusefs' 'a second mount of the same base' timeout 20 fusefs "$STACK/second"
echo kept >"$TENANTFS_MOUNT/acme/a.txt"
pid=$(pgrep -f "^fusefs $TENANTFS_MOUNT\$" | head -n 1)
ok 'fusermount3 -u ends it' fusermount3 -u "$TENANTFS_MOUNT"
ok 'and its process' wait_until 15 test ! -d "/proc/$pid"
is "$(stack_sql 'SELECT count(*) FROM tenant_lease WHERE expires_at > now()')" 0 'the leases are given back'

# --- signals ---
for signal in TERM INT HUP; do
	# A shell starts what runs in its background with INT ignored, and what is ignored stays so.
	service_spawn "$STACK/pid/fusefs" "$STACK/log/fusefs" env --default-signal=INT fusefs "$TENANTFS_MOUNT" -f --tenant acme
	stack_wait_for fusefs 30 mount_answers "$TENANTFS_MOUNT" || fail "mount before $signal"
	is "$(ls "$TENANTFS_MOUNT")" acme '--tenant shows one tenant alone'
	is "$(cat "$TENANTFS_MOUNT/acme/a.txt")" kept 'with its files'
	pid=$(service_pid "$STACK/pid/fusefs")
	kill -"$signal" "$pid"
	ok "$signal ends it" wait_until 15 test ! -d "/proc/$pid"
	ok 'cleanly: unmounted' unmounted "$TENANTFS_MOUNT"
done
like "$(tail -n 3 "$STACK/log/fusefs")" 'unmounting' 'and says so'

# --- open files at the end ---
stack_mount
exec 5>"$TENANTFS_MOUNT/acme/open.txt"
echo 'written, not closed' >&5
stack_unmount
exec 5>&- 2>/dev/null
stack_mount
is "$(cat "$TENANTFS_MOUNT/acme/open.txt")" 'written, not closed' 'a file that was open is published or kept'

# --- a dead mount ---
stack_kill_fusefs
fails_with 'died|fusermount3' 'a mount that died is told apart' timeout 20 fusefs "$TENANTFS_MOUNT"
fusermount3 -u -z "$TENANTFS_MOUNT"
ok 'and can be mounted again' stack_mount
is "$(cat "$TENANTFS_MOUNT/acme/a.txt")" kept 'with everything'

if ((EUID == 0)); then
	skip 'as an ordinary user: without allow_other' 'runs as root'
fi
done_testing
