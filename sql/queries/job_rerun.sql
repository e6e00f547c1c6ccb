-- job_rerun: reads contents again that an extractor has read: with a newer version as a new job, else the same job from the
-- beginning. What still runs is left alone. One tenant or (null) all; extractor null: every one; only_older: only what an
-- older version has read.
-- in: tenant_id, extractor, extractor_version, only_older   out: how many were queued
WITH newest AS MATERIALIZED (
  SELECT DISTINCT ON (r.tenant_id, r.sha256) r.tenant_id, r.sha256, r.extractor, r.extractor_version
    FROM extraction_result r
   WHERE ($1::bigint IS NULL OR r.tenant_id = $1)
   ORDER BY r.tenant_id, r.sha256, r.extractor_version DESC
), queued AS (
  INSERT INTO extraction_job (tenant_id, sha256, extractor_version, object_id, size_bytes)
  SELECT n.tenant_id, n.sha256, $3::integer, o.object_id, o.size_bytes
    FROM newest n
    JOIN LATERAL (SELECT object_id, size_bytes FROM object
                   WHERE tenant_id = n.tenant_id AND sha256 = n.sha256 ORDER BY object_id LIMIT 1) o ON true
   WHERE ($2::text IS NULL OR n.extractor = $2) AND (NOT $4::boolean OR n.extractor_version < $3)
   ORDER BY n.tenant_id, n.sha256
  ON CONFLICT (tenant_id, sha256, extractor_version) DO UPDATE
     SET state = 'q', lane = 'n', attempt = 0, failures = 0, error = NULL, not_before = now(), completed_at = NULL,
         updated_at = now(), object_id = EXCLUDED.object_id
   WHERE extraction_job.state IN ('d', 'f', 'x')
  RETURNING 1
), noise AS MATERIALIZED (
  SELECT pg_notify('tenantfs_job', '')
)
SELECT count(*) FROM queued CROSS JOIN noise;
