#!/bin/bash
# mount.tenantfs, what mount(8) calls for fstab: it mounts in the background, takes a configuration file and options, and answers
# with the exit codes that mount(8) knows.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
stack_tenant acme
stack_tenant other
helper=$BUILD/bin/mount.tenantfs
mount_point=$TENANTFS_MOUNT

exits 0 'a mount in the background' "$helper" none "$mount_point" -o rw,_netdev,nofail,x-systemd.requires=postgresql.service
ok 'it answers at once' mount_answers "$mount_point"
ok 'the tenant is there' ls "$mount_point/acme/"
exits 0 'umount' umount "$mount_point"
daemon_is_gone() {
	local folder
	for folder in /proc/[0-9]*; do
		[[ $(cat "$folder/comm" 2>/dev/null) == fusefs ]] && grep -qzxF -- "$mount_point" "$folder/cmdline" && return 1
	done
	return 0
}
ok 'its daemon ends' wait_until 15 daemon_is_gone

(umask 077 && printf 'DATABASE_URL = %s\nSTORAGE_BASE_PATH = %s\n' "$DATABASE_URL" "$STORAGE_BASE_PATH" >"$STACK/conf")
exits 0 'settings from a configuration file' env -u DATABASE_URL -u STORAGE_BASE_PATH "$helper" "$STACK/conf" "$mount_point" -o "tenant=acme,DEADLINE=7s"
is "$(ls "$mount_point")" acme 'tenant= mounts that tenant alone'
ok 'a file can be written' cp /etc/hostname "$mount_point/acme/x.txt"
exits 32 'a second mount at the same place' "$helper" none "$mount_point"
exits 0 'umount' umount "$mount_point"
(umask 077 && printf 'DATABASE_URL=%s\n' "$DATABASE_URL" >"$STACK/env file")
exits 0 'settings from a .env file whose name has a space' env -u DATABASE_URL "$helper" none "$mount_point" -o "env=$STACK/env file" -n -v
exits 0 'umount' umount "$mount_point"

exits 0 'mount -f mounts nothing' "$helper" none "$mount_point" -f -o rw
nok 'indeed' is_mounted "$mount_point"
exits 1 'too few arguments' "$helper" none
exits 1 'an option of the helper that is none' "$helper" none "$mount_point" -Z
exits 32 'a database that is not there' env "DATABASE_URL=postgresql://x@/y?host=$STACK/nowhere" "$helper" none "$mount_point"
nok 'leaves no mount' is_mounted "$mount_point"
exits 32 'a mount point that is not there' "$helper" none "$STACK/nowhere"
exits 32 'a configuration file that is not there' "$helper" "$STACK/none" "$mount_point"
exits 32 'a setting out of bounds' "$helper" none "$mount_point" -o MAX_ZIP_DEPTH=100
like "$OUTPUT" 'MAX_ZIP_DEPTH' 'is named'
done_testing
