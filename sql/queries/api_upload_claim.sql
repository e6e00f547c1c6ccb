-- api_upload_claim: takes one upload to assemble, which nobody works on or whoever did has been silent for a minute.
-- in: worker   out: tenant_id, code, upload_id, file_id, folder, request, size_bytes, is_public
WITH next AS (
  SELECT tenant_id, upload_id
    FROM upload
   WHERE state = 'assembling' AND (worker IS NULL OR worked_at < now() - interval '60 seconds')
   ORDER BY updated_at
   LIMIT 1
     FOR UPDATE SKIP LOCKED
)
UPDATE upload u
   SET worker = $1, worked_at = now()
  FROM next n, tenant t
 WHERE u.tenant_id = n.tenant_id AND u.upload_id = n.upload_id AND t.tenant_id = u.tenant_id
RETURNING u.tenant_id, t.code, u.upload_id, u.file_id, u.folder, u.request, u.size_bytes, u.credential IS NULL AS is_public;
