-- job_cancel: jobs that have not ended are ended; a worker that is at it writes to nobody. One tenant or (null) all, one job or
-- (null) all that are queued.
-- in: tenant_id, job_id   out: job_id of those cancelled
WITH chosen AS MATERIALIZED (
  SELECT tenant_id, sha256, extractor_version FROM extraction_job
   WHERE ($1::bigint IS NULL OR tenant_id = $1)
     AND CASE WHEN $2::uuid IS NULL THEN state = 'q' ELSE job_id = $2 AND state IN ('q', 'r') END
   ORDER BY tenant_id, sha256, extractor_version
     FOR UPDATE
)
UPDATE extraction_job j
   SET state = 'x', error = 'cancelled', completed_at = now(), lease_token = NULL, lease_expires_at = NULL, claimed_by = NULL,
       updated_at = now()
  FROM chosen c
 WHERE j.tenant_id = c.tenant_id AND j.sha256 = c.sha256 AND j.extractor_version = c.extractor_version
RETURNING j.job_id;
