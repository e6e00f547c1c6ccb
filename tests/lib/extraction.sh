# shellcheck shell=bash
# Extraction jobs without a mount: sourced after stack.sh by the tests of extractd. A file is put where fusefs would have put
# it, with the rows that fusefs would have written, so that extractd alone is what is tested.

EXTRACTOR_VERSION=$(sed -n 's/^#define EXTRACTOR_VERSION //p' "$TOP/shared/base/extractor_version.h")
export HOSTILE_WORKER=${HOSTILE_WORKER:-$BUILD/tests/hostile-worker}

# job_put TENANT FILE...: publishes files and queues their extraction, all in one transaction. $JOB is the SHA-256 of the last.
job_put() {
	local tenant=$1 file sql="BEGIN;" id extension path
	shift
	mkdir -p "$STORAGE_BASE_PATH/$tenant/$MONTH"
	for file; do
		id=fs_$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' | head -c 22)
		extension=${file##*.}
		path=$MONTH/$id.$extension
		cp -- "$file" "$STORAGE_BASE_PATH/$tenant/$path"
		JOB=$(sha256sum <"$file" | cut -d' ' -f1)
		sql+="
		WITH t AS (SELECT tenant_id, nextval('inode_block') << 16 AS inode FROM tenant WHERE code = '$tenant'),
		n AS (INSERT INTO node (tenant_id, inode, kind, mode, nlink, uid, gid, size_bytes, atime_ns, mtime_ns, ctime_ns, btime_ns,
		                        file_id, object_id, status, validation, uploaded_at_ns)
		      SELECT tenant_id, inode, 'f', 420, 1, 0, 0, $(stat -c %s "$file"), 0, 0, 0, 0, '$id', inode, 'p', 'o', 0 FROM t),
		o AS (INSERT INTO object (tenant_id, object_id, inode, path, size_bytes, sha256, media_type, published_at_ns)
		      SELECT tenant_id, inode, inode, '$path', $(stat -c %s "$file"), '\\x$JOB', 'text/plain', 0 FROM t)
		INSERT INTO extraction_job (tenant_id, sha256, extractor_version, object_id, size_bytes)
		SELECT tenant_id, '\\x$JOB', $EXTRACTOR_VERSION, inode, $(stat -c %s "$file") FROM t ON CONFLICT DO NOTHING;"
	done
	stack_sql "$sql NOTIFY tenantfs_job; COMMIT" >/dev/null
}

# job_put_text TENANT TEXT: the same for a text. $JOB is its SHA-256.
job_put_text() {
	printf '%s\n' "$2" >"$STACK/text.txt"
	job_put "$1" "$STACK/text.txt"
}

# job_get COLUMN [SHA]: of extraction_job; $JOB without SHA.
job_get() {
	stack_sql "SELECT $1 FROM extraction_job WHERE sha256 = '\\x${2:-$JOB}'"
}

# result_get COLUMN [SHA]: of extraction_result.
result_get() {
	stack_sql "SELECT $1 FROM extraction_result WHERE sha256 = '\\x${2:-$JOB}'"
}

# job_is STATE SHA
job_is() {
	[[ $(job_get state "$2") == "$1" ]]
}

job_has_ended() {
	[[ $(job_get state "$1") == [dfx] ]]
}

# job_wait [SHA] [SECONDS]: until it has ended, one way or the other.
job_wait() {
	wait_until "${2:-20}" job_has_ended "${1:-$JOB}"
}

# jobs_left: how many are queued or running.
jobs_left() {
	stack_sql "SELECT count(*) FROM extraction_job WHERE state IN ('q', 'r')"
}

no_jobs_left() {
	[[ $(jobs_left) == 0 ]]
}

# jobs_put_many TENANT COUNT: as many small texts, each of its own, in one transaction.
jobs_put_many() {
	local tenant=$1 count=$2 folder=$STORAGE_BASE_PATH/$1/$MONTH i
	mkdir -p "$folder"
	for ((i = 0; i < count; i++)); do
		printf 'text %s %d of many\n' "$tenant" "$i" >"$folder/fs_many$i.txt"
	done
	stack_sql "
	BEGIN;
	CREATE TEMP TABLE many AS
	SELECT tenant_id, i, nextval('inode_block') << 16 AS inode, 'text $tenant ' || i || E' of many\n' AS text
	  FROM tenant, generate_series(0, $count - 1) i WHERE code = '$tenant';
	INSERT INTO node (tenant_id, inode, kind, mode, nlink, uid, gid, size_bytes, atime_ns, mtime_ns, ctime_ns, btime_ns, file_id,
	                  object_id, status, validation, uploaded_at_ns)
	SELECT tenant_id, inode, 'f', 420, 1, 0, 0, length(text), 0, 0, 0, 0, 'fs_many' || i, inode, 'p', 'o', 0 FROM many;
	INSERT INTO object (tenant_id, object_id, inode, path, size_bytes, sha256, media_type, published_at_ns)
	SELECT tenant_id, inode, inode, '$MONTH/fs_many' || i || '.txt', length(text), sha256(text::bytea), 'text/plain', 0 FROM many;
	INSERT INTO extraction_job (tenant_id, sha256, extractor_version, object_id, size_bytes)
	SELECT tenant_id, sha256(text::bytea), $EXTRACTOR_VERSION, inode, length(text) FROM many;
	NOTIFY tenantfs_job;
	COMMIT"
}

# jobs_done: how many have ended well.
jobs_done() {
	stack_sql "SELECT count(*) FROM extraction_job WHERE state = 'd'"
}

jobs_done_at_least() {
	(($(jobs_done) >= $1))
}
