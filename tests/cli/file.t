#!/bin/bash
# adminctl file: what a tenant holds, found by every filter. The rows are made by hand, so that each is known.
. "$(dirname "$0")/../lib/stack.sh"
stack_start
adminctl tenant create acme >/dev/null
adminctl tenant create other >/dev/null
acme=$(stack_sql "SELECT tenant_id FROM tenant WHERE code = 'acme'")

# folder INODE NAME [PARENT]
folder() {
	stack_sql "INSERT INTO node (tenant_id, inode, kind, mode, nlink, uid, gid, atime_ns, mtime_ns, ctime_ns, btime_ns)
		VALUES ($acme, $1, 'd', 504, 2, 0, 0, 1, 1, 1, 1);
		INSERT INTO entry SELECT $acme, coalesce(${3:-NULL}, root_inode), '$2', $1, 'd', $1 FROM tenant WHERE tenant_id = $acme"
}
# file INODE FOLDER NAME SIZE MEDIA_TYPE [JOB_STATE] : uploaded on the INODE-th of November 2026
file() {
	local sha="sha256('$1')" id
	printf -v id 'fs_%022d' "$1"
	stack_sql "INSERT INTO object (tenant_id, object_id, inode, path, size_bytes, sha256, media_type, published_at_ns)
		VALUES ($acme, $1, $1, '2026-11/$id.x', $4, $sha, '$5', 1);
		INSERT INTO node (tenant_id, inode, kind, mode, nlink, uid, gid, atime_ns, mtime_ns, ctime_ns, btime_ns, file_id, object_id,
			size_bytes, status, validation, uploaded_at_ns, uploaded_by)
		VALUES ($acme, $1, 'f', 420, 1, 7, 8, 1, 1, 1, 1, '$id', $1, $4, 'p', 'o',
			extract(epoch FROM timestamptz '2026-11-01Z' + interval '$1 days')::bigint * 1000000000, 'user$(($1 % 2))');
		INSERT INTO entry VALUES ($acme, $2, $3, $1, 'f', $1)"
	[[ -z ${6:-} ]] || stack_sql "INSERT INTO extraction_job (tenant_id, sha256, extractor_version, state, object_id, completed_at, error)
		VALUES ($acme, $sha, 1, '$6', $1, now(), CASE '$6' WHEN 'f' THEN 'encrypted' END)"
}
folder 100 2026-11
folder 101 scans 100
folder 102 2026-10
file 1 100 "'report.pdf'" 1000 application/pdf d
file 2 101 "'100%_sure.png'" 2000 image/png f
file 3 102 "'data.csv'" 3000 text/csv r
file 4 100 "'\\xff5c'" 4000 image/jpeg
file 5 100 "'Report final.pdf'" 5000 application/pdf d
stack_sql "UPDATE node SET tags = 'red, blue', description = 'a comment', metadata = '{\"case\": {\"n\": 7}}', visibility = 'u' WHERE inode = 1;
	INSERT INTO extraction_result (tenant_id, sha256, extractor_version, extractor, status, media_type, extracted_text)
	SELECT $acme, sha256('1'), 1, 'pdf', 'c', 'application/pdf', 'The quick Brown fox, 100% sure'"

