#!/bin/bash
# Quotas to the byte and to the file.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
stack_tenant acme --unrestricted --quota 10000 --files 5
stack_mount || stack_give_up 'fusefs did not start'
tenant=$TENANTFS_MOUNT/acme
month=$tenant/$MONTH
cd "$month" || exit 1
used() { xattr "$tenant" user.tenant.used_bytes; }
bytes() { head -c "$1" /dev/zero | tr '\0' x; }

ok 'exactly the quota' sh -c 'head -c 10000 /dev/zero >all'
is "$(used)" 10000 'is used'
fails_with 'quota' 'one byte more' sh -c 'head -c 1 /dev/zero >more'
ok 'nothing stays' wait_until 5 test ! -e more
is "$(used)" 10000 'nothing is charged'
fails_with 'quota' 'an append' sh -c 'head -c 1 /dev/zero >>all'
sleep 0.2
is "$(stat -c %s all)" 10000 'changes nothing'
ok 'a rewrite of the same size' sh -c 'head -c 10000 /dev/urandom >all'
ok 'shorter' truncate -s 100 all
is "$(used)" 100 'gives back'
fails_with 'quota' 'truncate beyond' truncate -s 10001 all
is "$(stat -c %s all)" 100 'changes nothing'
ok 'truncate to the quota' truncate -s 10000 all
is "$(used)" 10000 'is charged'
ln all link
is "$(used)" 10000 'a hard link costs nothing'
rm all
is "$(used)" 10000 'nor does it give anything back'
rm link
is "$(used)" 0 'the last one does'
exec 5>open
bytes 4000 >&5
is "$(used)" 4000 'what is being written is charged'
rm open
is "$(used)" 4000 'also when it is unlinked'
exec 5>&-
ok 'until it is closed' wait_until 5 test "$(used)" = 0

# --- files ---
touch 1 2 3 4 5
fails_with 'quota' 'the sixth file' touch 6
mkdir folder
ln -s 1 symlink
ok 'folders and links are no files' test -d folder -a -L symlink
rm 3
ok 'room for one again' touch 6
fails_with 'quota' 'and not for two' touch 7
is "$(xattr "$tenant" user.tenant.file_count)" 5 'five are counted'

# --- df ---
is "$(df --output=size -B1 "$month" | tail -n 1 | tr -d ' ')" $((10000 / 4096 * 4096)) 'df shows the quota'
is "$(df --output=itotal,iavail "$month" | tail -n 1 | xargs)" '5 0' 'and the files'

# --- settings that change ---
ok 'more files' adminctl tenant set acme --files 6 --quota 20000
ok 'are there within a second' wait_until 3 touch 7
rm -f [0-9]*
ok 'twice the bytes' sh -c 'head -c 20000 /dev/zero >all'

# --- the database agrees ---
wait_committed acme
is "$(stack_sql 'SELECT used_bytes || chr(32) || file_count FROM tenant_usage')" '20000 1' 'the counters in PostgreSQL'
cd / && stack_kill_fusefs && stack_mount
is "$(used)" 20000 'after kill -9'
is "$(xattr "$tenant" user.tenant.file_count)" 1 'too'
done_testing
