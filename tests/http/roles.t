#!/bin/bash
# Every route with every role, in the caller's own tenant and in another's; the list of routes is the server's own.
. "$(dirname "$0")/http.sh"
http_start mount extractd
python_checks roles.py
done_testing
