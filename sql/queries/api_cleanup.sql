-- api_cleanup: forgets what has run out: active files, scan jobs whose file is gone, datasets whose file is gone, revoked tokens that
-- have expired by themselves.
-- in: nothing   out: active_files, scan_jobs, datasets, revoked_tokens
WITH active AS (
  DELETE FROM active_file WHERE expires_at < now() RETURNING 1
), scan AS (
  DELETE FROM scan_job s
   WHERE s.created_at < now() - interval '7 days'
     AND NOT EXISTS (SELECT 1 FROM node n WHERE n.tenant_id = s.tenant_id AND n.file_id = s.file_id AND n.nlink > 0)
  RETURNING 1
), gone_dataset AS (
  DELETE FROM dataset d
   WHERE d.created_at < now() - interval '1 hour'
     AND (d.file_id IS NULL
          OR NOT EXISTS (SELECT 1 FROM node n WHERE n.tenant_id = d.tenant_id AND n.file_id = d.file_id AND n.nlink > 0))
  RETURNING 1
), token AS (
  DELETE FROM revoked_token WHERE expires_at < now() RETURNING 1
)
SELECT (SELECT count(*) FROM active) AS active_files, (SELECT count(*) FROM scan) AS scan_jobs,
       (SELECT count(*) FROM gone_dataset) AS datasets, (SELECT count(*) FROM token) AS revoked_tokens;
