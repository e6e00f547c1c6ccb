#!/bin/bash
# Requests that are meant to confuse: two lengths, escapes, headers, tokens. No file system is needed for any of it.
. "$(dirname "$0")/http.sh"
export PUBLIC_URL='' CORS_ORIGINS=https://app.example.org HTTP_HEADER_TIMEOUT=10s
http_start
python_checks hostile.py
done_testing
