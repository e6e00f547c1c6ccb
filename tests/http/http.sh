# shellcheck shell=bash
# For tests/http/*.t: a stack with a server, and checks written in Python (support.py) told as TAP.

. "$(dirname "${BASH_SOURCE[0]}")/../lib/stack.sh"
HTTP_TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export HTTP_TESTS PYTHONPATH=$HTTP_TESTS PYTHONDONTWRITEBYTECODE=1 OPENAPI_ANSWERS=

# http_start PART...: the stack with two tenants, acme and beta, and a server. SETTING=value pairs come from the environment.
http_start() {
	stack_start redis "$@"
	stack_tenant acme
	stack_tenant beta
	export DEFAULT_TENANT=acme
	http_server || stack_give_up 'httpshim did not start'
	if [[ " $* " == *' mount '* ]]; then
		wait_until 30 test -d "$TENANTFS_MOUNT/acme/current" && wait_until 30 test -d "$TENANTFS_MOUNT/beta/current" ||
			stack_give_up 'the tenants did not appear'
	fi
}

# http_server: starts it, or starts it again on another port.
http_server() {
	OPENAPI_ANSWERS=$STACK/answers.jsonl
	stack_httpshim
}

http_stop() {
	service_stop "$STACK/pid/httpshim" 20
}

# python_checks FILE [ARGUMENT...]: every line that begins with "ok " or "not ok " is a check.
python_checks() {
	local line status
	while IFS= read -r line; do
		case $line in
		'ok '*) pass "${line#ok }" ;;
		'not ok '*) fail "${line#not ok }" ;;
		'# '*) diag "${line#\# }" ;;
		'exit '*) status=${line#exit } ;;
		*) diag "$line" ;;
		esac
	done < <(
		timeout -k 5 "${PYTHON_TIMEOUT:-240}" python3 -u "$HTTP_TESTS/$1" "${@:2}" 2>&1
		echo "exit $?"
	)
	((status == 0)) || fail "$1 ends well (exit code $status)"
}
