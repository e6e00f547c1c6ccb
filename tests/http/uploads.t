#!/bin/bash
# Chunked uploads and tus, against the real file system.
. "$(dirname "$0")/http.sh"
export APP_MAX_CHUNK_SIZE=100000
http_start mount extractd
python_checks chunked.py
python_checks tus.py
done_testing
