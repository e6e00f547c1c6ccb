#!/bin/bash
# adminctl fsck and quota check: clean when all agrees, and each damage is found, named and counted. The files are made by hand.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
adminctl tenant create acme --quota 1M >/dev/null
adminctl tenant create gone >/dev/null

exits 2 'a storage that was never used' adminctl fsck
like "$OUTPUT" 'STORAGE_BASE_PATH|no storage' 'is told'
exits 0 'the database alone can be checked' adminctl fsck --database-only
adminctl tenant delete gone --yes >/dev/null # makes the storage one of ours
tenant=$(stack_sql "SELECT tenant_id FROM tenant WHERE code = 'acme'")
root=$(stack_sql "SELECT root_inode FROM tenant WHERE code = 'acme'")
objects=$STORAGE_BASE_PATH/acme/2026-11

exits 0 'an empty tenant is clean' adminctl fsck
like "$OUTPUT" 'Clean: 1 tenant, 0 objects' 'and that is said'

# A month with a folder, two files, one of them with two names, and a third content without a file id of its own.
build() {
	rm -rf "$STORAGE_BASE_PATH/acme"
	mkdir -p "$objects"
	printf 'hello' >"$objects/fs_1.txt"
	printf 'second' >"$objects/fs_2.txt"
	stack_sql "DELETE FROM node; DELETE FROM entry; DELETE FROM object; DELETE FROM attribute; DELETE FROM tenant_lease; DELETE FROM extraction_job;
		INSERT INTO node (tenant_id, inode, kind, mode, nlink, uid, gid, atime_ns, mtime_ns, ctime_ns, btime_ns, file_id, object_id, size_bytes, status)
		SELECT $tenant, inode, kind::\"char\", 420, nlink, 0, 0, 1, 1, 1, 1, file_id, object_id, size, 'p'
		  FROM (VALUES ($root, 'd', 3, NULL, NULL::bigint, 0), (100, 'd', 3, NULL, NULL, 0), (101, 'd', 2, NULL, NULL, 0),
		               (1, 'f', 2, 'fs_1', 1, 5), (2, 'f', 1, 'fs_2', 2, 6), (3, 'l', 1, NULL, NULL, 0)) v (inode, kind, nlink, file_id, object_id, size);
		INSERT INTO entry VALUES ($tenant, $root, '2026-11', 100, 'd', 1), ($tenant, 100, 'sub', 101, 'd', 2), ($tenant, 100, 'one', 1, 'f', 3),
			($tenant, 101, 'again', 1, 'f', 4), ($tenant, 101, 'two', 2, 'f', 5), ($tenant, 100, 'link', 3, 'l', 6);
		INSERT INTO object VALUES ($tenant, 1, 1, '2026-11/fs_1.txt', 5, sha256('hello'), 'text/plain', 1),
			($tenant, 2, 2, '2026-11/fs_2.txt', 6, sha256('second'), 'text/plain', 1);
		INSERT INTO attribute VALUES ($tenant, 1, 'user.x', 'value');
		UPDATE tenant_usage SET used_bytes = 5 + 6 + 11, file_count = 2 WHERE tenant_id = $tenant"
}
rules() { adminctl fsck --grace 0 --hash --json | jq -r '[.[].rule] | sort | join(" ")'; }
# damage RULES NAME [SQL]
damage() {
	[[ -z ${3:-} ]] || stack_sql "$3"
	is "$(rules)" "$1" "$2"
	build
}
build
is "$(rules)" '' 'what was built by hand is clean'
exits 0 'exit code 0' adminctl fsck --grace 0 --hash
like "$OUTPUT" 'Clean: 1 tenant, 2 objects' 'and it says so'

