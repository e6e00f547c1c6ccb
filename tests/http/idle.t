#!/bin/bash
# Ten thousand connections that say nothing, and caps on connections.
. "$(dirname "$0")/http.sh"
http_start
python_checks idle.py "$(cat "$STACK/pid/httpshim")"
http_stop
export HTTP_CONNECTIONS_PER_ADDRESS=20 HTTP_CONNECTIONS=100
http_server && pass 'the server starts with small caps'
python_checks idle_caps.py
done_testing
