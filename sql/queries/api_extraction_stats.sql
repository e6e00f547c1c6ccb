-- api_extraction_stats: extractions in figures, of one tenant or of all, as one JSON object.
-- in: tenant_id or null   out: stats
WITH job AS (
  SELECT CASE state WHEN 'd' THEN 'completed' WHEN 'r' THEN 'processing' WHEN 'q' THEN 'pending' ELSE 'failed' END AS status,
         created_at, attempt
    FROM extraction_job
   WHERE $1::bigint IS NULL OR tenant_id = $1
), result AS (
  SELECT extractor, duration_ms, confidence, text_bytes
    FROM extraction_result
   WHERE ($1::bigint IS NULL OR tenant_id = $1) AND status = 'c'
)
SELECT jsonb_build_object(
         'total', (SELECT count(*) FROM job),
         'by_status', (SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (SELECT status, count(*) AS n FROM job GROUP BY 1) s),
         'by_extractor', (SELECT coalesce(jsonb_object_agg(extractor, n), '{}')
                            FROM (SELECT extractor, count(*) AS n FROM result GROUP BY 1) s),
         'requested', (SELECT count(*) FROM extraction WHERE $1 IS NULL OR tenant_id = $1),
         'requested_by_type', (SELECT coalesce(jsonb_object_agg(extraction_type, n), '{}')
                                 FROM (SELECT extraction_type, count(*) AS n FROM extraction
                                        WHERE $1 IS NULL OR tenant_id = $1 GROUP BY 1) s),
         'average_processing_time_ms', (SELECT round(avg(duration_ms)::numeric, 1) FROM result),
         'average_confidence_score', (SELECT round(avg(confidence)::numeric, 3) FROM result),
         'text_bytes', (SELECT coalesce(sum(text_bytes), 0) FROM result),
         'retries', (SELECT coalesce(sum(greatest(attempt - 1, 0)), 0) FROM job),
         'oldest_pending_at', (SELECT to_char(min(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                                 FROM job WHERE status = 'pending')) AS stats;
