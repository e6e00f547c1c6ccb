-- job_stats: the queue in figures, as one JSON object; of one tenant or (null) of all.
-- in: tenant_id   out: JSON
WITH job AS MATERIALIZED (
  SELECT tenant_id, state, lane, attempt, created_at, completed_at, not_before, lease_expires_at
    FROM extraction_job WHERE $1::bigint IS NULL OR tenant_id = $1
), result AS MATERIALIZED (
  SELECT extractor, status, duration_ms, text_bytes, extractor_version
    FROM extraction_result WHERE $1::bigint IS NULL OR tenant_id = $1
)
SELECT jsonb_build_object(
         'queued', (SELECT count(*) FROM job WHERE state = 'q' AND lane = 'n'),
         'queued_for_ocr', (SELECT count(*) FROM job WHERE state = 'q' AND lane = 'o'),
         'waiting_to_retry', (SELECT count(*) FROM job WHERE state = 'q' AND not_before > now()),
         'running', (SELECT count(*) FROM job WHERE state = 'r'),
         'overdue', (SELECT count(*) FROM job WHERE state = 'r' AND lease_expires_at < now()),
         'completed', (SELECT count(*) FROM job WHERE state = 'd'),
         'failed', (SELECT count(*) FROM job WHERE state = 'f'),
         'cancelled', (SELECT count(*) FROM job WHERE state = 'x'),
         'oldest_queued_s', (SELECT round(extract(epoch FROM now() - min(created_at))) FROM job WHERE state = 'q'),
         'completed_last_hour', (SELECT count(*) FROM job WHERE state = 'd' AND completed_at > now() - interval '1 hour'),
         'tenants_waiting', (SELECT count(DISTINCT tenant_id) FROM job WHERE state = 'q'),
         'events_waiting', (SELECT count(*) FROM outbox WHERE $1 IS NULL OR tenant_id = $1),
         'extractors', coalesce((SELECT jsonb_object_agg(extractor, figures) FROM (
            SELECT extractor,
                   jsonb_build_object('completed', count(*) FILTER (WHERE status = 'c'),
                                      'failed', count(*) FILTER (WHERE status = 'f'),
                                      'text_bytes', sum(text_bytes),
                                      'median_ms', percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_ms),
                                      'slowest_ms', max(duration_ms)) AS figures
              FROM result GROUP BY extractor) each), '{}'));
