-- api_extraction_find: one extraction, by its own id or its job's.
-- in: tenant_id, id
-- out: id, file_id, extraction_type, status, extracted_text, structured_data, metadata, confidence, duration_ms, error,
--      retry_count, created_at, completed_at
SELECT id, file_id, extraction_type, status,
       CASE WHEN extraction_type IN ('text', 'full') THEN extracted_text END AS extracted_text,
       CASE WHEN extraction_type IN ('structured_data', 'full') THEN structured_data END AS structured_data,
       CASE WHEN extraction_type IN ('metadata', 'full') THEN metadata END AS metadata,
       confidence, duration_ms, error, retry_count, created_at, completed_at
  FROM extraction_detail
 WHERE tenant_id = $1 AND id = $2
 LIMIT 1;
