-- api_upload_find: one upload, by its id or by an id that its file has or had.
-- in: tenant_id, upload_id or null, file_id or null
-- out: upload_id, protocol, state, sub, name, size_bytes, file_id, folder, request, credential, is_partial, error, is_worked_on,
--      expires_at, is_expired
SELECT upload_id, protocol, state, sub, name, size_bytes, file_id, folder, request, credential, is_partial, error,
       worker IS NOT NULL AS is_worked_on, expires_at, expires_at < now() AS is_expired
  FROM upload
 WHERE tenant_id = $1 AND (upload_id = $2::uuid OR ($2 IS NULL AND file_ids @> ARRAY[$3::text]))
 LIMIT 1;
