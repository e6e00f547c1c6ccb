# see docs/hacking.md
