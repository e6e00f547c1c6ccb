#!/bin/bash
# Names are bytes; months and reserved names are not for users; the rules of names.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
stack_tenant acme
stack_mount || stack_give_up 'fusefs did not start'
tenant=$TENANTFS_MOUNT/acme
month=$tenant/$MONTH

ok 'the month is there by itself' test -d "$month"
is "$(ls "$TENANTFS_MOUNT")" acme 'the root lists the tenants'
is "$(ls -A "$tenant" | tr '\n' ' ')" ".extract $MONTH current " 'a tenant lists its months, current and .extract'

# --- bytes ---
long=$(printf 'n%.0s' {1..251}).txt
ok 'a name of 255 bytes' cp /dev/null "$month/$long"
ok 'is listed' test "$(ls "$month")" = "$long"
fails_with 'too long' 'a name of 256 bytes is too long' cp /dev/null "$month/x$long"
rm "$month/$long"
for name in $'new\nline.txt' 'quo"te.txt' "apo'strophe.txt" ' space .txt' $'tab\t.txt' '*?[a].txt' $'\xff\xfe.txt' $'\xc3\x28.txt' 'ünï.txt' '\.txt' '-rf.txt' ; do
	printf 'content of %s' "$name" >"$month/$name"
	is "$(cat "$month/$name")" "content of $name" "a name is bytes: $(printf %q "$name")"
done
is "$(ls -A "$month" | wc -c)" "$(printf '%s\n' $'new\nline.txt' 'quo"te.txt' "apo'strophe.txt" ' space .txt' $'tab\t.txt' '*?[a].txt' $'\xff\xfe.txt' \
	$'\xc3\x28.txt' 'ünï.txt' '\.txt' '-rf.txt' | wc -c)" 'all are listed, byte for byte'
stack_unmount && stack_mount
is "$(cat "$month"/$'\xff\xfe.txt')" $'content of \xff\xfe.txt' 'a name that is no UTF-8 survives a remount'
is "$(cat "$month"/$'new\nline.txt')" $'content of new\nline.txt' 'a name with a newline too'
rm -f -- "$month"/*

# --- months and reserved names ---
ok 'a past month can be made' mkdir "$tenant/2019-03"
ok 'and written' cp /etc/hostname "$tenant/2019-03/a.txt"
fails_with 'Operation not permitted' 'a future month cannot be made' mkdir "$tenant/2999-01"
fails_with 'Operation not permitted' 'a month that is none cannot be made' mkdir "$tenant/2019-13"
fails_with 'Operation not permitted' 'another folder in the tenant folder cannot' mkdir "$tenant/folder"
fails_with 'exists' 'a month is made once' mkdir "$tenant/2019-03"
fails_with 'Operation not permitted' 'a month is not removed' rmdir "$tenant/2019-03"
fails_with 'Operation not permitted|not empty' 'nor renamed over' mv -T "$month" "$tenant/2019-03"
fails_with 'Operation not permitted' 'nor renamed' mv -T "$tenant/2019-03" "$tenant/2019-04"
for name in current .id .extract; do
	fails_with 'exist|directory|permitted|Read-only' "$name is reserved: no file" sh -c ": >'$tenant/$name'"
	fails_with 'permitted|directory|exist|Read-only' "$name is reserved: not removed" rm -rf "$tenant/$name"
done
fails_with 'permitted' 'no tenant is made by mkdir' mkdir "$TENANTFS_MOUNT/other"
fails_with 'permitted' 'nothing is put into the root' touch "$TENANTFS_MOUNT/file.txt"
fails_with 'No such file' 'a tenant that is none' ls "$TENANTFS_MOUNT/nobody"
ok 'a tenant made a moment ago is there' stack_tenant fresh
ok 'at once' test -d "$TENANTFS_MOUNT/fresh/$MONTH"

# --- the extension rule ---
fails_with 'Operation not permitted' 'an extension that is not allowed' touch "$month/program.exe"
fails_with 'Operation not permitted' 'no extension at all' touch "$month/README"
ok 'a working name waits' touch "$month/.program.exe.Xa3"
fails_with 'Operation not permitted' 'until it is renamed to a visible one' mv "$month/.program.exe.Xa3" "$month/program.exe"
fails_with 'Operation not permitted' 'or linked' ln "$month/.program.exe.Xa3" "$month/program.exe"
ok 'the file is still there' test -e "$month/.program.exe.Xa3"
ok 'a rename to an allowed name works' mv "$month/.program.exe.Xa3" "$month/program.txt"
ok 'folders have no extension rule' mkdir "$month/folder.exe"
like "$(adminctl tenant rejections acme --json 2>/dev/null; xattr "$tenant" user.tenant.rejections)" 'program.exe' 'refusals are recorded'
like "$(cat "$STACK/log/fusefs")" 'refused.*program.exe' 'and logged'
done_testing
