-- api_extraction_cleanup: takes away extractions whose file is gone, and results and finished jobs of content that no file holds,
-- when they are older than so many days. What a living file shows stays.
-- in: tenant_id or null (all), days   out: extractions, results, jobs
WITH gone_extraction AS (
  DELETE FROM extraction x
   WHERE ($1::bigint IS NULL OR x.tenant_id = $1) AND x.created_at < now() - make_interval(days => $2::integer)
     AND NOT EXISTS (SELECT 1 FROM node n WHERE n.tenant_id = x.tenant_id AND n.file_id = x.file_id AND n.nlink > 0)
  RETURNING 1
), gone_result AS (
  DELETE FROM extraction_result r
   WHERE ($1 IS NULL OR r.tenant_id = $1) AND r.completed_at < now() - make_interval(days => $2::integer)
     AND NOT EXISTS (SELECT 1 FROM object o WHERE o.tenant_id = r.tenant_id AND o.sha256 = r.sha256)
  RETURNING 1
), gone_job AS (
  DELETE FROM extraction_job j
   WHERE ($1 IS NULL OR j.tenant_id = $1) AND j.state IN ('d', 'f', 'x')
     AND j.updated_at < now() - make_interval(days => $2::integer)
     AND NOT EXISTS (SELECT 1 FROM object o WHERE o.tenant_id = j.tenant_id AND o.sha256 = j.sha256)
  RETURNING 1
)
SELECT (SELECT count(*) FROM gone_extraction) AS extractions, (SELECT count(*) FROM gone_result) AS results,
       (SELECT count(*) FROM gone_job) AS jobs;
