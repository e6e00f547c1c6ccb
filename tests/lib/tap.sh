# shellcheck shell=bash
# The Test Anything Protocol for shell tests. A check prints `ok` or `not ok` and what was seen; the script goes on.

TAP_COUNT=0
TAP_FAILED=0
TAP_DONE=
exec 3>&1 # the protocol's way out, also where a check sends stdout elsewhere

diag() {
	printf '%s\n' "$*" | sed 's/^/# /' >&2
}

pass() {
	TAP_COUNT=$((TAP_COUNT + 1))
	printf 'ok %d - %s\n' "$TAP_COUNT" "${1//#/}" >&3
}

fail() {
	TAP_COUNT=$((TAP_COUNT + 1)) TAP_FAILED=$((TAP_FAILED + 1))
	printf 'not ok %d - %s\n' "$TAP_COUNT" "${1//#/}" >&3
	return 0
}

# ok NAME COMMAND...: the command succeeds (within a minute; functions run without that limit).
ok() {
	local name=$1 output status
	shift
	output=$(tap_run "$@" 2>&1)
	status=$?
	((status == 0)) && pass "$name" && return
	fail "$name"
	diag "exit code $status: $*"
	diag "${output:0:2000}"
}

# nok NAME COMMAND...: the command fails.
nok() {
	local name=$1
	shift
	if tap_run "$@" >/dev/null 2>&1; then
		fail "$name"
		diag "succeeded: $*"
	else
		pass "$name"
	fi
}

# fails_with PATTERN NAME COMMAND...: the command fails and says something that matches (an extended regular expression).
fails_with() {
	local pattern=$1 name=$2 output status
	shift 2
	output=$(tap_run "$@" 2>&1)
	status=$?
	((status != 0)) && [[ $output =~ $pattern ]] && pass "$name" && return
	fail "$name"
	diag "exit code $status: $*"
	diag "expected words like: $pattern"
	diag "${output:0:2000}"
}

# exits CODE NAME COMMAND...: the command ends with this exit code. What it said is in $OUTPUT.
exits() {
	local expected=$1 name=$2 status
	shift 2
	OUTPUT=$(tap_run "$@" 2>&1)
	status=$?
	((status == expected)) && pass "$name" && return
	fail "$name"
	diag "exit code $status instead of $expected: $*"
	diag "${OUTPUT:0:2000}"
}

tap_run() {
	if [[ $(type -t "$1") == file ]]; then
		timeout -k 2 60 "$@"
	else
		"$@"
	fi
}

# is GOT EXPECTED NAME
is() {
	[[ $1 == "$2" ]] && pass "$3" && return
	fail "$3"
	diag "     got: ${1:0:1000}"
	diag "expected: ${2:0:1000}"
}

# isnt GOT UNEXPECTED NAME
isnt() {
	[[ $1 != "$2" ]] && pass "$3" && return
	fail "$3"
	diag "got just that: ${1:0:1000}"
}

# like GOT PATTERN NAME: an extended regular expression.
like() {
	[[ $1 =~ $2 ]] && pass "$3" && return
	fail "$3"
	diag "     got: ${1:0:2000}"
	diag "expected words like: $2"
}

# unlike GOT PATTERN NAME
unlike() {
	[[ ! $1 =~ $2 ]] && pass "$3" && return
	fail "$3"
	diag "     got: ${1:0:2000}"
	diag "unwanted: $2"
}

# plan N: says beforehand how many checks there will be; else done_testing at the end.
plan() {
	printf '1..%d\n' "$1" >&3
	TAP_DONE=plan
}

done_testing() {
	[[ $TAP_DONE == plan ]] || printf '1..%d\n' "$TAP_COUNT" >&3
	TAP_DONE=yes
	((TAP_FAILED == 0))
	exit
}

# skip_all REASON: the whole script cannot run here.
skip_all() {
	printf '1..0 # SKIP %s\n' "$1" >&3
	TAP_DONE=yes
	exit 0
}

# skip NAME REASON: one check that cannot run here.
skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	printf 'ok %d - %s # SKIP %s\n' "$TAP_COUNT" "$1" "$2" >&3
}

bail_out() {
	printf 'not ok %d - %s\n' "$((TAP_COUNT + 1))" "$1" >&3
	printf '1..%d\n' "$((TAP_COUNT + 1))" >&3
	TAP_DONE=yes
	exit 1
}

# tap_end STATUS: for exit traps; a script that ended without its plan is told apart from one that passed.
tap_end() {
	if [[ -z $TAP_DONE ]]; then
		diag "ended before done_testing, exit code $1"
		exit $(($1 ? $1 : 1))
	fi
	exit "$1"
}
