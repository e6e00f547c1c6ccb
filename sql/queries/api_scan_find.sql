-- api_scan_find: a scan job with the letters of its content.
-- in: tenant_id, job_id
-- out: file_id, original_name, size_bytes, is_duplicate, created_at, state, error, updated_at, completed_at, letters, sha256
SELECT s.file_id, s.original_name, s.size_bytes, s.is_duplicate, s.created_at, j.state, j.error, j.updated_at, j.completed_at,
       r.letters, s.sha256
  FROM scan_job s
  LEFT JOIN LATERAL (SELECT state, error, updated_at, completed_at FROM extraction_job
                      WHERE tenant_id = s.tenant_id AND sha256 = s.sha256
                      ORDER BY extractor_version DESC LIMIT 1) j ON true
  LEFT JOIN LATERAL (SELECT letters FROM extraction_result
                      WHERE tenant_id = s.tenant_id AND sha256 = s.sha256 AND status = 'c'
                      ORDER BY extractor_version DESC LIMIT 1) r ON true
 WHERE s.tenant_id = $1 AND s.job_id = $2;
