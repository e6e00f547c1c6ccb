-- api_extraction_pending: what waits or runs, the oldest first: extractions asked for, and files that nobody asked for.
-- in: tenant_id, limit   out: as api_extraction_find, without results
WITH waiting AS (
  SELECT sha256 FROM extraction_job WHERE tenant_id = $1 AND state IN ('q', 'r')
)
SELECT d.id, d.file_id, d.extraction_type, d.status, NULL::text AS extracted_text, NULL::jsonb AS structured_data,
       NULL::jsonb AS metadata, NULL::real AS confidence, NULL::integer AS duration_ms, d.error, d.retry_count, d.created_at,
       d.completed_at
  FROM extraction_detail d
 WHERE d.tenant_id = $1 AND d.status IN ('pending', 'processing') AND d.sha256 IN (SELECT sha256 FROM waiting)
   AND (d.kind = 'x' OR NOT EXISTS (SELECT 1 FROM extraction x WHERE x.tenant_id = $1 AND x.file_id = d.file_id))
 ORDER BY d.created_at, d.id
 LIMIT $2::bigint;
