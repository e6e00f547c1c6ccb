#!/bin/bash
# packaging/tenantfs.conf: every setting stands in it, with the default the programs have.
. "$(dirname "$0")/../lib/stack.sh"
stack_folder

sample=$TOP/packaging/tenantfs.conf
plain() { env -i PATH="$PATH" "$@"; }
# NAME=value of all that is behind a #, and of nothing else.
commented() { sed -n 's/^#\([A-Z_]*\) = \{0,1\}\(.*\)$/\1=\2/p;s/^#\([A-Z_]*\) =$/\1=/p' "$sample" | sort -u; }
given() { sed -n 's/^\([A-Z_]*\) = .*/\1/p' "$sample" | sort; }
defaults() { plain adminctl config show --json --config /dev/null | jq -r '.[] | "\(.name)=\(.value)"' | sort; }

is "$(comm -23 <(commented) <(defaults))" '' 'what is behind a # is the default'
is "$(comm -13 <(commented | cut -d= -f1 | cat - <(given) | sort) <(defaults | cut -d= -f1))" '' 'no setting is missing'
is "$(given | tr '\n' ' ')" 'DATABASE_URL REDIS_URL STORAGE_BASE_PATH TENANTFS_MOUNT ' 'only what has no default is given'
sed 's/^#SECRET_KEY =/SECRET_KEY = 0123456789abcdef0123456789abcdef/' "$sample" >"$STACK/tenantfs.conf"
chmod 0600 "$STACK/tenantfs.conf"
ok 'it is all that the programs need, with a SECRET_KEY' plain adminctl config check --config "$STACK/tenantfs.conf"
sed 's/^#\([A-Z_]* = .\)/\1/' "$STACK/tenantfs.conf" >"$STACK/all.conf"
chmod 0600 "$STACK/all.conf"
ok 'every default can be written as it stands' plain adminctl config check --config "$STACK/all.conf"
done_testing
