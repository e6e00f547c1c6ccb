-- api_active_set: the active file of a user in a session.
-- in: tenant_id, sub, session_id, file_id, seconds it stays   out: nothing
INSERT INTO active_file (tenant_id, sub, session_id, file_id, expires_at)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5::bigint))
ON CONFLICT (tenant_id, sub, session_id) DO UPDATE SET file_id = excluded.file_id, expires_at = excluded.expires_at;
