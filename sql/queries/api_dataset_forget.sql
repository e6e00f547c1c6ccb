-- api_dataset_forget: gives a dataset's name back, when it is still this upload's (or of any upload, null), with who has it active.
-- in: tenant_id, sub, file_name, upload_id or null   out: session_id of every session it was active in
WITH gone AS (
  DELETE FROM dataset
   WHERE tenant_id = $1 AND sub = $2 AND file_name = $3 AND ($4::uuid IS NULL OR upload_id = $4)
  RETURNING tenant_id, sub, file_id
)
DELETE FROM active_file a
 USING gone g
 WHERE a.tenant_id = g.tenant_id AND a.sub = g.sub AND a.file_id = g.file_id
RETURNING a.session_id;
