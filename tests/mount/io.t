#!/bin/bash
# Reading and writing in every way POSIX knows.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
stack_tenant acme --unrestricted
stack_mount || stack_give_up 'fusefs did not start'
month=$TENANTFS_MOUNT/acme/$MONTH
cd "$month" || exit 1

check() {
	local name=$1 output
	if output=$(timeout 60 python3 - 2>&1); then pass "$name"; else
		fail "$name"
		diag "$output"
	fi
}

head -c 3000000 /dev/urandom >"$STACK/bytes"
ok 'a file of three megabytes' cp "$STACK/bytes" big
ok 'reads back the same' cmp "$STACK/bytes" big
is "$(xattr big user.tenantfs.sha256)" "$(sha256sum <"$STACK/bytes" | cut -d' ' -f1)" 'its digest is right'
ok 'dd in odd pieces' dd if="$STACK/bytes" of=odd bs=1237 status=none
ok 'the same' cmp "$STACK/bytes" odd
is "$(xattr odd user.tenantfs.sha256)" "$(sha256sum <"$STACK/bytes" | cut -d' ' -f1)" 'the same digest'

check 'writes out of order' <<'PY'
import os, hashlib, random
data = open(os.environ['STACK'] + '/bytes', 'rb').read()
fd = os.open('order', os.O_CREAT | os.O_WRONLY)
pieces = list(range(0, len(data), 65536)); random.Random(1).shuffle(pieces)
for p in pieces: assert os.pwrite(fd, data[p:p + 65536], p) == len(data[p:p + 65536])
os.close(fd)
assert open('order', 'rb').read() == data
assert os.getxattr('order', 'user.tenantfs.sha256').decode() == hashlib.sha256(data).hexdigest()
PY
check 'a sparse file' <<'PY'
import os, hashlib
fd = os.open('sparse', os.O_CREAT | os.O_RDWR)
os.pwrite(fd, b'begin', 0); os.pwrite(fd, b'end', 10_000_000)
os.close(fd)
assert os.stat('sparse').st_size == 10_000_003
data = open('sparse', 'rb').read()
assert data[:5] == b'begin' and data[-3:] == b'end' and not any(data[5:10_000_000])
assert os.getxattr('sparse', 'user.tenantfs.sha256').decode() == hashlib.sha256(data).hexdigest()
fd = os.open('sparse', os.O_RDONLY)
assert os.lseek(fd, 0, os.SEEK_DATA) == 0
hole = os.lseek(fd, 0, os.SEEK_HOLE); assert 5 <= hole <= 65536, hole
assert os.lseek(fd, hole, os.SEEK_DATA) <= 10_000_000
assert os.lseek(fd, 10_000_000, os.SEEK_HOLE) == 10_000_003
try: os.lseek(fd, 10_000_003, os.SEEK_DATA); assert False
except OSError as e: assert e.errno == 6
PY
check 'truncate: shorter, longer, by path and by descriptor' <<'PY'
import os
open('t', 'wb').write(b'x' * 100_000)
os.truncate('t', 10); assert open('t', 'rb').read() == b'x' * 10
os.truncate('t', 20); assert open('t', 'rb').read() == b'x' * 10 + b'\0' * 10
f = open('t', 'r+b'); f.truncate(5); assert os.stat('t').st_size == 5
f.seek(0); assert f.read() == b'x' * 5
f.truncate(0); f.seek(0); f.write(b'new'); f.close()
assert open('t', 'rb').read() == b'new'
open('t', 'w').close(); assert os.stat('t').st_size == 0
PY
check 'overwriting in the middle, appending, rewriting: each close has the whole' <<'PY'
import os, hashlib
def check(want):
    assert open('m', 'rb').read() == want
    assert os.getxattr('m', 'user.tenantfs.sha256').decode() == hashlib.sha256(want).hexdigest()
