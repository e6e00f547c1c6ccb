#!/bin/bash
# Content against the rules: early and at close; what is refused is gone, what was there stays.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
stack_tenant acme --max-size 100k --max-zip-depth 1
stack_tenant archives --max-zip-depth 1
stack_mount || stack_give_up 'fusefs did not start'
tenant=$TENANTFS_MOUNT/acme
month=$tenant/$MONTH
work=$STACK/work
mkdir "$work"
cd "$work" || exit 1

# refused ERROR FILE NAME: copying the file in fails with the error, and nothing of it stays.
refused() {
	local error=$1 file=$2 name=$3
	fails_with "$error" "$name" cp "$file" "$month/$(basename "$file")"
	ok '  and nothing stays' wait_until 5 test ! -e "$month/$(basename "$file")"
	ok '  in the listing either' sh -c "! ls '$month' | grep -qxF '$(basename "$file")'"
}

printf '%%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%%%EOF\n' >good.pdf
ok 'a PDF' cp good.pdf "$month/"
cp /bin/true program.pdf
truncate -s 60000 program.pdf
refused 'not permitted' program.pdf 'an executable called .pdf'
like "$(xattr "$tenant" user.tenant.rejections)" 'media_type' 'the rule is recorded'
like "$(xattr "$tenant" user.tenant.rejections)" 'program.pdf' 'with the name'
like "$(cat "$STACK/log/fusefs")" 'refused.*program.pdf' 'and logged'
is "$(grep -c 'refused.*program.pdf' "$STACK/log/fusefs")" 1 'once'
printf '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\2\0\0\0' >image.pdf
refused 'not permitted' image.pdf 'an image called .pdf'
python3 - "$month/early.pdf" <<'PY'
import os, sys
fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
try: os.write(fd, open('/bin/true', 'rb').read(4096)); sys.exit(1)
except PermissionError: pass
PY
is $? 0 'the write that shows it fails already'
python3 - "$month/late.pdf" <<'PY'
import os, sys
fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
data = open('/bin/true', 'rb').read(4096)
os.pwrite(fd, data[16:], 16); os.pwrite(fd, data[:16], 0) if False else os.pwrite(fd, data[8:16], 8)
try:
    os.pwrite(fd, data[:8], 0)
    os.close(fd); sys.exit(1)
except PermissionError: pass
PY
is $? 0 'written backwards it fails at the last write or at close'

# --- size ---
head -c 102400 /dev/zero | tr '\0' x >exact.txt
ok 'exactly the largest size' cp exact.txt "$month/"
head -c 102401 /dev/zero | tr '\0' x >large.txt
refused 'too large' large.txt 'one byte more'
fails_with 'too large' 'truncate beyond it' truncate -s 102401 "$month/exact.txt"
is "$(stat -c %s "$month/exact.txt")" 102400 'changed nothing'
fails_with 'too large' 'an append beyond it' dd if=/etc/hostname of="$month/exact.txt" oflag=append conv=notrunc
sleep 0.3
ok 'leaves what was published' cmp exact.txt "$month/exact.txt"
fails_with 'too large' 'a sparse file beyond it' dd if=/dev/null of="$month/sparse.txt" bs=1 seek=200k

# --- archives ---
cat >make.py <<'PY'
import io, zipfile, sys
def zipped(name, data, compress=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', compress) as z: z.writestr(name, data)
    return out.getvalue()
one = zipped('a.txt', b'hello')
open('depth0.zip', 'wb').write(one)
two = zipped('one.zip', one); open('depth1.zip', 'wb').write(two)
open('depth2.zip', 'wb').write(zipped('two.zip', two))
open('bomb.zip', 'wb').write(zipped('zeros', b'\0' * 1_000_000_000, zipfile.ZIP_DEFLATED))
open('cut.zip', 'wb').write(zipped('a.txt', b'hello' * 1000)[:900])
open('nozip.docx', 'wb').write(b'this is no document at all, just text that says it is one\n' * 20)
open('truncated.pdf', 'wb').write(open('good.pdf', 'rb').read()[:20])
PY
python3 make.py
ok 'an archive' cp depth0.zip "$month/"
ok 'an archive in an archive, at the depth allowed' cp depth1.zip "$month/"
refused 'not permitted' depth2.zip 'nested one deeper'
like "$(xattr "$tenant" user.tenant.rejections)" 'archive_depth' 'by the rule of depth'
fails_with 'not permitted' 'a bomb' cp bomb.zip "$TENANTFS_MOUNT/archives/$MONTH/"
ok 'does not stay' wait_until 5 test ! -e "$TENANTFS_MOUNT/archives/$MONTH/bomb.zip"
like "$(xattr "$TENANTFS_MOUNT/archives" user.tenant.rejections)" 'archive_bomb' 'by its rule'
refused 'not permitted' cut.zip 'a corrupt archive'
ok 'a DOCX that is no zip but text contradicts nothing: extraction will say what it is' cp nozip.docx "$month/"
ok 'a truncated PDF is a PDF' cp truncated.pdf "$month/"
ok 'an empty file passes every rule' cp /dev/null "$month/empty.pdf"

# --- a refused change leaves what was published ---
fails_with 'not permitted' 'a good file overwritten by an executable' cp program.pdf "$month/good.pdf"
sleep 0.3
ok 'is as it was' cmp good.pdf "$month/good.pdf"
is "$(xattr "$month/good.pdf" user.tenantfs.sha256)" "$(sha256sum <good.pdf | cut -d' ' -f1)" 'with its digest'

# --- rename and link are judged too ---
cp /bin/true "$month/.tool" 2>/dev/null
if [[ -e $month/.tool ]]; then
	fails_with 'not permitted' 'a rename to .pdf judges the content again' mv "$month/.tool" "$month/tool.pdf"
	fails_with 'not permitted' 'a link too' ln "$month/.tool" "$month/tool.pdf"
else
	pass 'an executable is refused under any name'
fi
cp exact.txt "$month/.exact"
ok 'text renamed to .pdf contradicts nothing' mv "$month/.exact" "$month/text.pdf"

# --- nothing is charged for what was refused ---
wait_committed acme
is "$(xattr "$tenant" user.tenant.file_count)" "$(find "$month" -type f | wc -l)" 'file count'
is "$(xattr "$tenant" user.tenant.used_bytes)" "$(find "$month" -type f -printf '%s\n' | awk '{ s += $1 } END { print s + 0 }')" 'bytes'
is "$(stack_sql "SELECT used_bytes FROM tenant_usage JOIN tenant USING (tenant_id) WHERE code = 'acme'")" "$(xattr "$tenant" user.tenant.used_bytes)" 'the database agrees'
is "$(find "$STORAGE_BASE_PATH/.tenantfs/spool" -type f | wc -l)" 0 'no spool is left'
objects=$(stack_sql "SELECT count(*) FROM object JOIN tenant USING (tenant_id) WHERE code = 'acme'")
ok 'as many objects on disk as in the database' wait_until 5 sh -c "test \$(find '$STORAGE_BASE_PATH/acme' -type f | wc -l) -eq $objects"
like "$(stack_sql "SELECT string_agg(DISTINCT kind, ' ') FROM outbox")" 'file.rejected' 'events tell of refusals'
done_testing
