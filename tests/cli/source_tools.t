#!/bin/bash
# The generators of sql/ and the checks of packaging/lint/ find what they are there for.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"
here=$(mktemp -d /tmp/source-tools.XXXXXXXX) || exit 1
trap 'rm -rf "$here"; tap_end "$?"' EXIT
cd "$here" || exit 1
mkdir -p sql/queries sql/migrations out

# says WORDS COMMAND...: it fails and says the words.
says() {
	local words=$1 output
	shift
	output=$("$@" 2>&1) && return 1
	[[ $output == *"$words"* ]] || { echo "$output" && return 1; }
}

# --- queries ---
query() {
	rm -f sql/queries/*
	cat >"sql/queries/$1.sql"
}
generate() {
	"$top/sql/generate-queries" out sql/queries/*.sql
}

ok 'no query at all is enough for a table' "$top/sql/generate-queries" out
ok 'and for a header that compiles' cc -std=gnu17 -Wall -Wextra -Werror -fsyntax-only out/queries.c

query one <<'E_'
-- one: the first.
-- in: nothing   out: text
-- Backslash \ and "quotes" stay.
SELECT E'a\\b' || '"x"'; -- done
E_
ok 'a query becomes a constant' generate
ok 'with its own lines in the text' grep -qF '"SELECT E'\''a\\\\b'\'' || '\''\"x\"'\''; -- done\n"' out/queries.c
ok 'that compiles' cc -std=gnu17 -Wall -Wextra -Werror -Iout -fsyntax-only out/queries.c
before=$(stat -c %Y%i out/queries.h)
query one <<<$'-- one: the first.\n-- in: nothing   out: text\nSELECT 2;'
ok 'another text' generate
is "$(stat -c %Y%i out/queries.h)" "$before" 'leaves the header of constants untouched'

query two <<<$'-- one: of another name.\n-- in: nothing   out: n\nSELECT 1;'
ok 'a name that is not the file'\''s is refused' says 'two.sql:1: the first line must be' generate
query two <<<$'-- two: something.\n-- out: n\nSELECT 1;'
ok 'so is a header without in' says 'no "-- in:" line' generate
query two <<<$'-- two: something.\n-- in: nothing\nSELECT 1;'
ok 'and one without out' says 'no "out:"' generate
query two <<<$'-- two: something.\n-- in: nothing   out: n\nSELECT 1;\nSELECT 2;'
ok 'and a second statement' says 'two.sql:4: a second statement' generate
query two <<<$'-- two: something.\n-- in: nothing   out: n\nSELECT 1'
ok 'and a statement without its end' says 'no ";"' generate
query Two <<<$'-- Two: something.\n-- in: nothing   out: n\nSELECT 1;'
ok 'and a name in capitals' says 'lower-case' generate

# --- migrations ---
migration() {
	cat >"sql/migrations/$1.sql"
}
embed() {
	"$top/sql/generate-migrations" out/migrations.c sql/migrations/*.sql
}
migration 0001_core <<<'CREATE TABLE tenant (tenant_id bigint PRIMARY KEY);'
migration 0002_more <<<'CREATE TABLE node (tenant_id bigint, inode bigint, PRIMARY KEY (tenant_id, inode));'
ok 'migrations are embedded' embed
is "$(grep -c '^	{[12], ' out/migrations.c)" 2 'each with its number'
migration 0002_again <<<'SELECT 1;'
ok 'a number given twice is refused' says 'a number is given once' embed
rm sql/migrations/0002_again.sql
migration 0003_wrong <<<$'BEGIN;\nSELECT 1;'
ok 'so is a transaction of its own' says 'one transaction already' embed
rm sql/migrations/0003_wrong.sql

# --- one tenant a statement ---
check_sql() {
	"$top/packaging/lint/check-sql"
}
query good <<'E_'
-- good: bound on every level.
-- in: tenant_id, inode   out: n
SELECT (SELECT count(*) FROM node m WHERE m.tenant_id = $1 AND m.inode > n.inode)
  FROM node n
  JOIN node o USING (tenant_id, inode)
  JOIN node p ON p.tenant_id = n.tenant_id AND p.inode = o.inode
 WHERE n.tenant_id = $1 AND n.inode = $2;
E_
ok 'a query bound to its tenant passes' check_sql
query bad <<<$'-- bad: all of them.\n-- in: nothing   out: n\nSELECT inode FROM node;'
ok 'one without WHERE does not' says 'bad.sql:3: node is not bound by tenant_id' check_sql
query bad <<<$'-- bad: late.\n-- in: tenant_id   out: n\nSELECT inode FROM node WHERE inode = $2 AND tenant_id = $1;'
ok 'nor one that names the tenant late' says 'WHERE names inode before tenant_id' check_sql
query bad <<<$'-- bad: join.\n-- in: tenant_id   out: n\nSELECT 1 FROM node n JOIN node m ON m.inode = n.inode WHERE n.tenant_id = $1;'
ok 'nor one that joins without it' says 'node is not bound by tenant_id' check_sql
query bad <<<$'-- bad: inside.\n-- in: tenant_id   out: n\nDELETE FROM node WHERE tenant_id = $1 AND EXISTS (SELECT 1 FROM node m WHERE m.inode = 1);'
ok 'nor one that forgets it deeper inside' says 'bad.sql:3: node is not bound by tenant_id' check_sql
query bad <<<$'-- bad: insert.\n-- in: tenant_id   out: n\nINSERT INTO node (inode, tenant_id) VALUES ($1, $2);'
ok 'nor an insert that names it late' says 'INSERT INTO node must name tenant_id first' check_sql
query all <<<$'-- all: the sweep.\n-- in: nothing   out: n\n-- every tenant: the sweep is about the machine.\nSELECT inode FROM node;'
ok 'one that says why may see all' check_sql
migration 0002_more <<<'CREATE TABLE node (inode bigint PRIMARY KEY, tenant_id bigint); CREATE INDEX i ON node (inode);'
ok 'a key that does not begin with the tenant is found' says 'the primary key must begin with tenant_id' check_sql
ok 'and an index' says 'index i must begin with tenant_id' check_sql

# --- C ---
check_c() {
	"$top/packaging/lint/check-c" "$1"
}
mkdir -p shared/base shared/db extractd/worker fusefs
source_file() {
	cat >"$1"
	check_c "$1"
}
ok 'a decent file passes' source_file shared/base/a.c <<<$'#include "shared/base/log.h"\n/* strcpy(a, b); "SELECT 1" */\nint f(void)\n{\n\treturn 0;\n}'
ok 'a banned call is found' says 'strcpy() is banned' source_file shared/base/a.c <<<$'void f(void)\n{\n\tstrcpy(a, b);\n}'
ok 'an include upwards is found' says 'may not include shared/db/db.h' source_file shared/base/a.c <<<'#include "shared/db/db.h"'
ok 'and one into another program' says 'may not include adminctl/x.h' source_file fusefs/a.c <<<'#include "adminctl/x.h"'
ok 'the worker gets no database' says 'may not include shared/config/config.h' source_file extractd/worker/a.c <<<'#include "shared/config/config.h"'
ok 'SQL is found' says 'a.c:1: SQL belongs' source_file fusefs/a.c <<<'const char *sql = "SELECT 1";'
ok 'but BEGIN is none' source_file shared/db/a.c <<<'const char *sql = "BEGIN";'
ok 'what is left for later is found' says 'nothing is left' source_file fusefs/a.c <<<'/* TO''DO: later */'
ok 'a long function is found' says 'f() has 104 lines' source_file fusefs/a.c < <(printf 'void f(void)\n{\n' && printf '\tg();\n%.0s' {1..102} && echo '}')
ok 'and a long file' says '601 lines; 600 at most' source_file fusefs/a.c < <(printf '/* */\n%.0s' {1..601})
ok 'a header without a guard is found' says 'no #pragma once' source_file fusefs/a.h <<<'int f(void);'
done_testing
