#!/bin/bash
# rename, hard links, symbolic links, files unlinked while open.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
stack_tenant acme --unrestricted
stack_tenant other --unrestricted
stack_mount || stack_give_up 'fusefs did not start'
month=$TENANTFS_MOUNT/acme/$MONTH
cd "$month" || exit 1

# --- rename ---
echo one >a.txt
echo two >b.txt
ok 'rename' mv a.txt c.txt
is "$(cat c.txt)" one 'keeps the content'
nok 'the old name is gone' test -e a.txt
exec 5<b.txt
ok 'rename over an open file' mv -f c.txt b.txt
is "$(cat <&5)" two 'the open one keeps its bytes'
is "$(cat b.txt)" one 'the name has the new ones'
exec 5<&-
mkdir d e d/sub
echo x >d/sub/f.txt
ok 'rename a folder into another' mv d/sub e/
is "$(cat e/sub/f.txt)" x 'what was in it came along'
is "$(stat -c %h d) $(stat -c %h e)" '2 3' 'link counts of folders follow'
fails_with 'not empty' 'a folder is not renamed over one that is not empty' mv -T d e
ok 'but over an empty one' mv -T e d
fails_with 'subdirectory|Invalid' 'a folder cannot go below itself' mv d d/sub/
fails_with 'cross-device|Invalid cross' 'a rename to another tenant is EXDEV' python3 -c "import os; os.rename('b.txt', '../../other/$MONTH/b.txt')"
fails_with 'cross-device|Invalid cross' 'a link too' ln b.txt "../../other/$MONTH/b.txt"
ok 'mv copies instead' mv b.txt "../../other/$MONTH/b.txt"
is "$(cat "../../other/$MONTH/b.txt")" one 'with the bytes'

rename2() {
	python3 - "$@" <<-'PY'
		import ctypes, os, sys
		libc = ctypes.CDLL(None, use_errno=True)
		if libc.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), int(sys.argv[3])):
		    print(os.strerror(ctypes.get_errno()))
		    sys.exit(1)
	PY
}
echo 1 >x.txt
echo 2 >y.txt
fails_with 'exists' 'RENAME_NOREPLACE keeps what is there' rename2 x.txt y.txt 1
ok 'RENAME_EXCHANGE' rename2 x.txt y.txt 2
is "$(cat x.txt y.txt | tr '\n' ' ')" '2 1 ' 'exchanges'
ok 'of a file and a folder too' rename2 x.txt d 2
is "$(cat d) $(ls x.txt)" '2 sub' 'exchanges'
fails_with 'No such' 'both must exist' rename2 y.txt nothing 2

# --- a file written under a working name, then renamed while open ---
python3 - <<'PY'
import os
open('target.txt', 'w').write('old')
f = open('.target.tmp', 'w')
f.write('new'); f.flush()
os.rename('.target.tmp', 'target.txt')
assert open('target.txt').read() == 'new', 'the new name shows what is written so far'
f.write(' and more'); f.close()
assert open('target.txt').read() == 'new and more'
PY
is $? 0 'rename over a name while the source is still written'
is "$(cat target.txt)" 'new and more' 'all that was written is there'

# --- hard links ---
echo linked >one.txt
ok 'a hard link' ln one.txt two.txt
is "$(stat -c '%h %i' one.txt)" "$(stat -c '%h %i' two.txt)" 'both are the same file'
echo more >>two.txt
is "$(cat one.txt)" $'linked\nmore' 'what is written to one is read from the other'
ok 'unlink one' rm one.txt
is "$(stat -c %h two.txt) $(head -n 1 two.txt)" '1 linked' 'the other stays'
fails_with 'not allowed|permitted' 'no links to folders' ln -d x.txt hard
ok 'a rename of one link over the other does nothing' python3 -c "import os; os.link('two.txt', 'three.txt'); os.rename('two.txt', 'three.txt')"
is "$(stat -c %h two.txt)" 2 'both stay'
rm two.txt

# --- symbolic links ---
ok 'a symbolic link' ln -s target.txt link
is "$(readlink link) $(cat link)" 'target.txt new and more' 'is followed'
ok 'may dangle' ln -s /nowhere/at/all dangling
is "$(readlink dangling)" /nowhere/at/all 'and is kept as it is'
long=$(printf 'x%.0s' {1..4095})
ok 'a target of 4095 bytes' ln -s "$long" long
is "$(readlink long)" "$long" 'comes back whole'

# --- unlinked while open ---
python3 - <<'PY'
import os
f = open('gone.txt', 'w+')
f.write('still '); f.flush()
os.unlink('gone.txt')
f.write('here'); f.flush()
f.seek(0)
assert f.read() == 'still here'
assert os.fstat(f.fileno()).st_nlink == 0
assert not os.path.exists('gone.txt')
open('kept.txt', 'w').write('published')
g = open('kept.txt')
os.unlink('kept.txt')
assert g.read() == 'published'
os.mkdir('dir'); d = os.open('dir', os.O_RDONLY); os.rmdir('dir')
assert os.listdir(d) == []
try:
    os.open('x', os.O_CREAT | os.O_WRONLY, dir_fd=d); raise SystemExit('created in a removed folder')
except FileNotFoundError:
    pass
PY
is $? 0 'a file unlinked while open stays readable and writable, a removed folder empty'
wait_committed acme
is "$(stack_sql 'SELECT count(*) FROM node WHERE nlink = 0')" 0 'nothing of them is left in the database'

cd / && stack_unmount && stack_mount
is "$(cat "$month/target.txt")" 'new and more' 'after a remount: what was renamed over'
is "$(readlink "$month/long")" "$long" 'the long link'
is "$(stat -c %h "$month/three.txt")" 1 'the link count'
is "$(ls "$month/x.txt")" sub 'the folder that changed places'
done_testing
