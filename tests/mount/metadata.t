#!/bin/bash
# Modes, owners, times; the setgid folder; what a write does to setuid.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
stack_tenant acme --unrestricted --mode 0777
stack_mount || stack_give_up 'fusefs did not start'
month=$TENANTFS_MOUNT/acme/$MONTH
cd "$month" || exit 1

echo x >f
ok 'chmod' chmod 6751 f
is "$(stat -c %a f)" 6751 'is kept'
ok 'times' touch -d '2001-02-03T04:05:06.123456789Z' f
is "$(stat -c %y f)" '2001-02-03 04:05:06.123456789 +0000' 'to the nanosecond'
ok 'times before 1970' touch -d '1965-01-01T00:00:00.5Z' f
is "$(stat -c %y f)" '1965-01-01 00:00:00.500000000 +0000' 'too'
before=$(stat -c %Z f)
sleep 1.1
chmod 644 f
isnt "$(stat -c %Z f)" "$before" 'chmod moves ctime'
mtime=$(stat -c %Y .)
sleep 1.1
touch new
isnt "$(stat -c %Y .)" "$mtime" 'a new name moves the mtime of its folder'
mkdir -m 1777 sticky
is "$(stat -c %a sticky)" 1777 'mkdir takes the mode'
is "$(umask 027; touch masked; stat -c %a masked)" 640 'the umask counts'
touch -a -d '2001-01-01' f
cat f >/dev/null
is "$(stat -c %x f | cut -c 1-4)" "$(date -u +%Y)" 'reading moves an old atime'

if ((EUID == 0)); then
	ok 'chown' chown 1234:2345 f
	is "$(stat -c %u:%g f)" 1234:2345 'is kept'
	chmod 6755 f
	chown 1:1 f
	is "$(stat -c %a f)" 755 'chown takes setuid and setgid away'
	chmod 4777 f
	setpriv --reuid 1000 --regid 1000 --clear-groups sh -c 'echo y >>f'
	is "$(stat -c %a f)" 777 'so does a write by another user'
	mkdir -m 2777 group
	chgrp 777 group
	setpriv --reuid 1000 --regid 1000 --clear-groups sh -c 'touch group/file; mkdir group/sub'
	is "$(stat -c %u:%g group/file)" 1000:777 'a setgid folder gives its group'
	is "$(stat -c %g:%a group/sub | cut -c 1-5)" 777:2 'and its bit to folders'
	chmod 0700 .
	fails_with 'denied' 'another user has no way in' setpriv --reuid 1000 --regid 1000 --clear-groups cat "$month/f"
	chmod 0777 .
	echo secret >private && chmod 600 private
	fails_with 'denied' 'nor to a file that is not his' setpriv --reuid 1000 --regid 1000 --clear-groups cat private
	fails_with 'permitted' 'nor may he change its mode' setpriv --reuid 1000 --regid 1000 --clear-groups chmod 666 private
	fails_with 'permitted' 'the sticky bit holds' sh -c 'touch sticky/mine && setpriv --reuid 1000 --regid 1000 --clear-groups rm -f sticky/mine'
	cp /bin/id setuid && chmod 4755 setuid && chown 1:1 setuid && chmod 4755 setuid
	is "$(setpriv --reuid 1000 --regid 1000 --clear-groups ./setuid -u)" 1000 'setuid has no effect: nosuid'
fi
fails_with 'permitted' 'the mode of the tenant folder is for adminctl' chmod 700 "$TENANTFS_MOUNT/acme"

stat -c '%n %a %u %g %Y %s %F %h' -- * | sort >"$STACK/before"
cd / && stack_unmount && stack_mount
(cd "$month" && stat -c '%n %a %u %g %Y %s %F %h' -- * | sort) >"$STACK/after"
ok 'all of it survives a remount' diff "$STACK/before" "$STACK/after"
done_testing
