-- apply_job_add: queues contents that have no completed result, and wakes extractd when there are any. A job that waits or runs
-- learns of an object that holds its content for certain: it may be about to be dropped because the one it knew is gone.
-- in: tenant_id, sha256s (each once), object_ids, sizes, extractor_version   out: jobs
WITH queued AS (
  INSERT INTO extraction_job AS j (tenant_id, sha256, extractor_version, object_id, size_bytes)
  SELECT $1, c.sha256, $5, c.object_id, c.size_bytes
    FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) c (sha256, object_id, size_bytes)
   WHERE (SELECT r.status FROM extraction_result r
           WHERE r.tenant_id = $1 AND r.sha256 = c.sha256 AND r.extractor_version = $5) IS DISTINCT FROM 'c'
  ON CONFLICT (tenant_id, sha256, extractor_version) DO UPDATE SET object_id = excluded.object_id
   WHERE j.state IN ('q', 'r')
  RETURNING 1
)
SELECT count(*) AS jobs, pg_notify('tenantfs_job', $1::text) FROM queued HAVING count(*) > 0;