names() { adminctl file list acme --json "$@" | jq -r '[.[].path] | join(" ")'; }
is "$(names --sort name | cut -d' ' -f 1,2)" '2026-11/scans/100%_sure.png 2026-11/Report' 'by name'
is "$(names)" "2026-11/report.pdf 2026-11/scans/100%_sure.png 2026-10/data.csv $(printf '\ufffd')2026-11/\\xff\\\\ 2026-11/Report final.pdf" 'by upload'
is "$(names --name '*.pdf')" '2026-11/report.pdf 2026-11/Report final.pdf' 'a glob'
is "$(names --name 'r?port.*')" '2026-11/report.pdf' 'a glob with ?'
is "$(names --name report)" '2026-11/report.pdf' 'a part of the name'
is "$(names --name '%')" '2026-11/scans/100%_sure.png' 'a per cent sign is a character'
is "$(names --name '0%_')" '2026-11/scans/100%_sure.png' 'an underscore too'
is "$(names --name '\')" "$(printf '\ufffd')2026-11/\\xff\\\\" 'and a backslash'
is "$(names --type image/png)" '2026-11/scans/100%_sure.png' 'a media type'
is "$(names --type image/ | wc -w)" 2 'a family of them'
is "$(names --status completed | wc -w)" 4 'completed: extracted, or failed at it'
is "$(names --status processing)" '2026-10/data.csv' 'processing'
is "$(names --status uploaded | wc -w)" 1 'uploaded'
is "$(names --month 2026-10)" '2026-10/data.csv' 'a month'
is "$(names --month 2026-11 | wc -w)" 5 'the other month, with its folders'
is "$(names --tag blue)" '2026-11/report.pdf' 'a tag'
is "$(names --tag blu)" '' 'a part of a tag is none'
is "$(names --metadata '{"case": {"n": 7}}')" '2026-11/report.pdf' 'metadata'
is "$(names --metadata '{"case": {"n": 8}}')" '' 'other metadata'
is "$(names --text 'fox quick')" '2026-11/report.pdf' 'words of the text, in any order and case'
is "$(names --text 'fox wolf')" '' 'all of them'
is "$(names --text '100% sure')" '2026-11/report.pdf' 'a per cent sign in the text'
is "$(names --sha256 "$(printf 3 | sha256sum | cut -c1-64)")" '2026-10/data.csv' 'a SHA-256'
is "$(names --by user1 | wc -w)" 4 'who uploaded it'
is "$(names --min-size 4k)" '2026-11/Report final.pdf' 'at least so large'
is "$(names --max-size 1k)" '2026-11/report.pdf' 'at most so large'
is "$(names --after 2026-11-05)" '2026-11/Report final.pdf' 'after a date'
is "$(names --before 2026-11-02T00:00:01Z)" '2026-11/report.pdf' 'before a moment'
is "$(names --name '*.pdf' --descending --sort size)" '2026-11/Report final.pdf 2026-11/report.pdf' 'largest first'
is "$(names --sort type --limit 1)" '2026-11/report.pdf' 'by type'
is "$(names --skip 1 --limit 1)" '2026-11/scans/100%_sure.png' 'a page of them'
like "$(adminctl file list acme --limit 2 2>&1)" '3 more; --skip 2 goes on' 'and how many more there are'
is "$(adminctl file list other --json)" '[]' 'another tenant has none of them'
like "$(adminctl file list other)" 'No file' 'and that is told'

for option in '--status nonsense' '--sort nonsense' '--month 2026-13' '--sha256 abc' '--after soon' '--limit x' '--min-size x' '--metadata {'; do
	# shellcheck disable=SC2086
	exits 64 "list $option" adminctl file list acme $option
done
exits 3 'list of no tenant' adminctl file list nobody

shown=$(adminctl file show acme 2026-11/report.pdf --json)
is "$(jq -c '[.id, .file_size, .mime_type, .status, .validation_status, .visibility, .uploaded_by, .tags, .description, .metadata.case.n, .uid, .gid, .mode]' <<<"$shown")" \
	'["fs_0000000000000000000001",1000,"application/pdf","completed","passed","public","user1","red, blue","a comment",7,7,8,"0644"]' 'show by path'
is "$(jq -r .file_hash <<<"$shown")" "$(printf 1 | sha256sum | cut -c1-64)" 'with its hash'
is "$(jq -r .file_path <<<"$shown")" acme/2026-11/fs_0000000000000000000001.x 'and where its bytes are'
is "$(adminctl file show acme fs_0000000000000000000002 --json | jq -r '"\(.path) \(.error)"')" '2026-11/scans/100%_sure.png encrypted' 'show by id, with the error'
is "$(adminctl file show acme /2026-11//scans/100%_sure.png --json | jq -r .id)" fs_0000000000000000000002 'slashes more than needed'
exits 3 'a folder is no file' adminctl file show acme 2026-11/scans
exits 3 'a path that is not there' adminctl file show acme 2026-11/none
exits 3 'an id that is not there' adminctl file show acme fs_0000000000000000000009
exits 3 'a file of another tenant' adminctl file show other fs_0000000000000000000001
like "$(adminctl file show acme 2026-11/report.pdf)" 'application/pdf' 'show for people'
done_testing
