-- job_claim: up to limit jobs of a lane, the same share of each tenant that has some. Tenants are found by hopping through
-- the index from one to the next, so a tenant with 100,000 jobs costs no more than one with a single job; with a held
-- share of tenant_limit a tenant gets nothing. Losing a claim in a crash of the server costs a lease and nothing else, so
-- its commit does not wait for the disk.
-- in: lane, extractor_version, after_tenant_id, limit, tenant_limit, held_tenant_ids, held_counts, lease_ms, instance
-- out: tenant_id, sha256, extractor_version, job_id, lease_token, attempt, failures, object_id, tenant_code, path, size_bytes
WITH RECURSIVE tenants (tenant_id) AS (
  (SELECT tenant_id FROM extraction_job
    WHERE tenant_id > $3 AND state = 'q' ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT next.tenant_id
    FROM tenants
   CROSS JOIN LATERAL (SELECT tenant_id FROM extraction_job
                        WHERE tenant_id > tenants.tenant_id AND state = 'q' ORDER BY tenant_id LIMIT 1) next
), ready AS MATERIALIZED (
  SELECT t.tenant_id, $5 - coalesce(h.held, 0) AS allowance
    FROM tenants t
    LEFT JOIN unnest($6::bigint[], $7::bigint[]) h (tenant_id, held) USING (tenant_id)
   CROSS JOIN LATERAL (SELECT 1 FROM extraction_job
                        WHERE tenant_id = t.tenant_id AND lane = $1 AND state = 'q' AND not_before <= now()
                          AND extractor_version <= $2
                        LIMIT 1) has_one
   WHERE $5 > coalesce(h.held, 0)
   LIMIT $4
), share AS MATERIALIZED (
  SELECT ceil($4::numeric / greatest(count(*), 1))::bigint AS jobs FROM ready
), picked AS MATERIALIZED (
  SELECT j.tenant_id, j.sha256, j.extractor_version
    FROM ready
   CROSS JOIN LATERAL (SELECT tenant_id, sha256, extractor_version FROM extraction_job
                        WHERE tenant_id = ready.tenant_id AND lane = $1 AND state = 'q' AND not_before <= now()
                          AND extractor_version <= $2
                        ORDER BY not_before, created_at
                        LIMIT (SELECT least(share.jobs, ready.allowance) FROM share)
                          FOR UPDATE SKIP LOCKED) j
   LIMIT $4
), claimed AS (
  UPDATE extraction_job j
     SET state = 'r', attempt = attempt + 1, lease_token = gen_random_uuid(), claimed_by = $9::integer,
         lease_expires_at = clock_timestamp() + make_interval(secs => $8 / 1000.0), updated_at = clock_timestamp()
    FROM picked p
   WHERE j.tenant_id = p.tenant_id AND j.sha256 = p.sha256 AND j.extractor_version = p.extractor_version
  RETURNING j.*
), unsynced AS MATERIALIZED (
  SELECT set_config('synchronous_commit', 'off', true)
)
SELECT c.tenant_id, c.sha256, c.extractor_version, c.job_id, c.lease_token, c.attempt, c.failures, c.object_id,
       t.code, o.path, o.size_bytes
  FROM claimed c
 CROSS JOIN unsynced
  LEFT JOIN tenant t USING (tenant_id)
  LEFT JOIN LATERAL (SELECT path, size_bytes FROM object
                      WHERE tenant_id = c.tenant_id AND sha256 = c.sha256
                      ORDER BY object_id LIMIT 1) o ON true;
