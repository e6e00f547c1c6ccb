-- api_extraction_search: extractions that fit every filter given, the newest first, a page of them with the number of all.
-- in: tenant_id, file_id, extraction_type, status, text pattern (ILIKE), created after, created before, skip, limit,
--     bytes of text at most
-- out: total, then as api_extraction_find; id is null when the page is empty
WITH hit AS (
  SELECT * FROM extraction_detail
   WHERE tenant_id = $1 AND kind = 'x'
     AND ($2::text IS NULL OR file_id = $2)
     AND ($3::text IS NULL OR extraction_type = $3)
     AND ($4::text IS NULL OR status = $4)
     AND ($5::text IS NULL OR extracted_text ILIKE $5)
     AND ($6::timestamptz IS NULL OR created_at > $6)
     AND ($7::timestamptz IS NULL OR created_at < $7)
)
SELECT c.total, p.id, p.file_id, p.extraction_type, p.status,
       CASE WHEN extraction_type IN ('text', 'full') THEN left(extracted_text, $10::integer) END AS extracted_text,
       CASE WHEN extraction_type IN ('structured_data', 'full') THEN structured_data END AS structured_data,
       CASE WHEN extraction_type IN ('metadata', 'full') THEN metadata END AS metadata,
       p.confidence, p.duration_ms, p.error, p.retry_count, p.created_at, p.completed_at
  FROM (SELECT count(*) AS total FROM hit) c
  LEFT JOIN (SELECT * FROM hit ORDER BY created_at DESC, id OFFSET $8::bigint LIMIT $9::bigint) p ON true
 ORDER BY p.created_at DESC, p.id;
