-- job_list: jobs as operators see them, the newest change first, of one tenant or (null) of all, in one state or (null) in any.
-- in: tenant_id, state, lane, extractor, job_id, limit
-- out: job_id, tenant_id, tenant_code, sha256, extractor_version, state, lane, attempt, failures, size_bytes, error, extractor,
--      media_type, duration_ms, created_at, updated_at, completed_at, not_before, lease_expires_at, file_id, file name, files
SELECT j.job_id, j.tenant_id, j.code, j.sha256, j.extractor_version, j.state, j.lane, j.attempt, j.failures, j.size_bytes,
       j.error, r.extractor, r.media_type, r.duration_ms, j.created_at, j.updated_at, j.completed_at, j.not_before,
       j.lease_expires_at, f.file_id, f.name, coalesce(f.files, 0)
  FROM (SELECT t.code, each.*
          FROM tenant t
         CROSS JOIN LATERAL (SELECT * FROM extraction_job
                              WHERE tenant_id = t.tenant_id
                                AND ($2::"char" IS NULL OR state = $2)
                                AND ($3::"char" IS NULL OR lane = $3)
                                AND ($5::uuid IS NULL OR job_id = $5)
                                AND ($4::text IS NULL OR EXISTS (
                                      SELECT 1 FROM extraction_result x
                                       WHERE x.tenant_id = t.tenant_id AND x.sha256 = extraction_job.sha256
                                         AND x.extractor_version = extraction_job.extractor_version AND x.extractor = $4))
                              ORDER BY updated_at DESC, job_id
                              LIMIT $6) each
         WHERE ($1::bigint IS NULL OR t.tenant_id = $1)
         ORDER BY each.updated_at DESC, each.job_id
         LIMIT $6) j
  LEFT JOIN extraction_result r ON r.tenant_id = j.tenant_id AND r.sha256 = j.sha256 AND r.extractor_version = j.extractor_version
  LEFT JOIN LATERAL (SELECT n.file_id, e.name, count(*) OVER () AS files
                       FROM object o
                       JOIN node n ON n.tenant_id = o.tenant_id AND n.object_id = o.object_id AND n.nlink > 0
                       LEFT JOIN entry e ON e.tenant_id = n.tenant_id AND e.inode = n.inode
                      WHERE o.tenant_id = j.tenant_id AND o.sha256 = j.sha256
                      ORDER BY e.sequence
                      LIMIT 1) f ON true
 ORDER BY j.updated_at DESC, j.job_id;
