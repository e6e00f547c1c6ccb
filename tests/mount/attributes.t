#!/bin/bash
# Extended attributes: what fusefs knows, what a user sets, what is refused and how.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
stack_tenant acme --quota 1M
stack_mount || stack_give_up 'fusefs did not start'
tenant=$TENANTFS_MOUNT/acme
month=$tenant/$MONTH
cd "$month" || exit 1
set_xattr() { setfattr -n "$2" -v "$3" -- "$1"; }

echo 'hello world, this is plain text' >a.txt
like "$(xattr a.txt user.tenantfs.id)" '^fs_[0-9A-Za-z]{22}$' 'id'
is "$(xattr a.txt user.tenantfs.sha256)" "$(sha256sum <a.txt | cut -d' ' -f1)" 'sha256'
like "$(xattr a.txt user.tenantfs.status)" '^(uploaded|processing|completed)$' 'status'
is "$(xattr a.txt user.tenantfs.validation)" passed 'validation'
like "$(xattr a.txt user.tenantfs.uploaded_at)" '^20[0-9-]+T[0-9:.]+Z$' 'uploaded_at'
is "$(xattr a.txt user.tenantfs.uploaded_by)" "$(id -u)" 'uploaded_by: the uid'
is "$(xattr a.txt user.tenantfs.visibility)" private 'visibility'
is "$(xattr a.txt user.mime_type)" text/plain 'media type'
is "$(xattr a.txt user.extract.status)" pending 'extraction is queued'
is "$(xattr a.txt user.tenantfs.committed)" 1 'committed'
is "$(stack_sql "SELECT count(*) FROM files WHERE id = '$(xattr a.txt user.tenantfs.id)'")" 1 'and in PostgreSQL by then'
id=$(xattr a.txt user.tenantfs.id)
mv a.txt b.txt
is "$(xattr b.txt user.tenantfs.id)" "$id" 'the id survives a rename'
echo more >>b.txt
is "$(xattr b.txt user.tenantfs.id)" "$id" 'and an edit'
is "$(xattr b.txt user.tenantfs.sha256)" "$(sha256sum <b.txt | cut -d' ' -f1)" 'the digest follows'
is "$(python3 -c "
import os
f = open('open.txt', 'w'); f.write('x'); f.flush()
print(os.getxattr('open.txt', 'user.tenantfs.status').decode())")" uploading 'a file being written is uploading'

# --- what a user sets ---
ok 'metadata takes a JSON object' set_xattr b.txt user.tenantfs.metadata '{"ü": [1, 2], "case": 7}'
is "$(xattr b.txt user.tenantfs.metadata | jq -c .)" '{"ü":[1,2],"case":7}' 'and gives it back'
for value in '[]' '7' '{' 'text' '{"a": "\u0000"}' ''; do
	fails_with 'Invalid argument' "metadata refuses $value" set_xattr b.txt user.tenantfs.metadata "$value"
done
fails_with 'Invalid argument' 'and what is nested too deep' set_xattr b.txt user.tenantfs.metadata "{\"a\":$(printf '[%.0s' {1..1000})$(printf ']%.0s' {1..1000})}"
ok 'visibility public' set_xattr b.txt user.tenantfs.visibility public
is "$(xattr b.txt user.tenantfs.visibility)" public 'is kept'
fails_with 'Invalid argument' 'another word is refused' set_xattr b.txt user.tenantfs.visibility secret
ok 'tags' set_xattr b.txt user.xdg.tags 'red,blue'
is "$(xattr b.txt user.xdg.tags)" red,blue 'are kept'
ok 'a comment' set_xattr b.txt user.xdg.comment 'a comment, ünï'
fails_with 'Invalid argument' 'text that is no UTF-8 is refused' set_xattr b.txt user.xdg.comment 0xff
ok 'any other attribute' set_xattr b.txt user.anything 0x00ff0a
is "$(getfattr -e hex --only-values -n user.anything b.txt | xxd -p)" 00ff0a 'byte for byte'
ok 'an empty one' set_xattr b.txt user.empty ''
ok 'on a folder' sh -c 'mkdir d && setfattr -n user.folder -v yes d'
is "$(xattr d user.folder)" yes 'too'
ok 'removed' setfattr -x user.anything b.txt
is "$(xattr b.txt user.anything)" '' 'gone'
fails_with 'No such attribute' 'twice is once too often' setfattr -x user.anything b.txt
ok 'tags removed' setfattr -x user.xdg.tags b.txt
is "$(xattr b.txt user.xdg.tags)" '' 'gone'

