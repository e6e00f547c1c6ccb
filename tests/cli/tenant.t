#!/bin/bash
# adminctl tenant: every command, every option, every error.
. "$(dirname "$0")/../lib/stack.sh"
stack_start

show() { adminctl tenant show "$1" --json | jq -r "$2"; }

# --- create ---
exits 0 'create' adminctl tenant create acme
is "$(show acme .file_count)" 0 'a new tenant holds nothing'
is "$(show acme .storage_quota_bytes)" null 'and has no quota'
is "$(show acme '.configuration | length')" 0 'its rules are those of the instance'
is "$(show acme '.mode')" 0770 'its folder is 0770'
exits 4 'a code that is taken' adminctl tenant create acme
like "$OUTPUT" 'there is a tenant acme already' 'is told'
for code in '' . .. -a _a 'a b' a/b ä 2026-11 current .id .stats "$(printf 'a%.0s' {1..64})"; do
	exits 64 "no tenant code: '$code'" adminctl tenant create -- "$code"
done
exits 0 'a code of 63 characters' adminctl tenant create "$(printf 'a%.0s' {1..63})"
exits 0 'codes differ by case' adminctl tenant create ACME

exits 0 'create with everything' adminctl tenant create full --name 'Ünï "quoted"' --description $'two\nlines' --inactive \
	--quota 10G --files 100k --owner 1234:5678 --mode 2750 --allow '.pdf, CSV,txt' --deny exe --allow-type application/pdf,text/csv \
	--deny-type image/png --max-size 1.5M --max-zip-depth 2 --retention-days 30
is "$(show full .name)" 'Ünï "quoted"' 'name'
is "$(show full .description)" $'two\nlines' 'description'
is "$(show full .is_active)" false 'inactive'
is "$(show full .storage_quota_bytes)" 10737418240 'quota, in units of 1024'
is "$(show full .file_count_limit)" 100000 'files, in units of 1000'
is "$(show full '"\(.owner_uid):\(.owner_gid)"')" 1234:5678 'owner and group'
is "$(show full .mode)" 2750 'mode'
is "$(show full '.configuration.allowed_extensions | length')" 3 'allowed extensions'
is "$(show full '.configuration.denied_extensions | length')" 1 'denied extensions'
is "$(show full '.configuration.allowed_media_types | join(" ")')" 'application/pdf text/csv' 'allowed media types'
is "$(show full '.configuration.denied_media_types | join(" ")')" image/png 'denied media types'
is "$(show full .configuration.max_file_size)" 1572864 'largest file'
is "$(show full .configuration.max_zip_depth)" 2 'archive depth'
is "$(show full .configuration.retention_days)" 30 'retention'
exits 0 'create --unrestricted' adminctl tenant create free --unrestricted
is "$(show free '.configuration')" $'{\n  "unrestricted": true\n}' 'nothing else is set'
exits 0 'options beside --unrestricted win' adminctl tenant create free2 --unrestricted --max-zip-depth 1
is "$(show free2 '.configuration | "\(.unrestricted) \(.max_zip_depth)"')" 'true 1' 'indeed'
exits 0 'unrestricted at last' adminctl tenant set free2 --unrestricted --max-size none
is "$(show free2 '.configuration | "\(.unrestricted) \(.max_zip_depth) \(.max_file_size)"')" 'true null 0' 'forgets the rules it had'
exits 0 'restricted again' adminctl tenant set free2 --restricted --allow pdf
is "$(show free2 '.configuration | keys | join(" ")')" allowed_extensions 'leaves what is named beside it'

# --- values that make no sense ---
for option in '--quota x' '--quota -1' '--files 1.5.5' '--owner nobody-of-that-name' '--owner root:no-group-of-that-name' '--mode 8' \
	'--mode 77777' '--max-size huge' '--max-zip-depth -1' '--max-zip-depth 100' '--retention-days x' '--configuration {' \
	'--configuration []' '--active --inactive' '--restricted --unrestricted' $'--name \xff'; do
	read -r -a words <<<"$option"
	exits 64 "create $option" adminctl tenant create wrong "${words[@]}"
done
exits 64 'a rule that is none' adminctl tenant create wrong --configuration '{"nonsense": 1}'
exits 3 'nothing was created by those' adminctl tenant show wrong

# --- set ---
exits 0 'set one thing' adminctl tenant set full --quota 5k
is "$(show full .storage_quota_bytes)" 5120 'it is set'
is "$(show full .file_count_limit)" 100000 'the rest stays'
is "$(show full .configuration.max_zip_depth)" 2 'also the rules'
exits 0 'set a rule' adminctl tenant set full --max-zip-depth 0
is "$(show full '.configuration | "\(.max_zip_depth) \(.retention_days)"')" '0 30' 'the other rules stay'
exits 0 'a rule back to the default' adminctl tenant set full --max-zip-depth default --allow default
is "$(show full '.configuration | "\(.max_zip_depth) \(.allowed_extensions)"')" 'null null' 'it is gone'
exits 0 'no quota' adminctl tenant set full --quota none --files none
is "$(show full '"\(.storage_quota_bytes) \(.file_count_limit)"')" 'null null' 'no limit is left'
exits 0 'a quota of nothing is no missing quota' adminctl tenant set full --quota 0
is "$(show full .storage_quota_bytes)" 0 'it is 0'
exits 0 'active again' adminctl tenant set full --active
is "$(show full .is_active)" true 'it is'
exits 0 'a group alone' adminctl tenant set full --owner :7
is "$(show full '"\(.owner_uid):\(.owner_gid)"')" 1234:7 'the owner stays'
exits 0 'the configuration as JSON' adminctl tenant set full --configuration '{"max_file_size": 7, "retention_days": null}'
is "$(show full '.configuration | "\(.max_file_size) \(.retention_days)"')" '7 null' 'keys set and taken away'
exits 64 'set nothing' adminctl tenant set full
exits 3 'set of no tenant' adminctl tenant set nobody --quota 1G
is "$(stack_sql "SELECT count(*) FROM tenant WHERE code = 'nobody'")" 0 'makes none'

