#!/bin/bash
# Clients that take their time: each phase of a request has a deadline, and what is cut off leaves nothing.
. "$(dirname "$0")/http.sh"
export HTTP_HEADER_TIMEOUT=2s HTTP_IDLE_TIMEOUT=4s HTTP_MIN_RATE=2000
http_start mount
python_checks slow.py
done_testing
