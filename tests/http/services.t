#!/bin/bash
# Extractions, datasets with the active file, scan jobs.
. "$(dirname "$0")/http.sh"
http_start mount extractd
python_checks extractions.py
python_checks datasets.py
python_checks scans.py
done_testing
