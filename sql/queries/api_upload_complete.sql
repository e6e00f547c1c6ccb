-- api_upload_complete: all chunks of an upload are there: from now on it is being assembled, into the file of this id.
-- in: tenant_id, upload_id, state it must have, file_id, request, credential or null, size_bytes, seconds it is kept
-- out: upload_id; no row: it had another state
UPDATE upload
   SET state = 'assembling', file_id = $4, file_ids = array_append(array_remove(file_ids, $4), $4), request = $5, credential = $6,
       size_bytes = $7, error = NULL, worker = NULL, worked_at = NULL, updated_at = now(),
       expires_at = greatest(expires_at, now() + make_interval(secs => $8::bigint))
 WHERE tenant_id = $1 AND upload_id = $2 AND state = $3
RETURNING upload_id;
