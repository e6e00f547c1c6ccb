-- api_upload_chunk_put: a chunk is stored; one that was there is replaced. The upload is kept as long again.
-- in: tenant_id, upload_id, chunk_index, size_bytes, seconds it is kept   out: upload_id; no row: the upload takes no more chunks
WITH open AS (
  UPDATE upload SET updated_at = now(), expires_at = greatest(expires_at, now() + make_interval(secs => $5::bigint))
   WHERE tenant_id = $1 AND upload_id = $2 AND protocol = 'c' AND state IN ('open', 'failed')
  RETURNING tenant_id, upload_id
), put AS (
  INSERT INTO upload_chunk (tenant_id, upload_id, chunk_index, size_bytes)
  SELECT tenant_id, upload_id, $3::integer, $4 FROM open
  ON CONFLICT (tenant_id, upload_id, chunk_index) DO UPDATE SET size_bytes = excluded.size_bytes
  RETURNING upload_id
)
SELECT upload_id FROM put;