# --- what nobody sets ---
for name in user.tenantfs.id user.tenantfs.sha256 user.tenantfs.status user.mime_type user.extract.text user.dublincore.title \
	user.tenantfs.committed user.tenantfs.nonsense user.extract.nonsense user.tenant.code; do
	fails_with 'not supported' "$name is read-only" set_xattr b.txt "$name" x
done
fails_with 'not supported' 'security attributes are not kept' set_xattr b.txt security.selinux x
fails_with 'not supported' 'ACLs neither' setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff04000400ffffffff20000400ffffffff b.txt
ok 'cp -a passes over all that in silence' cp -a b.txt "$STACK/copy.txt"
ok 'and back' cp -a "$STACK/copy.txt" c.txt
is "$(xattr c.txt user.xdg.comment)" 'a comment, ünï' 'what is the user'"'"'s own came along'
isnt "$(xattr c.txt user.tenantfs.id)" "$id" 'the id did not'

# --- listing ---
list=$(getfattr b.txt 2>/dev/null)
for name in user.tenantfs.id user.tenantfs.sha256 user.mime_type user.xdg.comment user.empty; do
	like "$list" "(^|
)$name(
|\$)" "$name is listed"
done
for name in user.extract.text user.extract.data user.extract.metadata user.tenantfs.committed user.tenantfs.touch; do
	unlike "$list" "$name" "$name is not"
done
names=$(python3 -c "
import os
for i in range(2000):
    try: os.setxattr('b.txt', 'user.' + 'n' * 200 + str(i), b'')
    except OSError as e: print(i, e.errno); break
print(sum(len(n) + 1 for n in os.listxattr('b.txt')))")
like "$names" '^[0-9]+ 28' 'more names than a list may hold: ENOSPC'
ok 'and the list stays under 64 KiB' test "$(tail -n 1 <<<"$names")" -le 65536
fails_with 'No such attribute' 'what is not there' getfattr -n user.nothing c.txt

# --- the quota counts them ---
used=$(xattr "$tenant" user.tenant.used_bytes)
set_xattr c.txt user.counted "$(printf 'x%.0s' {1..1000})"
is "$(($(xattr "$tenant" user.tenant.used_bytes) - used))" $((1000 + 12)) 'name and value are charged'
setfattr -x user.counted c.txt
is "$(xattr "$tenant" user.tenant.used_bytes)" "$used" 'and given back'
fails_with 'quota' 'over the quota: EDQUOT' python3 -c "
import os
for i in range(40): os.setxattr('c.txt', 'user.big%d' % i, b'x' * 60000)"
rm -f c.txt

# --- the tenant ---
is "$(xattr "$tenant" user.tenant.code)" acme 'tenant: code'
is "$(xattr "$tenant" user.tenant.active)" 1 'active'
is "$(xattr "$tenant" user.tenant.quota_bytes)" 1048576 'quota'
is "$(xattr "$tenant" user.tenant.file_limit)" unlimited 'no limit'
is "$(xattr "$tenant" user.tenant.file_count)" "$(find "$month" -type f | wc -l)" 'file count'
ok 'configuration is JSON' jq -e . <<<"$(xattr "$tenant" user.tenant.config)"
ok 'stats are JSON' jq -e . <<<"$(xattr "$tenant" user.tenant.stats)"
ok 'rejections are JSON' jq -e . <<<"$(xattr "$tenant" user.tenant.rejections)"
fails_with 'not supported' 'and read-only' set_xattr "$tenant" user.tenant.code x

before=$(getfattr -d b.txt 2>/dev/null | grep -v 'user\.n')
cd / && stack_unmount && stack_mount
is "$(cd "$month" && getfattr -d b.txt 2>/dev/null | grep -v 'user\.n')" "$before" 'all of it survives a remount'
stack_unmount
stack_mount -o xattr_list=writable
like "$(getfattr "$month/b.txt" 2>/dev/null)" 'user.xdg.comment' 'xattr_list=writable lists what is the user'"'"'s own'
unlike "$(getfattr "$month/b.txt" 2>/dev/null)" 'user.tenantfs.id' 'and nothing else'
done_testing