open('m', 'wb').write(b'a' * 10000); check(b'a' * 10000)
f = open('m', 'r+b'); f.seek(5000); f.write(b'b'); f.close(); check(b'a' * 5000 + b'b' + b'a' * 4999)
f = open('m', 'ab'); f.write(b'c' * 10); f.close(); check(b'a' * 5000 + b'b' + b'a' * 4999 + b'c' * 10)
f = open('m', 'ab'); f.write(b'd'); f.flush(); os.close(os.dup(f.fileno())); f.write(b'e'); f.close()
check(b'a' * 5000 + b'b' + b'a' * 4999 + b'c' * 10 + b'de')
f = open('m', 'r+b'); f.seek(0, 2); f.write(b'tail'); f.seek(0); f.write(b'HEAD'); f.close()
check(b'HEAD' + b'a' * 4996 + b'b' + b'a' * 4999 + b'c' * 10 + b'de' + b'tail')
open('m', 'wb').write(b'short'); check(b'short')
PY
check 'a reader that stays open sees what a writer writes' <<'PY'
import os
open('r', 'w').write('before')
r = os.open('r', os.O_RDONLY); assert os.pread(r, 100, 0) == b'before'
w = os.open('r', os.O_WRONLY); os.pwrite(w, b'AFTER!!', 0)
assert os.pread(r, 100, 0) == b'AFTER!!', os.pread(r, 100, 0)
os.close(w); assert os.pread(r, 100, 0) == b'AFTER!!'
PY
check 'mappings: shared stores arrive, also after the descriptor was closed; private ones do not' <<'PY'
import mmap, os
open('map', 'wb').write(b'\0' * 20000)
f = open('map', 'r+b'); m = mmap.mmap(f.fileno(), 20000); f.close()
m[100:105] = b'hello'; m[19990:19995] = b'world'; m.flush(); m.close()
data = open('map', 'rb').read(); assert data[100:105] == b'hello' and data[19990:19995] == b'world'
f = open('map', 'rb'); m = mmap.mmap(f.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
m[0:3] = b'xxx'; m.close()
assert open('map', 'rb').read(3) == b'\0\0\0'
PY
check 'eight processes append, nothing is lost' <<'PY'
import os
pids = []
for n in range(8):
    pid = os.fork()
    if pid == 0:
        fd = os.open('log', os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        for i in range(50): os.write(fd, b'%d-%03d\n' % (n, i))
        os._exit(0)
    pids.append(pid)
for pid in pids: assert os.waitpid(pid, 0)[1] == 0
lines = open('log').read().split()
assert len(lines) == 400 and len(set(lines)) == 400, len(lines)
PY
check 'fallocate, holes and zeroes' <<'PY'
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long]
fd = os.open('alloc', os.O_CREAT | os.O_RDWR)
os.posix_fallocate(fd, 0, 50000); assert os.fstat(fd).st_size == 50000
assert libc.fallocate(fd, 1, 50000, 100000) == 0 and os.fstat(fd).st_size == 50000
os.pwrite(fd, b'y' * 50000, 0)
assert libc.fallocate(fd, 3, 4096, 8192) == 0
data = os.pread(fd, 60000, 0); assert data[4095:4096] == b'y' and not any(data[4096:12288]) and data[12288:12289] == b'y'
os.close(fd); assert open('alloc', 'rb').read() == data
fd = os.open('alloc', os.O_RDWR); assert libc.fallocate(fd, 3, 0, 4096) == 0; os.close(fd)
assert not any(open('alloc', 'rb').read(4096))
PY
check 'copy_file_range' <<'PY'
import os
src = os.open('big', os.O_RDONLY); dst = os.open('copy', os.O_CREAT | os.O_RDWR)
size = os.fstat(src).st_size; done = 0
while done < size: done += os.copy_file_range(src, dst, size - done)
os.close(dst)
assert open('big', 'rb').read() == open('copy', 'rb').read()
assert os.getxattr('big', 'user.tenantfs.sha256') == os.getxattr('copy', 'user.tenantfs.sha256')
PY
check 'locks hold between processes' <<'PY'
import fcntl, os
open('lock', 'w').close()
f = open('lock', 'r+'); fcntl.flock(f, fcntl.LOCK_EX)
g = open('lock', 'r+')
try: fcntl.flock(g, fcntl.LOCK_EX | fcntl.LOCK_NB); assert False
except BlockingIOError: pass
fcntl.lockf(f, fcntl.LOCK_EX)
if os.fork() == 0:
    try: fcntl.lockf(open('lock', 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB); os._exit(1)
    except OSError: os._exit(0)
assert os.wait()[1] == 0
PY
check 'O_EXCL, O_TRUNC, O_CREAT on what is there' <<'PY'
import os
open('e', 'w').write('content')
try: os.open('e', os.O_CREAT | os.O_EXCL | os.O_WRONLY); assert False
except FileExistsError: pass
os.close(os.open('e', os.O_CREAT | os.O_WRONLY)); assert open('e').read() == 'content'
os.close(os.open('e', os.O_TRUNC | os.O_WRONLY)); assert open('e').read() == ''
PY
check 'fifos, sockets, devices' <<'PY'
import os, socket, stat
os.mkfifo('fifo')
if os.fork() == 0:
    open('fifo', 'w').write('through'); os._exit(0)
assert open('fifo').read() == 'through'; os.wait()
s = socket.socket(socket.AF_UNIX); s.bind('sock'); assert stat.S_ISSOCK(os.stat('sock').st_mode)
if os.geteuid() == 0:
    os.mknod('null', stat.S_IFCHR | 0o600, os.makedev(1, 3)); st = os.stat('null')
    assert stat.S_ISCHR(st.st_mode) and (os.major(st.st_rdev), os.minor(st.st_rdev)) == (1, 3)
    try: open('null').read(); assert False, 'nodev'
    except PermissionError: pass
PY
check 'a listing neither misses nor repeats while names come and go' <<'PY'
import os
os.mkdir('many')
for i in range(500): open('many/keep%03d' % i, 'w').close()
seen = []
with os.scandir('many') as it:
    for n, e in enumerate(it):
        seen.append(e.name)
        if n % 10 == 0: open('many/new%d' % n, 'w').close()
        if n % 10 == 5: os.unlink('many/new%d' % (n - 5))
keep = [s for s in seen if s.startswith('keep')]
assert len(keep) == 500 and len(set(keep)) == 500, (len(keep), len(set(keep)))
PY
check 'a shell that writes in pieces' <<'PY'
import os, subprocess
subprocess.run('{ echo one; echo two; (echo three); /bin/echo four; } >shell.txt', shell=True, check=True)
assert open('shell.txt').read() == 'one\ntwo\nthree\nfour\n'
PY
cd / && wait_committed acme
is "$(adminctl fsck --json 2>&1 | jq -r '.findings | length' 2>/dev/null || adminctl fsck >/dev/null 2>&1 && echo 0)" 0 'fsck finds nothing'
done_testing
