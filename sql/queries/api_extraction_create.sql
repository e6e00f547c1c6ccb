-- api_extraction_create: asks for extractions of files: a row each, and a job for content that has none; with force, a job that is done
-- or failed is queued again. Wakes extractd.
-- in: tenant_id, file_ids, extraction_type, extractor_version, force   out: extraction_id, file_id, queued
WITH wanted AS (
  SELECT n.file_id, n.size_bytes, o.object_id, coalesce(o.sha256, sha256('')) AS sha256
    FROM node n
    LEFT JOIN object o ON o.tenant_id = n.tenant_id AND o.object_id = n.object_id
   WHERE n.tenant_id = $1 AND n.file_id = ANY ($2::text[]) AND n.nlink > 0
), created AS (
  INSERT INTO extraction (tenant_id, file_id, sha256, extraction_type)
  SELECT $1, file_id, sha256, $3 FROM wanted
  RETURNING extraction_id, file_id
), queued AS (
  INSERT INTO extraction_job AS j (tenant_id, sha256, extractor_version, object_id, size_bytes)
  SELECT DISTINCT ON (sha256) $1, sha256, $4::integer, object_id, size_bytes
    FROM wanted
   WHERE object_id IS NOT NULL
   ORDER BY sha256
  ON CONFLICT (tenant_id, sha256, extractor_version) DO UPDATE
     SET state = 'q', attempt = 0, failures = 0, lane = 'n', error = NULL, not_before = now(), updated_at = now(),
         completed_at = NULL, object_id = excluded.object_id
   WHERE $5::boolean AND j.state IN ('d', 'f', 'x')
  RETURNING 1
), told AS (
  SELECT count(*) AS queued, pg_notify('tenantfs_job', $1::text) FROM queued HAVING count(*) > 0
)
SELECT c.extraction_id, c.file_id, coalesce((SELECT queued FROM told), 0) AS queued FROM created c;
