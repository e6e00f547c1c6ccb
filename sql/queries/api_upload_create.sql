-- api_upload_create: a new unfinished upload; protocol c chunked, t tus.
-- in: tenant_id, upload_id, protocol, sub, name (bytea), size_bytes or null, folder, request (jsonb), is_partial, seconds it is kept
-- out: expires_at
INSERT INTO upload (tenant_id, upload_id, protocol, sub, name, size_bytes, folder, request, is_partial, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10::bigint))
RETURNING expires_at;
