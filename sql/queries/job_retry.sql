-- job_retry: queues failed and cancelled jobs again, from the beginning; of one tenant or (null) of all, one job or (null) all.
-- in: tenant_id, job_id   out: job_id of those queued
WITH chosen AS MATERIALIZED (
  SELECT tenant_id, sha256, extractor_version FROM extraction_job
   WHERE ($1::bigint IS NULL OR tenant_id = $1) AND ($2::uuid IS NULL OR job_id = $2) AND state IN ('f', 'x')
   ORDER BY tenant_id, sha256, extractor_version
     FOR UPDATE
), queued AS (
  UPDATE extraction_job j
     SET state = 'q', lane = 'n', attempt = 0, failures = 0, error = NULL, not_before = now(), completed_at = NULL,
         lease_token = NULL, lease_expires_at = NULL, claimed_by = NULL, updated_at = now()
    FROM chosen c
   WHERE j.tenant_id = c.tenant_id AND j.sha256 = c.sha256 AND j.extractor_version = c.extractor_version
  RETURNING j.job_id
), noise AS MATERIALIZED (
  SELECT pg_notify('tenantfs_job', '')
)
SELECT job_id FROM queued CROSS JOIN noise;
