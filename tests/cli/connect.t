#!/bin/bash
# What adminctl says when its settings or its database are not as they should be.
. "$(dirname "$0")/../lib/stack.sh"
stack_folder
stack_postgres || bail_out 'PostgreSQL did not start'

exits 2 'a database without the schema' adminctl tenant list
like "$OUTPUT" 'the database lacks [0-9]+ migration.*adminctl migrate' 'and it says what to run'
exits 1 'migrate --status finds them missing' adminctl migrate --status
exits 0 'migrate brings it up to date' adminctl migrate
like "$OUTPUT" '[0-9]+ migrations? applied' 'and it says so'
exits 0 'migrate again' adminctl migrate
like "$OUTPUT" 'newest schema' 'has nothing to do'
exits 0 'migrate --status is content' adminctl migrate --status
is "$(adminctl migrate --status --json | jq -r 'all(.is_applied)')" true 'also as JSON'
two=$( (adminctl migrate & adminctl migrate & wait) 2>&1)
unlike "$two" 'adminctl:' 'two that migrate at once do not disturb one another'

stack_sql "UPDATE schema_migration SET checksum = sha256('other') WHERE number = 1"
exits 2 'a migration that was applied with another text' adminctl migrate
like "$OUTPUT" 'another text' 'is told'
stack_sql "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
adminctl migrate >/dev/null
stack_sql "INSERT INTO schema_migration (number, name, checksum) VALUES (9999, 'future', sha256('x'))"
exits 2 'a database newer than the program' adminctl tenant list
like "$OUTPUT" 'newer than this adminctl' 'is told'
stack_sql 'DELETE FROM schema_migration WHERE number = 9999'

exits 2 'a server that is not there' env "DATABASE_URL=postgresql://x@/y?host=$STACK/nowhere" adminctl tenant list
like "$OUTPUT" 'cannot connect to PostgreSQL.*Is PostgreSQL running' 'and it says what to look at'
exits 2 'a database that is not there' env "DATABASE_URL=postgresql://tenantfs@/nothere?host=$STACK/run/postgres" adminctl tenant list
like "$OUTPUT" 'nothere' 'is named'
exits 64 'a DATABASE_URL that is none' env DATABASE_URL=mysql://root:geheim@localhost/x adminctl tenant list
unlike "$OUTPUT" 'geheim' 'and a password in it is not repeated'
exits 2 'a password is not repeated either when the server is away' \
	env "DATABASE_URL=postgresql://x:geheim@127.0.0.1:1/y" adminctl tenant list
unlike "$OUTPUT" 'geheim' 'indeed not'
exits 64 'no DATABASE_URL' env -u DATABASE_URL adminctl tenant list
like "$OUTPUT" 'DATABASE_URL' 'and it says which setting is missing'

stack_stop_postgres immediate
exits 2 'PostgreSQL stopped' adminctl tenant list
stack_postgres_start
exits 0 'and back' adminctl tenant list

# --- where settings come from ---
printf 'DATABASE_URL=postgresql+asyncpg://tenantfs@/tenantfs?host=%s # as a seed has it\nSOMETHING_ELSE=1\n' \
	"$STACK/run/postgres" >"$STACK/env"
exits 0 'a .env file of an older service works as it is' env -u DATABASE_URL adminctl --env-file "$STACK/env" tenant list
printf '[tenantfs]\nDATABASE_URL = postgresql://tenantfs@/tenantfs?host=%s\n' "$STACK/run/postgres" >"$STACK/conf"
exits 0 'a configuration file' env -u DATABASE_URL adminctl --config "$STACK/conf" tenant list
exits 0 'the environment wins over the file' adminctl --config "$STACK/conf" tenant list
exits 64 'an unknown name in the configuration file' bash -c "echo 'NONSENSE = 1' >>'$STACK/conf'; adminctl --config '$STACK/conf' tenant list"
like "$OUTPUT" 'NONSENSE' 'is named'
exits 64 'a configuration file that is not there' adminctl --config "$STACK/none" tenant list
like "$OUTPUT" "$STACK/none" 'is named'
exits 0 '--set wins over all' env DATABASE_URL=postgresql://x@/y?host=/nowhere adminctl --set "DATABASE_URL=$DATABASE_URL" tenant list
exits 64 '--set of an unknown name' adminctl --set NONSENSE=1 tenant list
exits 64 '--set without =' adminctl --set MAX_ZIP_DEPTH tenant list
exits 64 'a value out of bounds' env MAX_ZIP_DEPTH=100 adminctl tenant list
like "$OUTPUT" 'MAX_ZIP_DEPTH' 'is named'

exits 0 'config show' adminctl config show
like "$OUTPUT" 'DATABASE_URL +\*\*\*' 'hides secrets'
unlike "$OUTPUT" "$SECRET_KEY" 'all of them'
is "$(adminctl config show --json | jq -r '.[] | select(.name == "STORAGE_BASE_PATH") | .value')" "$STORAGE_BASE_PATH" 'config show --json'
exits 0 'config check is content' adminctl config check
exits 1 'config check finds what is missing' env -u SECRET_KEY adminctl config check
like "$OUTPUT" 'SECRET_KEY' 'and names it'
done_testing
