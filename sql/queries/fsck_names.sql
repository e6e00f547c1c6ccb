-- fsck_names: what is wrong among the names, files and objects of a tenant; no row when all is well.
-- in: tenant_id, rows at most
-- out: is_error, rule, inode, parent_inode, name, detail
WITH RECURSIVE root AS (
  SELECT root_inode, NOT EXISTS (SELECT 1 FROM tenant_lease l WHERE l.tenant_id = $1 AND l.expires_at > now()) AS is_idle
    FROM tenant WHERE tenant_id = $1
), reachable (inode) AS (
  SELECT root_inode FROM root
  UNION
  SELECT e.inode FROM reachable JOIN entry e ON e.tenant_id = $1 AND e.parent_inode = reachable.inode AND e.kind = 'd'
), names AS (
  SELECT inode, count(*) AS entries FROM entry WHERE tenant_id = $1 GROUP BY inode
), folders AS (
  SELECT parent_inode AS inode, count(*) AS folders FROM entry WHERE tenant_id = $1 AND kind = 'd' GROUP BY parent_inode
)
SELECT true AS is_error, 'entry_without_node' AS rule, e.inode, e.parent_inode, e.name,
       'the name leads to nothing' AS detail
  FROM entry e
 WHERE e.tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM node n WHERE n.tenant_id = $1 AND n.inode = e.inode)
UNION ALL
SELECT true, 'entry_kind', e.inode, e.parent_inode, e.name, format('the name says %s, the node %s', e.kind, n.kind)
  FROM entry e JOIN node n ON n.tenant_id = $1 AND n.inode = e.inode
 WHERE e.tenant_id = $1 AND n.kind <> e.kind
UNION ALL
SELECT true, 'entry_without_folder', e.inode, e.parent_inode, e.name, 'the folder it lies in is none'
  FROM entry e CROSS JOIN root
 WHERE e.tenant_id = $1 AND e.parent_inode <> root.root_inode
   AND NOT EXISTS (SELECT 1 FROM node n WHERE n.tenant_id = $1 AND n.inode = e.parent_inode AND n.kind = 'd')
UNION ALL
SELECT true, 'folder_unreachable', n.inode, 0, NULL::bytea, 'no path leads to this folder'
  FROM node n
 WHERE n.tenant_id = $1 AND n.kind = 'd' AND n.nlink > 0 AND n.inode NOT IN (SELECT inode FROM reachable)
UNION ALL
SELECT true, 'node_without_entry', n.inode, 0, NULL::bytea, format('no name leads to it, it counts %s', n.nlink)
  FROM node n CROSS JOIN root
 WHERE n.tenant_id = $1 AND n.nlink > 0 AND n.kind <> 'd' AND NOT EXISTS (SELECT 1 FROM names WHERE names.inode = n.inode)
UNION ALL
SELECT true, 'link_count', n.inode, 0, NULL::bytea,
       format('it counts %s, there are %s', n.nlink,
              CASE n.kind WHEN 'd' THEN 2 + coalesce(folders.folders, 0) ELSE coalesce(names.entries, 0) END)
  FROM node n
  LEFT JOIN names ON names.inode = n.inode
  LEFT JOIN folders ON folders.inode = n.inode
 WHERE n.tenant_id = $1 AND (names.inode IS NOT NULL OR n.kind = 'd' AND n.nlink > 0)
   AND n.nlink <> CASE n.kind WHEN 'd' THEN 2 + coalesce(folders.folders, 0) ELSE coalesce(names.entries, 0) END
UNION ALL
SELECT false, 'unlinked_left', n.inode, 0, NULL::bytea, 'removed while open; the next mount sweeps it'
  FROM node n CROSS JOIN root
 WHERE n.tenant_id = $1 AND n.nlink = 0 AND root.is_idle AND NOT EXISTS (SELECT 1 FROM names WHERE names.inode = n.inode)
UNION ALL
SELECT true, 'file_without_object', n.inode, 0, NULL::bytea, format('its object %s has no row', n.object_id)
  FROM node n
 WHERE n.tenant_id = $1 AND n.object_id IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM object o WHERE o.tenant_id = $1 AND o.object_id = n.object_id)
UNION ALL
SELECT true, 'file_size', n.inode, 0, NULL::bytea, format('the file has %s bytes, its object %s', n.size_bytes, o.size_bytes)
  FROM node n JOIN object o ON o.tenant_id = $1 AND o.object_id = n.object_id
 WHERE n.tenant_id = $1 AND n.size_bytes <> o.size_bytes
UNION ALL
SELECT true, 'object_unused', o.inode, 0, convert_to(o.path, 'UTF8'), format('no file names the object %s', o.object_id)
  FROM object o
 WHERE o.tenant_id = $1
   AND NOT EXISTS (SELECT 1 FROM node n WHERE n.tenant_id = $1 AND n.object_id = o.object_id)
UNION ALL
SELECT true, 'attribute_without_node', a.inode, 0, a.name, 'its file is gone'
  FROM attribute a
 WHERE a.tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM node n WHERE n.tenant_id = $1 AND n.inode = a.inode)
UNION ALL
SELECT true, 'job_without_result', 0, 0, convert_to(j.job_id::text, 'UTF8'), 'completed, but nothing was kept'
  FROM extraction_job j
 WHERE j.tenant_id = $1 AND j.state = 'd'
   AND NOT EXISTS (SELECT 1 FROM extraction_result r WHERE r.tenant_id = $1 AND r.sha256 = j.sha256
                                                       AND r.extractor_version = j.extractor_version)
 LIMIT $2::bigint;
