#!/usr/bin/env bash
# A worker that attacks: what it tries is refused or ends it, the file is marked, and the daemon and other jobs go on.
. "$(dirname "$0")/../lib/stack.sh"
. "$(dirname "$0")/../lib/extraction.sh"
stack_start redis
stack_tenant acme
stack_tenant other
stack_extractd -o WORKER_PATH="$HOSTILE_WORKER" -o WORKERS=2 -o EXTRACT_TIMEOUT=2s -o EXTRACT_MEMORY=128M -o EXTRACT_TEXT_LIMIT=1M \
	-o EXTRACT_DATA_LIMIT=1M -o EXTRACT_PAGES=100
DAEMON=$(service_pid "$STACK/pid/extractd")

# The text that an attack of a kind leaves behind when it was refused.
refused() {
	local name=$1 expected=$2
	shift 2
	job_put_text acme "attack $*"
	job_wait
	is "$(result_get extracted_text)" "refused: $expected" "$name"
}

# An attack that ends the worker: tried three times, then failed with the reason.
fails_for() {
	local pattern=$1 name=$2
	shift 2
	job_put_text acme "attack $*"
	ATTACKS+=("$JOB") PATTERNS+=("$pattern") NAMES+=("$name")
}

job_put_text other 'the secret of another tenant'
SECRET=$(stack_sql "SELECT path FROM object WHERE sha256 = '\\x$JOB'")
job_wait
is "$(result_get extracted_text)" 'the secret of another tenant' 'a harmless file is read'
is "$(result_get "status::text || extractor || confidence")" ctext1 'and completed by its extractor'
is "$(result_get "letters->>'E'")" 5 'with its letters counted'

# --- refused, and the extraction goes on ---
refused 'a file of the machine cannot be read' EACCES open /etc/passwd
refused 'nor a folder listed' EACCES list /
refused "nor another tenant's object opened" EACCES open "$STORAGE_BASE_PATH/other/$SECRET"
refused 'nor a file written' EACCES write "$STACK/written"
refused 'nor one removed' ENOSYS remove "$STACK/log/extractd"
refused 'the input cannot be opened for writing' EACCES reopen-input
refused "the parent's environment cannot be read" EACCES read-parent
refused 'no internet socket can be made' EPERM inet-socket
refused 'no unix socket can be made' EPERM unix-socket
refused 'no process can be made' EPERM fork
refused 'no thread can be made' EPERM thread
refused 'the parent cannot be killed' EPERM kill-parent
refused 'nor everyone' EPERM kill-everyone
refused 'limits cannot be lifted' EPERM lift-limits
refused 'nor the limits of others be set' ENOSYS limit-parent
refused 'no memory is writable and executable' ENOSYS writable-code
refused 'descriptors run out' EMFILE descriptors
job_put_text acme 'attack open /usr/share/fonts'
job_wait
is "$(result_get extracted_text)" SUCCEEDED 'what is allowed does work, so the refusals above are real'
nok 'nothing was written' test -e "$STACK/written"

# --- fatal; they run side by side ---
for attack in ptrace read-memory exec bpf io-uring unshare setuid; do
	fails_for '^the worker tried a forbidden system call \(attack, version 7\)$' "$attack kills the worker" $attack
done
fails_for 'crashed \(SIGSEGV\)' 'a crash is told' crash
fails_for 'crashed \(SIG(SEGV|ABRT)\)' 'an abort is told' abort
fails_for 'crashed \(SIGSEGV\)' 'endless recursion ends' recurse
fails_for 'needs more than 128 MiB of memory|needs more than' 'filling the memory ends' memory
fails_for 'too large a file' 'filling a file ends' file
fails_for 'took (longer|more) than' 'spinning ends' spin
fails_for 'took longer than' 'sleeping ends' sleep
for attack in unknown-type huge-length invalid-utf8 nul-byte broken-json nul-json array-json deep-json own-job behind-the-end; do
	fails_for 'something malformed' "$attack is told from an answer" $attack
done
for attack in endless-text endless-data endless-pages endless-warnings long-name; do
	fails_for 'more than is allowed' "$attack is stopped" $attack
done
fails_for 'ended early' 'half a frame is no answer' half-a-frame
fails_for 'ended early' 'silence is no answer' silence
fails_for 'something malformed' 'a worker that hangs up and stays is ended' closed-end
job_put_text other 'a file that is queued behind all of it'
GOOD=$JOB
ok 'all of them come to an end' wait_until 90 no_jobs_left
for i in "${!ATTACKS[@]}"; do
	like "$(job_get error "${ATTACKS[i]}")" "${PATTERNS[i]}" "${NAMES[i]}"
	is "$(job_get "state::text || failures" "${ATTACKS[i]}")" f2 '  and failed for good at the third try'
done
is "$(job_get state "$GOOD")" d 'a file of another tenant was read meanwhile'
is "$(result_get "status::text || coalesce(extracted_text, '')" "$(printf 'attack spin\n' | sha256sum | cut -d' ' -f1)")" f \
	'the failure is kept as a result'

# --- terminal at once ---
job_put_text acme 'attack encrypted'
job_wait
is "$(job_get "state::text || attempt || error")" 'f1encrypted: a password is needed' 'an encrypted file is not tried again'

# --- partial results ---
job_put_text acme 'attack pages-then-spin'
job_wait
is "$(job_get state)" d 'what finished pages gave before the time was up is a result'
is "$(result_get extracted_text)" $'the first page\nthe second page' 'with their text'
is "$(result_get pages)" '{0,15,31}' 'and where they begin'
like "$(result_get warnings)" 'only a part was read: took longer than' 'and a warning'
job_put_text acme 'attack pages-then-crash'
job_wait
is "$(job_get state)" f 'a crash behind two pages is a failure'
is "$(result_get "status::text || extracted_text")" $'fthe first page\nthe second page' 'that keeps what they gave'
job_put_text acme 'attack pages-without-end'
job_wait
is "$(job_get "state::text || attempt")" d1 'an extractor that heeds the time needs no second try'
like "$(result_get warnings)" 'time limit' 'and says that it was short'

# --- the OCR lane ---
job_put_text acme 'attack wants-ocr'
job_wait
is "$(job_get "state::text || lane::text")" do 'a file without text goes through the OCR lane'
is "$(result_get extracted_text)" 'recognised text' 'and has its text from there'
job_put_text acme 'attack crash-in-ocr'
job_wait
is "$(result_get "status::text || extracted_text")" 'cthe text that is there without OCR' 'when OCR fails the rest stays'
like "$(result_get warnings)" 'could not be recognised: the worker crashed' 'with a warning'

# --- the daemon ---
is "$(service_pid "$STACK/pid/extractd")" "$DAEMON" 'the daemon has survived it all'
is "$(grep -c 'the parent of the workers is gone' "$STACK/log/extractd")" 0 'and so has the zygote'
RSS=$(awk '/VmRSS/ { print $2 }' "/proc/$DAEMON/status")
ok "it has not kept what it was flooded with ($RSS KiB)" test "$RSS" -lt 65536
ok 'it ends at a word' stack_stop_extractd
is "$(pgrep -c -P "$DAEMON")" 0 'and leaves no worker'
done_testing
