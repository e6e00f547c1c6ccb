#!/bin/bash
# Files put directly into the tenant folder lie in the current month.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
stack_tenant acme --unrestricted --mode 0777
stack_mount || stack_give_up 'fusefs did not start'
tenant=$TENANTFS_MOUNT/acme
month=$tenant/$MONTH
cd "$tenant" || exit 1

ls "$month" >/dev/null
stat "$month/report.txt" 2>/dev/null # so that the kernel remembers it is not there
echo report >"$STACK/report.txt"
ok 'cp into the tenant folder' cp "$STACK/report.txt" "$tenant/"
is "$(cat "$month/report.txt")" report 'lies in the current month'
is "$(cat "$tenant/report.txt")" report 'and is found by its short name'
is "$(stat -c %i report.txt)" "$(stat -c %i "$month/report.txt")" 'the same file'
unlike "$(ls "$tenant")" report 'but is not listed there'
like "$(ls "$month")" report 'only in its month'
ok 'append' sh -c "echo more >>'$tenant/report.txt'"
is "$(cat "$month/report.txt")" $'report\nmore' 'is seen in the month'
ok 'rename within the drop box' mv report.txt renamed.txt
is "$(cat "$month/renamed.txt")" $'report\nmore' 'is a rename in the month'
nok 'the old real name is gone' test -e "$month/report.txt"
ok 'out of the drop box into a folder' sh -c "mkdir '$month/sub' && mv renamed.txt '$month/sub/'"
nok 'the real name is gone' test -e "$month/renamed.txt"
ok 'from the month itself into the drop box' sh -c "echo x >'$month/x.txt' && mv '$month/x.txt' y.txt"
is "$(cat "$month/y.txt")" x 'is a rename in the month'
ok 'and back' mv y.txt "$month/z.txt"
is "$(cat "$month/z.txt" z.txt)" $'x\nx' 'too'
ok 'a link' ln z.txt linked.txt
is "$(stat -c %h "$month/linked.txt")" 2 'in the month'
ok 'rm' rm linked.txt
nok 'removes the real name' test -e "$month/linked.txt"
stat "$month/z.txt" >/dev/null
ok 'rm of a name the kernel knows' rm z.txt
nok 'is seen at once' test -e "$month/z.txt"

# --- regular files only ---
mkdir "$month/folder"
ln -s nowhere "$month/symlink"
fails_with 'No such file' 'a folder is not found by the drop box' ls "$tenant/folder"
nok 'nor a symbolic link' test -L "$tenant/symlink"
fails_with 'permitted' 'mkdir' mkdir "$tenant/new"
fails_with 'permitted' 'symlink' ln -s x "$tenant/new"
fails_with 'permitted' 'mkfifo' mkfifo "$tenant/new"
fails_with 'exist|directory' 'a file of a folder'"'"'s name' cp "$STACK/report.txt" "$tenant/folder"

# --- copying tools ---
mkdir "$STACK/flat"
for n in 1 2 3 4 5; do echo "$n" >"$STACK/flat/$n.txt"; done
ok 'rsync -a of a flat folder' rsync -a "$STACK/flat/" "$tenant/" --omit-dir-times --no-perms --no-owner --no-group
is "$(cat "$month"/[1-5].txt | tr '\n' ' ')" '1 2 3 4 5 ' 'all are in the month'
is "$(find "$month" -name '.*.??????' | wc -l)" 0 'no working name is left'
echo changed >"$STACK/flat/3.txt"
ok 'again, with a change' rsync -a "$STACK/flat/" "$tenant/" --omit-dir-times --no-perms --no-owner --no-group
is "$(cat "$month/3.txt")" changed 'the change is there'

# --- permission of the month, which the kernel did not check ---
if ((EUID == 0)); then
	user=(setpriv --reuid 1000 --regid 1000 --clear-groups)
	chmod 0755 "$month"
	fails_with 'denied' 'a month that is not writable takes no file' "${user[@]}" sh -c "echo x >'$tenant/u.txt'"
	chmod 0700 "$month"
	fails_with 'denied' 'one that may not be entered shows none' "${user[@]}" cat "$tenant/1.txt"
	chgrp 1234 "$month" && chmod 0770 "$month"
	ok 'a supplementary group counts' setpriv --reuid 1000 --regid 1000 --groups 1234 sh -c "echo x >'$tenant/g.txt'"
	chmod 1777 "$month"
	echo mine >"$month/mine.txt"
	fails_with 'permitted' 'the sticky bit holds for rm' "${user[@]}" rm -f "$tenant/mine.txt"
	fails_with 'permitted' 'for mv' "${user[@]}" mv "$tenant/mine.txt" "$tenant/yours.txt"
	"${user[@]}" sh -c "echo x >'$tenant/own.txt'"
	fails_with 'permitted' 'for mv over it' "${user[@]}" mv "$tenant/own.txt" "$tenant/mine.txt"
	ok 'one'"'"'s own file may go' "${user[@]}" rm "$tenant/own.txt"
fi
done_testing
