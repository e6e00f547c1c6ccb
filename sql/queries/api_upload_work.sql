-- api_upload_work: whoever works on an upload says that it still does.
-- in: tenant_id, upload_id, worker   out: upload_id; no row: somebody else has taken it
UPDATE upload SET worked_at = now() WHERE tenant_id = $1 AND upload_id = $2 AND worker = $3 RETURNING upload_id;
