-- api_file: one file by its id, as file_find but without its path, which costs as much as all the rest.
-- in: tenant_id, file_id   out: as file_find, path is null
SELECT n.inode, n.file_id, e.name, NULL::bytea AS path, n.original_name, o.path AS object_path, n.size_bytes, o.media_type, o.sha256,
       CASE WHEN n.status = 'u' THEN 'uploading' WHEN n.status = 'e' THEN 'error'
            WHEN j.state = 'r' THEN 'processing' WHEN j.state IN ('d', 'f') THEN 'completed'
            ELSE 'uploaded' END AS status,
       n.validation, n.mode, n.nlink, n.uid, n.gid, n.mtime_ns, n.uploaded_at_ns, j.completed_at AS processed_at, n.uploaded_by,
       n.tags, n.description, n.metadata, n.visibility, j.state AS job_state, j.job_id, j.error AS job_error
  FROM (SELECT * FROM node WHERE tenant_id = $1 AND file_id = $2 AND kind = 'f' AND nlink > 0 OFFSET 0) n
 CROSS JOIN LATERAL (SELECT name FROM entry WHERE tenant_id = $1 AND inode = n.inode ORDER BY sequence LIMIT 1) e
  LEFT JOIN LATERAL (SELECT path, media_type, sha256 FROM object
                      WHERE tenant_id = $1 AND object_id = n.object_id OFFSET 0) o ON true
  LEFT JOIN LATERAL (SELECT state, completed_at, job_id, error FROM extraction_job
                      WHERE tenant_id = $1 AND sha256 = o.sha256 ORDER BY extractor_version DESC LIMIT 1) j ON true;
