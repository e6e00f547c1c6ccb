-- job_reclaim: queues again what runs nowhere: the lease has expired, or the extractd that held it is gone (its advisory lock
-- is free). What came back too often without an answer fails.
-- in: attempt_max   out: tenant_id, sha256, state
WITH alive AS MATERIALIZED (
  SELECT objid FROM pg_locks
   WHERE locktype = 'advisory' AND classid = 1954047332 AND objsubid = 2 AND granted
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), lost AS MATERIALIZED (
  SELECT tenant_id, sha256, extractor_version FROM extraction_job
   WHERE state = 'r'
     AND (lease_expires_at < now()
          OR (updated_at < now() - interval '2 seconds' AND claimed_by::oid NOT IN (SELECT objid FROM alive)))
   ORDER BY tenant_id, sha256
     FOR UPDATE SKIP LOCKED
)
UPDATE extraction_job j
   SET state = CASE WHEN j.attempt >= $1 THEN 'f'::"char" ELSE 'q'::"char" END,
       error = CASE WHEN j.attempt >= $1 THEN 'given up: it was begun ' || j.attempt || ' times and never ended' END,
       completed_at = CASE WHEN j.attempt >= $1 THEN now() END,
       lease_token = NULL, lease_expires_at = NULL, claimed_by = NULL, updated_at = now()
  FROM lost
 WHERE j.tenant_id = lost.tenant_id AND j.sha256 = lost.sha256 AND j.extractor_version = lost.extractor_version
RETURNING j.tenant_id, j.sha256, j.state;
