-- api_upload_lock: one request at a time appends to a tus upload; a lock that was not renewed for a minute is nobody's.
-- in: tenant_id, upload_id, worker, seconds it is kept   out: expires_at; no row: another has it
UPDATE upload
   SET worker = $3, worked_at = now(), expires_at = greatest(expires_at, now() + make_interval(secs => $4::bigint))
 WHERE tenant_id = $1 AND upload_id = $2 AND protocol = 't'
   AND (worker IS NULL OR worker = $3 OR worked_at < now() - interval '60 seconds')
RETURNING expires_at;
