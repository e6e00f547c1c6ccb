-- api_extraction_retry: queues failed extractions again: those named (by their own ids or their jobs'), or all of the tenant.
-- in: tenant_id, ids or null   out: ids (text[]) of the extractions whose content is tried again, jobs
WITH chosen AS (
  SELECT id, sha256 FROM extraction_detail
   WHERE tenant_id = $1 AND status = 'failed' AND ($2::text[] IS NULL OR id::text = ANY ($2))
), queued AS (
  UPDATE extraction_job j
     SET state = 'q', attempt = 0, failures = 0, lane = 'n', error = NULL, not_before = now(), updated_at = now(),
         completed_at = NULL
   WHERE j.tenant_id = $1 AND j.state IN ('f', 'x') AND j.sha256 IN (SELECT sha256 FROM chosen)
  RETURNING j.sha256
), told AS (
  SELECT count(*) AS jobs, pg_notify('tenantfs_job', $1::text) FROM queued HAVING count(*) > 0
)
SELECT coalesce(array_to_string(array_agg(DISTINCT c.id::text) FILTER (WHERE c.sha256 IN (SELECT sha256 FROM queued)), ','), '') AS ids,
       coalesce((SELECT jobs FROM told), 0) AS jobs
  FROM chosen c;
