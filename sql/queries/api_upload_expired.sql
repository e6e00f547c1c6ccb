-- api_upload_expired: uploads that nobody went on with in time, and finished ones whose file is gone.
-- in: limit   out: tenant_id, code, upload_id, protocol, folder, is_finished
SELECT u.tenant_id, t.code, u.upload_id, u.protocol, u.folder, u.state = 'done' AS is_finished
  FROM upload u
  JOIN tenant t USING (tenant_id)
 WHERE t.is_active AND t.delete_requested_at IS NULL
   AND (u.worker IS NULL OR u.worked_at < now() - interval '60 seconds')
   AND CASE
         WHEN u.state = 'done' AND NOT u.is_partial
                     THEN u.updated_at < now() - interval '1 hour'
                          AND NOT EXISTS (SELECT 1 FROM node n
                                           WHERE n.tenant_id = u.tenant_id AND n.file_id = u.file_id AND n.nlink > 0)
         WHEN u.state = 'assembling' THEN false
         ELSE u.expires_at < now() END
 LIMIT $1::bigint;
