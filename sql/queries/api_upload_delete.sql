-- api_upload_delete: forgets an upload with its chunks.
-- in: tenant_id, upload_id   out: nothing
WITH gone AS (
  DELETE FROM upload_chunk WHERE tenant_id = $1 AND upload_id = $2
)
DELETE FROM upload WHERE tenant_id = $1 AND upload_id = $2;