# --- list, show ---
is "$(adminctl tenant list --json | jq -r '[.[].code] | join(" ")' | cut -c1-14)" 'ACME aaaaaaaaa' 'list is in the order of codes'
like "$(adminctl tenant list)" 'CODE +NAME +ACTIVE' 'list for people has a head'
like "$(adminctl tenant show full)" 'Ünï "quoted"' 'show for people'
exits 0 'show by UUID' adminctl tenant show "$(show full .id)"
exits 3 'show of no tenant' adminctl tenant show nobody
like "$OUTPUT" 'no tenant nobody' 'is told'
exits 3 'a quote in a code is a character' adminctl tenant show "' OR 1=1 --"
stack_sql "INSERT INTO tenant (code) SELECT 'many' || i FROM generate_series(1, 1200) i"
is "$(adminctl tenant list --json | jq length)" "$(stack_sql 'SELECT count(*) FROM tenant')" 'more tenants than a page are all listed'
stack_sql "DELETE FROM tenant WHERE code LIKE 'many%'"

# --- stats, rejections ---
is "$(adminctl tenant stats acme --json | jq -c '[.code, .files, .quota.used_bytes]')" '["acme",0,0]' 'stats of an empty tenant'
like "$(adminctl tenant stats acme)" 'acme: 0 files' 'stats for people'
exits 3 'stats of no tenant' adminctl tenant stats nobody
like "$(adminctl tenant rejections acme)" 'Nothing was refused' 'rejections of nothing'
stack_sql "INSERT INTO rejection (tenant_id, file_id, name, rule, reason, uid, rejected_at)
	SELECT tenant_id, 'fs_000000000000000000000' || (i % 10), decode('ff0a', 'hex') || i::text::bytea, 'extension', 'reason ' || i, 42, now()
	  FROM tenant, generate_series(1, 30) i WHERE code = 'acme'"
is "$(adminctl tenant rejections acme --json | jq length)" 20 'the last twenty'
is "$(adminctl tenant rejections acme --json --limit 100 | jq length)" 30 '--limit'
is "$(adminctl tenant rejections acme --json | jq -r '.[0].reason')" 'reason 30' 'the newest first'
like "$(adminctl tenant rejections acme)" '\\xff\\n30' 'a name that is no text is shown escaped, on one line'
exits 3 'a refused file is told with its reason' adminctl file show acme fs_0000000000000000000005
like "$OUTPUT" 'was refused: reason 25' 'by its id'
is "$(adminctl tenant rejections full --json)" '[]' 'another tenant does not see them'

# --- delete, with no mount ---
for table in $(stack_sql "SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
	WHERE column_name = 'tenant_id' AND table_type = 'BASE TABLE' AND table_schema = 'public'
	  AND table_name NOT IN ('tenant', 'tenant_usage', 'tenant_lease')"); do
	ok "a tenant that is deleted leaves nothing in $table" grep -q "DELETE FROM $table WHERE" "$TOP/sql/queries/tenant_remove_rows.sql"
done
exits 64 'delete asks before it does' adminctl tenant delete acme </dev/null
is "$(stack_sql "SELECT count(*) FROM tenant WHERE code = 'acme' AND delete_requested_at IS NULL")" 1 'and has done nothing'
exits 3 'delete of no tenant' adminctl tenant delete nobody --yes
exits 0 'delete --yes' adminctl tenant delete acme --yes --json
is "$(jq -r .code <<<"$OUTPUT")" acme 'it says what went'
exits 3 'it is gone' adminctl tenant show acme
is "$(stack_sql 'SELECT count(*) FROM rejection')" 0 'with its rows'
exits 0 'the others are there' adminctl tenant show full
exits 0 'its code is free again' adminctl tenant create acme
stack_sql "INSERT INTO tenant_lease (tenant_id, holder, expires_at) SELECT tenant_id, 'another host', now() + interval '1 hour' FROM tenant WHERE code = 'acme'"
exits 2 'a tenant that a mount holds is left to it' adminctl tenant delete acme --yes --wait 1s
like "$OUTPUT" 'was asked for and is not finished' 'and that is told'
is "$(show acme .is_deleting)" true 'it is marked'
exits 1 'and cannot be changed' adminctl tenant set acme --quota 1G
exits 0 '--wait 0 only asks' adminctl tenant delete acme --yes --wait 0
exits 4 'its code is taken until then' adminctl tenant create acme
stack_sql "UPDATE tenant_lease SET expires_at = now() - interval '1 second'"
exits 0 'once the lease has expired adminctl goes on' adminctl tenant delete acme --yes
exits 3 'and it is gone' adminctl tenant show acme
exits 64 '--wait of nonsense' adminctl tenant delete full --yes --wait soon
done_testing
