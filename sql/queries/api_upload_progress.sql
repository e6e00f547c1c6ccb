-- api_upload_progress: what a tus upload has now; gives the lock back. The file's id when it became one.
-- in: tenant_id, upload_id, worker, offset_bytes, size_bytes or null, state, file_id or null, error or null   out: nothing
UPDATE upload
   SET offset_bytes = $4, size_bytes = coalesce($5, size_bytes), state = $6, file_id = coalesce($7, file_id), error = $8,
       file_ids = CASE WHEN $7::text IS NULL THEN file_ids ELSE array_append(file_ids, $7) END, worker = NULL, worked_at = NULL,
       updated_at = now()
 WHERE tenant_id = $1 AND upload_id = $2 AND (worker = $3 OR worker IS NULL);