damage 'entry_without_node' 'a name that leads nowhere' "DELETE FROM node WHERE inode = 3"
damage 'entry_kind' 'a name of the wrong kind' "UPDATE entry SET kind = 'p' WHERE inode = 3"
damage 'entry_without_folder' 'a name in a folder that is none' "INSERT INTO entry VALUES ($tenant, 999, 'x', 3, 'l', 9); UPDATE node SET nlink = 2 WHERE inode = 3"
damage 'folder_unreachable' 'a folder that no path leads to' "UPDATE entry SET parent_inode = 101 WHERE inode = 101; UPDATE node SET nlink = 2 WHERE inode = 100; UPDATE node SET nlink = 3 WHERE inode = 101"
damage 'node_without_entry' 'a file without a name' "DELETE FROM entry WHERE inode = 3"
damage 'link_count' 'a file that counts more names than it has' "UPDATE node SET nlink = 3 WHERE inode = 1"
damage 'link_count' 'a folder that counts too few folders' "UPDATE node SET nlink = 2 WHERE inode = 100"
damage 'unlinked_left' 'a file removed while it was open' "DELETE FROM entry WHERE inode = 3; UPDATE node SET nlink = 0 WHERE inode = 3"
damage 'file_without_object object_without_row' 'a file whose object has no row' "DELETE FROM object WHERE object_id = 2"
damage 'file_size' 'a file of another size than its object' "UPDATE node SET size_bytes = 7 WHERE inode = 2; UPDATE tenant_usage SET used_bytes = used_bytes + 1"
damage 'object_unused' 'an object that no file names' "UPDATE node SET object_id = NULL WHERE inode = 2"
damage 'attribute_without_node' 'an attribute of nothing' "UPDATE attribute SET inode = 999"
damage 'job_without_result' 'a job that is done without a result' "INSERT INTO extraction_job (tenant_id, sha256, extractor_version, state, object_id) VALUES ($tenant, sha256('hello'), 1, 'd', 1)"
damage 'usage_bytes' 'a counter of bytes that drifted' 'UPDATE tenant_usage SET used_bytes = used_bytes + 1'
damage 'usage_files' 'a counter of files that drifted' 'UPDATE tenant_usage SET file_count = 0'
rm "$objects/fs_1.txt"
damage 'row_without_object' 'bytes that are not there'
printf 'second and more' >"$objects/fs_2.txt"
damage 'object_size' 'bytes that are too many'
printf 'sec' >"$objects/fs_2.txt"
damage 'object_size' 'bytes that are too few'
printf 'sEcond' >"$objects/fs_2.txt"
damage 'object_content' 'bytes that are others'
printf x >"$objects/fs_9.txt"
damage 'object_without_row' 'bytes that no row names'
printf x >"$objects/fs_9.txt"
exits 0 'young bytes without a row are no finding' adminctl fsck
build
mkdir "$STORAGE_BASE_PATH/stranger"
damage 'folder_without_tenant' "a folder that is no tenant's"
rmdir "$STORAGE_BASE_PATH/stranger"

# --- exit codes, and who is looked at ---
stack_sql 'UPDATE tenant_usage SET file_count = 7'
exits 1 'findings: exit code 1' adminctl fsck
like "$OUTPUT" 'error +acme +usage_files .*7 files are counted, there are 2' 'in a table for people'
like "$OUTPUT" '1 error, 0 notes' 'with their number'
exits 1 'of the tenant asked for' adminctl fsck --tenant acme
adminctl tenant create other >/dev/null
exits 0 'not of another' adminctl fsck --tenant other
exits 3 'a tenant that is not there' adminctl fsck --tenant nobody
exits 64 'a grace of nonsense' adminctl fsck --grace soon
stack_sql "UPDATE tenant_usage SET file_count = 2 WHERE tenant_id = $tenant; UPDATE entry SET kind = 'l' WHERE inode = 3; DELETE FROM entry WHERE inode = 3; UPDATE node SET nlink = 0 WHERE inode = 3"
exits 0 'a note alone is no finding' adminctl fsck
like "$OUTPUT" 'note +acme +unlinked_left' 'but it is told'
build
mv "$STORAGE_BASE_PATH/acme" "$STACK/away"
: >"$STORAGE_BASE_PATH/acme"
exits 2 'a storage that cannot be listed is not taken for a clean one' adminctl fsck
rm "$STORAGE_BASE_PATH/acme" && mv "$STACK/away" "$STORAGE_BASE_PATH/acme"
stack_stop_postgres
exits 2 'nor is a database that is away' adminctl fsck
stack_postgres_start

# --- quota check ---
exits 0 'quota check is content' adminctl quota check
is "$(adminctl quota check --tenant acme --json | jq -c '.[0] | [.charged_bytes, .row_bytes, .disk_bytes, .charged_files, .row_files]')" '[22,22,11,2,2]' 'with the figures of counters, rows and disk'
ln "$objects/fs_1.txt" "$objects/fs_3.txt"
is "$(adminctl quota check --tenant acme --json | jq '.[0].disk_bytes')" 11 'shared bytes lie there once'
rm "$objects/fs_3.txt"
stack_sql 'UPDATE tenant_usage SET used_bytes = 1 WHERE tenant_id = '"$tenant"
exits 1 'a counter that drifted' adminctl quota check
like "$OUTPUT" 'counters differ' 'is told'
is "$(stack_sql "SELECT used_bytes FROM tenant_usage WHERE tenant_id = $tenant")" 1 'and not repaired'
exits 0 'of another tenant it is not' adminctl quota check --tenant other
adminctl tenant set acme --quota 10 >/dev/null
build
like "$(adminctl quota check)" 'over its quota' 'who is over the quota is told'
done_testing
