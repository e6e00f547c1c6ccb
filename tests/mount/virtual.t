#!/bin/bash
# current, .id, .extract, .stats, statfs.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
stack_tenant acme --unrestricted --mode 0777
stack_mount || stack_give_up 'fusefs did not start'
tenant=$TENANTFS_MOUNT/acme
month=$tenant/$MONTH

is "$(readlink "$tenant/current")" "$MONTH" 'current points to this month'
echo x >"$tenant/current/a.txt"
is "$(cat "$month/a.txt")" x 'and can be written through'

# --- .id ---
id=$(xattr "$month/a.txt" user.tenantfs.id)
is "$(cat "$tenant/.id/$id")" x 'a file by its id'
is "$(stat -c %i "$tenant/.id/$id")" "$(stat -c %i "$month/a.txt")" 'is that file'
is "$(xattr "$tenant/.id/$id" user.mime_type)" text/plain 'with its attributes'
is "$(ls "$tenant/.id")" '' 'none is listed'
mv "$month/a.txt" "$month/b.txt"
is "$(cat "$tenant/.id/$id")" x 'whatever it is called'
echo y >"$tenant/.id/$id"
is "$(cat "$month/b.txt")" y 'writing through it writes that file'
fails_with 'No such' 'an id that is none' cat "$tenant/.id/fs_0000000000000000000000"
fails_with 'No such' 'a name that is no id' cat "$tenant/.id/b.txt"
fails_with 'permitted' 'nothing is made there' touch "$tenant/.id/new"
stack_unmount && stack_mount
is "$(cat "$tenant/.id/$id")" y 'by id after a remount, before anything else was looked at'
ok 'unlink by id' rm "$tenant/.id/$id"
nok 'removes the file' test -e "$month/b.txt"
if ((EUID == 0)); then
	mkdir -m 0700 "$month/private"
	echo secret >"$month/private/s.txt"
	id=$(xattr "$month/private/s.txt" user.tenantfs.id)
	fails_with 'denied' 'an id is no way around a folder that may not be entered' \
		setpriv --reuid 1000 --regid 1000 --clear-groups cat "$tenant/.id/$id"
	fails_with 'denied' 'nor to remove' setpriv --reuid 1000 --regid 1000 --clear-groups rm -f "$tenant/.id/$id"
fi

# --- .extract: rows made by hand, as extractd would ---
mkdir "$month/docs"
printf 'the text of page one\fand of page two' >"$month/docs/t.txt"
chmod 0640 "$month/docs/t.txt"
mirror=$tenant/.extract/$MONTH/docs/t.txt
is "$(ls "$tenant/.extract")" "$MONTH" '.extract mirrors the months'
is "$(ls "$tenant/.extract/$MONTH/docs")" t.txt 'folders and files'
is "$(ls "$mirror")" '' 'without an extraction a file shows nothing'
wait_committed acme
sha=$(xattr "$month/docs/t.txt" user.tenantfs.sha256)
is "$(xattr "$month/docs/t.txt" user.extract.status)" pending 'its extraction is pending'
stack_sql "UPDATE extraction_job SET state = 'd', completed_at = now() WHERE sha256 = '\\x$sha';
	INSERT INTO extraction_result (tenant_id, sha256, extractor_version, extractor, status, media_type, extracted_text, text_bytes, pages,
		metadata, structured_data, summary, confidence, duration_ms)
	SELECT tenant_id, sha256, extractor_version, 'text', 'c', 'text/plain', 'Seite einß und zwei', 20, '{0,11}',
		'{\"dc:title\": \"A title\", \"dc:creator\": [\"Somebody\"]}', '{\"lines\": 1}', '# Summary', 0.75, 12 FROM extraction_job WHERE sha256 = '\\x$sha'"
ok 'touch, as extractd does' setfattr -n user.tenantfs.touch -v 1 "$tenant/.id/$(xattr "$month/docs/t.txt" user.tenantfs.id)"
is "$(xattr "$month/docs/t.txt" user.extract.status)" completed 'completed'
is "$(xattr "$month/docs/t.txt" user.tenantfs.status)" completed 'the file too'
is "$(xattr "$month/docs/t.txt" user.extract.text)" 'Seite einß und zwei' 'text'
is "$(xattr "$month/docs/t.txt" user.extract.summary)" '# Summary' 'summary'
is "$(xattr "$month/docs/t.txt" user.extract.data | jq -c .)" '{"lines":1}' 'data'
is "$(xattr "$month/docs/t.txt" user.extract.confidence)" 0.750 'confidence'
is "$(xattr "$month/docs/t.txt" user.extract.text_bytes)" 20 'text_bytes'
is "$(xattr "$month/docs/t.txt" user.dublincore.title)" 'A title' 'title'
is "$(xattr "$month/docs/t.txt" user.dublincore.creator)" Somebody 'creator'
like "$(getfattr -d "$month/docs/t.txt" 2>/dev/null)" 'user.dublincore.title' 'the title is listed'
is "$(ls "$mirror" | tr '\n' ' ')" 'data.json metadata.json pages summary.md text.txt ' 'the mirror has its parts'
is "$(cat "$mirror/text.txt")" 'Seite einß und zwei' 'text.txt'
is "$(stat -c %s "$mirror/text.txt")" 20 'its size is known'
is "$(ls "$mirror/pages" | tr '\n' ' ')" '0001.txt 0002.txt ' 'pages'
is "$(cat "$mirror/pages/0001.txt")|$(cat "$mirror/pages/0002.txt")" 'Seite einß| und zwei' 'each with its text'
is "$(jq -r .lines "$mirror/data.json")" 1 'data.json'
is "$(cat "$mirror/summary.md")" '# Summary' 'summary.md'
is "$(stat -c %a "$mirror/text.txt") $(stat -c %a "$mirror")" '440 550' 'the modes are the source'"'"'s, less w and x'
like "$(grep -rl 'einß' "$tenant/.extract")" text.txt 'grep -r finds it'
fails_with 'Read-only' 'nothing is written there' sh -c "echo x >'$mirror/text.txt'"
fails_with 'Read-only' 'nor made' touch "$tenant/.extract/$MONTH/new"
fails_with 'Read-only' 'nor removed' rm -f "$mirror/text.txt"
mv "$month/docs/t.txt" "$month/docs/u.txt"
is "$(cat "$tenant/.extract/$MONTH/docs/u.txt/summary.md")" '# Summary' 'the mirror follows a rename'
nok 'and forgets the old name' test -e "$mirror"
stack_sql "UPDATE extraction_result SET extracted_text = repeat('ü', 50000), text_bytes = 100000"
setfattr -n user.tenantfs.touch -v 1 "$month/docs/u.txt"
is "$(xattr "$month/docs/u.txt" user.extract.text | wc -c)" 65536 'a long text is cut to 64 KiB in the attribute'
is "$(wc -c <"$tenant/.extract/$MONTH/docs/u.txt/text.txt")" 100000 'and whole in the mirror'

# --- .stats ---
stats=$(cat "$TENANTFS_MOUNT/.stats")
like "$stats" 'tenantfs_operation_seconds_count\{op="create"\} [1-9]' 'operations are counted'
like "$stats" 'tenantfs_journal_pending_records 0' 'the journal too'
like "$stats" 'tenantfs_tenants_held 1' 'and tenants'
fails_with 'denied|permitted' 'it is read-only' sh -c "echo x >'$TENANTFS_MOUNT/.stats'"
done_testing
