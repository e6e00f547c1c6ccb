-- api_extraction_of_file: the extractions asked for a file, the newest first; while none was, the one that runs by itself.
-- in: tenant_id, file_id, bytes of text at most
-- out: as api_extraction_find
WITH asked AS (
  SELECT * FROM extraction_detail WHERE tenant_id = $1 AND file_id = $2 AND kind = 'x'
), shown AS (
  SELECT * FROM asked
  UNION ALL
  SELECT * FROM extraction_detail
   WHERE tenant_id = $1 AND file_id = $2 AND kind = 'j' AND NOT EXISTS (SELECT 1 FROM asked)
)
SELECT id, file_id, extraction_type, status,
       CASE WHEN extraction_type IN ('text', 'full') THEN left(extracted_text, $3::integer) END AS extracted_text,
       CASE WHEN extraction_type IN ('structured_data', 'full') THEN structured_data END AS structured_data,
       CASE WHEN extraction_type IN ('metadata', 'full') THEN metadata END AS metadata,
       confidence, duration_ms, error, retry_count, created_at, completed_at
  FROM shown
 ORDER BY created_at DESC, id
 LIMIT 1000;
