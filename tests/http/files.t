#!/bin/bash
# Files and tenants over HTTP, against the real file system: what is stored is there, what is refused is gone.
. "$(dirname "$0")/http.sh"
http_start mount extractd
python_checks files.py
python_checks downloads.py
python_checks tenants.py
done_testing
