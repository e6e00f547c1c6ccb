-- api_scan_create: a job for an upload that was stored. It repeats what this tenant had when the content was known and extracted before
-- the file was.
-- in: tenant_id, file_id, original_name, size_bytes, sub
-- out: job_id, is_duplicate, state, letters, created_at, sha256
WITH file AS (
  SELECT n.file_id, o.sha256, to_timestamp(n.uploaded_at_ns / 1e9) AS uploaded_at
    FROM node n
    LEFT JOIN object o ON o.tenant_id = n.tenant_id AND o.object_id = n.object_id
   WHERE n.tenant_id = $1 AND n.file_id = $2
), known AS (
  SELECT f.file_id, f.sha256, r.letters, r.completed_at <= f.uploaded_at AS was_there,
         (SELECT state FROM extraction_job j WHERE j.tenant_id = $1 AND j.sha256 = f.sha256
           ORDER BY extractor_version DESC LIMIT 1) AS state
    FROM file f
    LEFT JOIN LATERAL (SELECT letters, completed_at FROM extraction_result
                        WHERE tenant_id = $1 AND sha256 = f.sha256 AND status = 'c'
                        ORDER BY extractor_version DESC LIMIT 1) r ON true
), created AS (
  INSERT INTO scan_job (tenant_id, file_id, sha256, original_name, size_bytes, sub, is_duplicate)
  SELECT $1, file_id, sha256, $3, $4, $5, coalesce(was_there, false) FROM known
  RETURNING job_id, is_duplicate, created_at, sha256
)
SELECT c.job_id, c.is_duplicate, k.state, k.letters, c.created_at, c.sha256 FROM created c CROSS JOIN known k;
