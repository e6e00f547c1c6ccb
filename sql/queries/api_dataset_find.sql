-- api_dataset_find: the datasets of a user whose files are there: one by name, one by its file, or all, the newest first.
-- in: tenant_id, sub, file_name or null, file_id or null
-- out: file_name, description, summary, columns of file_find
SELECT d.file_name AS dataset_name, d.description AS dataset_description,
       (SELECT r.summary FROM extraction_result r
         WHERE r.tenant_id = d.tenant_id AND r.sha256 = f.sha256 ORDER BY r.extractor_version DESC LIMIT 1) AS summary,
       f.inode, f.file_id, f.name, entry_path(f.tenant_id, f.inode) AS path, f.original_name, f.object_path, f.size_bytes,
       f.media_type, f.sha256, f.status, f.validation, f.mode, f.nlink, f.uid, f.gid, f.mtime_ns, f.uploaded_at_ns,
       f.processed_at, f.uploaded_by, f.tags, f.description, f.metadata, f.visibility, f.job_state, f.job_id, f.job_error
  FROM dataset d
  JOIN file_detail f ON f.tenant_id = d.tenant_id AND f.file_id = d.file_id
 WHERE d.tenant_id = $1 AND d.sub = $2 AND ($3::text IS NULL OR d.file_name = $3) AND ($4::text IS NULL OR d.file_id = $4)
 ORDER BY d.created_at DESC, d.file_name
 LIMIT 10000;
