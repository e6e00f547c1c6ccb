-- api_active_get: which file is active for a user in a session; reading it makes it stay as long again.
-- in: tenant_id, sub, session_id, seconds it stays   out: file_id
UPDATE active_file SET expires_at = now() + make_interval(secs => $4::bigint)
 WHERE tenant_id = $1 AND sub = $2 AND session_id = $3 AND expires_at > now()
RETURNING file_id;
