-- tenant_stats: what a tenant holds, in figures, as one JSON object. Reads every file of it.
-- in: tenant_id   out: stats
WITH file AS (
  SELECT size_bytes, media_type, sha256, status, split_part(object_path, '/', 1) AS month
    FROM file_detail
   WHERE tenant_id = $1
), extracted AS (
  SELECT CASE state WHEN 'd' THEN 'completed' WHEN 'f' THEN 'failed' WHEN 'x' THEN 'cancelled'
                    WHEN 'r' THEN 'processing' ELSE 'pending' END AS status, count(*) AS jobs
    FROM extraction_job
   WHERE tenant_id = $1
   GROUP BY 1
)
SELECT jsonb_build_object(
         'code', t.code,
         'files', (SELECT count(*) FROM file),
         'bytes', (SELECT coalesce(sum(size_bytes), 0) FROM file),
         'distinct_contents', (SELECT count(DISTINCT sha256) FROM file),
         'folders', (SELECT count(*) FROM node WHERE tenant_id = $1 AND kind = 'd' AND nlink > 0),
         'quota', jsonb_build_object(
           'bytes', t.storage_quota_bytes, 'used_bytes', coalesce(u.used_bytes, 0),
           'percent', round(100.0 * coalesce(u.used_bytes, 0) / nullif(t.storage_quota_bytes, 0), 1),
           'files', t.file_count_limit, 'used_files', coalesce(u.file_count, 0)),
         'by_status', (SELECT coalesce(jsonb_object_agg(status, files), '{}')
                         FROM (SELECT status, count(*) AS files FROM file GROUP BY 1) s),
         'by_media_type', (SELECT coalesce(jsonb_object_agg(media_type, figures), '{}')
                             FROM (SELECT coalesce(media_type, 'inode/x-empty') AS media_type,
                                          jsonb_build_object('files', count(*), 'bytes', sum(size_bytes)) AS figures
                                     FROM file GROUP BY 1) s),
         'by_month', (SELECT coalesce(jsonb_object_agg(month, figures), '{}')
                        FROM (SELECT month, jsonb_build_object('files', count(*), 'bytes', sum(size_bytes)) AS figures
                                FROM file WHERE month <> '' GROUP BY 1) s),
         'extractions', (SELECT coalesce(jsonb_object_agg(status, jobs), '{}') FROM extracted),
         'rejections', (SELECT count(*) FROM rejection WHERE tenant_id = $1)) AS stats
  FROM tenant t
  LEFT JOIN tenant_usage u USING (tenant_id)
 WHERE t.tenant_id = $1;
