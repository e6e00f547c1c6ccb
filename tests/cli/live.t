#!/bin/bash
# adminctl beside a mount at work: what it changes is followed within moments, what it shows is what was written.
. "$(dirname "$0")/../lib/stack.sh"
stack_start mount extractd
owner=$(id -u):$(id -g)

# --- create, set ---
adminctl tenant create acme --owner "$owner" >/dev/null
ok 'a new tenant is there at once' wait_until 5 test -d "$TENANTFS_MOUNT/acme"
tenant=$TENANTFS_MOUNT/acme
printf 'hello world\n' >"$tenant/hello.txt"
cp "$tenant/current/hello.txt" "$tenant/current/copy.txt"
mkdir "$tenant/current/sub" && cp "$TOP/tests/data/sales.csv" "$tenant/current/sub/"
cp /bin/true "$tenant/wrong.pdf" 2>/dev/null
: >"$tenant/empty.txt"
ok 'all is committed' wait_committed acme

is "$(adminctl file list acme --json | jq -r '[.[].path] | sort | join(" ")')" "$MONTH/copy.txt $MONTH/empty.txt $MONTH/hello.txt $MONTH/sub/sales.csv" \
	'file list shows what was written'
is "$(adminctl file show acme hello.txt --json | jq -r .file_hash)" "$(printf 'hello world\n' | sha256sum | cut -c1-64)" 'file show, by the name in the drop box'
is "$(adminctl file show acme "$MONTH/sub/sales.csv" --json | jq -r .id)" "$(xattr "$tenant/current/sub/sales.csv" user.tenantfs.id)" 'with the id that the mount tells'
is "$(adminctl tenant rejections acme --json | jq -r '.[0] | "\(.name) \(.rule)"')" 'wrong.pdf media_type' 'what was refused'
is "$(adminctl tenant show acme --json | jq .file_count)" 4 'four files are counted'
is "$(adminctl tenant show acme --json | jq .used_bytes)" "$(xattr "$tenant" user.tenant.used_bytes)" 'bytes as the mount counts them'
ok 'they are extracted' wait_xattr "$tenant/current/sub/sales.csv" user.extract.status completed
is "$(adminctl job list --tenant acme --status completed --json | jq -r '[.[].extractor] | sort | join(" ")')" 'csv text' 'one job for each content'
is "$(adminctl tenant stats acme --json | jq -c '[.files, .distinct_contents, .by_status.completed]')" '[4,2,3]' 'stats'
is "$(adminctl file list acme --text 'world hello' --json | jq length)" 2 'found by its words'
exits 0 'fsck is clean beside a mount' adminctl fsck --grace 0 --hash
exits 0 'so is quota check' adminctl quota check
exits 0 'doctor has no problem' adminctl doctor

adminctl tenant set acme --inactive >/dev/null
refused() { ! ls "$tenant/current/" >/dev/null 2>&1; }
ok 'inactive: refused within moments' wait_until 5 refused
fails_with 'Permission denied' 'with EACCES' cat "$tenant/current/hello.txt"
adminctl tenant set acme --active >/dev/null
ok 'active again' wait_until 5 cat "$tenant/current/hello.txt"
adminctl tenant set acme --max-size 1k >/dev/null
too_large() { ! head -c 2000 /dev/zero 2>/dev/null >"$tenant/large.txt"; }
ok 'a limit of size is followed' wait_until 5 too_large
rm -f "$tenant/large.txt"
adminctl tenant set acme --max-size default --files 4 >/dev/null
one_too_many() { ! touch "$tenant/five.txt" 2>/dev/null; }
ok 'a limit of files is followed' wait_until 5 one_too_many
fails_with 'quota exceeded' 'with EDQUOT' touch "$tenant/six.txt"
adminctl tenant set acme --files none --allow csv >/dev/null
only_csv() { ! touch "$tenant/seven.txt" 2>/dev/null; }
ok 'a list of extensions is followed' wait_until 5 only_csv
adminctl tenant set acme --restricted --name 'Acme' >/dev/null
ok 'and the end of it' wait_until 5 touch "$tenant/eight.txt"
is "$(xattr "$tenant" user.tenant.name)" Acme 'its name is an attribute'

# --- job retry ---
job=$(adminctl job list --tenant acme --json | jq -r '[.[] | select(.extractor == "text")][0].job_id')
adminctl job rerun --tenant acme --extractor text >/dev/null
again() { [[ $(adminctl job show "$job" --json | jq -r .status) == completed ]]; }
ok 'what is to be read again is read again' wait_until 20 again

# --- delete, with files open ---
adminctl tenant create other --owner "$owner" >/dev/null
wait_until 5 test -d "$TENANTFS_MOUNT/other"
printf 'stays\n' >"$TENANTFS_MOUNT/other/stays.txt"
exec 7>"$tenant/current/open.txt" 8<"$tenant/current/hello.txt"
printf 'half' >&7
exits 0 'delete, while files are open' adminctl tenant delete acme --yes
like "$OUTPUT" 'Removed: acme' 'the mount does it'
exec 7>&- 8<&- 2>/dev/null
nok 'it is gone from the mount' test -e "$tenant"
nok 'and from the disk' test -e "$STORAGE_BASE_PATH/acme"
exits 3 'and from the database' adminctl tenant show acme
is "$(cat "$TENANTFS_MOUNT/other/stays.txt")" stays 'the neighbour is untouched'
exits 0 'its code can be used again' adminctl tenant create acme --owner "$owner"
ok 'and is an empty tenant' wait_until 5 touch "$TENANTFS_MOUNT/acme/new.txt"
is "$(find "$TENANTFS_MOUNT/acme/" -type f | wc -l)" 1 'with nothing of the old one'
stack_stop_extractd
stack_unmount
is "$(adminctl fsck --grace 0 --hash --json)" '[]' 'at rest nothing is left behind'
done_testing
