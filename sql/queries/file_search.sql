-- file_search: the files of a tenant that fit every filter given, sorted, a page of them.
-- in: tenant_id, name pattern (LIKE), media type pattern (LIKE), tag, metadata it must contain, least size, largest size,
--     uploaded after (ns), uploaded before (ns), status, patterns the extracted text must all fit (text[]), month, uploaded_by,
--     sha256, sort (u n s m), descending, after uploaded_at_ns, after inode, skip, limit, whether to count
-- out: total (-1: not counted), then as file_find; inode is null when the page is empty
WITH hit AS (
  SELECT inode, uploaded_at_ns, name, size_bytes, media_type
    FROM file_detail d
   WHERE tenant_id = $1
     AND ($2::bytea IS NULL OR name LIKE $2 OR original_name LIKE $2)
     AND ($3::text IS NULL OR media_type LIKE $3)
     AND ($4::text IS NULL OR $4 = ANY (regexp_split_to_array(tags, '\s*,\s*')))
     AND ($5::jsonb IS NULL OR metadata @> $5)
     AND ($6::bigint IS NULL OR size_bytes >= $6)
     AND ($7::bigint IS NULL OR size_bytes <= $7)
     AND ($8::bigint IS NULL OR uploaded_at_ns > $8)
     AND ($9::bigint IS NULL OR uploaded_at_ns < $9)
     AND ($10::text IS NULL OR status = $10)
     AND ($11::text[] IS NULL OR EXISTS (SELECT 1 FROM current_result r
                                          WHERE r.tenant_id = $1 AND r.sha256 = d.sha256
                                            AND r.extracted_text ILIKE ALL ($11)))
     AND ($12::text IS NULL OR substring(entry_path($1, inode) FROM 1 FOR 8) = convert_to($12 || '/', 'UTF8'))
     AND ($13::text IS NULL OR uploaded_by = $13)
     AND ($14::bytea IS NULL OR sha256 = $14)
), page AS (
  SELECT inode, row_number() OVER (ORDER BY
           CASE WHEN $15::"char" = 'u' AND NOT $16::boolean THEN coalesce(uploaded_at_ns, 0) END,
           CASE WHEN $15 = 'u' AND $16 THEN coalesce(uploaded_at_ns, 0) END DESC,
           CASE WHEN $15 = 'n' AND NOT $16 THEN name END,
           CASE WHEN $15 = 'n' AND $16 THEN name END DESC,
           CASE WHEN $15 = 's' AND NOT $16 THEN size_bytes END,
           CASE WHEN $15 = 's' AND $16 THEN size_bytes END DESC,
           CASE WHEN $15 = 'm' AND NOT $16 THEN coalesce(media_type, '') END,
           CASE WHEN $15 = 'm' AND $16 THEN coalesce(media_type, '') END DESC,
           CASE WHEN NOT $16 THEN inode END,
           CASE WHEN $16 THEN inode END DESC) AS place
    FROM hit
   WHERE $18::bigint IS NULL
      OR CASE WHEN $16 THEN (coalesce(uploaded_at_ns, 0), inode) < ($17::bigint, $18)
              ELSE (coalesce(uploaded_at_ns, 0), inode) > ($17, $18) END
   ORDER BY place
  OFFSET $19::bigint
   LIMIT $20::bigint
)
SELECT c.total, d.*
  FROM (SELECT CASE WHEN $21::boolean THEN (SELECT count(*) FROM hit) ELSE -1 END AS total) c
  LEFT JOIN (SELECT f.inode, f.file_id, f.name, entry_path(f.tenant_id, f.inode) AS path, f.original_name, f.object_path,
                    f.size_bytes, f.media_type, f.sha256, f.status, f.validation, f.mode, f.nlink, f.uid, f.gid,
                    f.mtime_ns, f.uploaded_at_ns, f.processed_at, f.uploaded_by, f.tags, f.description, f.metadata,
                    f.visibility, f.job_state, f.job_id, f.job_error, page.place
               FROM page
               JOIN file_detail f ON f.tenant_id = $1 AND f.inode = page.inode) d ON true
 ORDER BY d.place;
