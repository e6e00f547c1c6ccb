-- api_upload_settle: the work on an upload has ended: done, or failed with a reason.
-- in: tenant_id, upload_id, worker, state, error or null   out: upload_id
UPDATE upload SET state = $4, error = $5, worker = NULL, worked_at = NULL, updated_at = now()
 WHERE tenant_id = $1 AND upload_id = $2 AND worker = $3
RETURNING upload_id;
