-- api_dataset_reserve: takes a dataset's name for an upload. A name whose file is gone, or whose upload never ended, is taken over.
-- in: tenant_id, sub, file_name, description, upload_id   out: upload_id; no row: the name is taken
INSERT INTO dataset AS d (tenant_id, sub, file_name, description, upload_id)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, sub, file_name) DO UPDATE
   SET file_id = NULL, description = excluded.description, upload_id = excluded.upload_id, created_at = now()
 WHERE CASE WHEN d.file_id IS NULL THEN d.created_at < now() - interval '10 minutes'
            ELSE NOT EXISTS (SELECT 1 FROM node n WHERE n.tenant_id = d.tenant_id AND n.file_id = d.file_id AND n.nlink > 0) END
RETURNING upload_id;
