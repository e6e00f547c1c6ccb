-- file_walk: follows a path from the tenant's folder, a name at a time.
-- in: tenant_id, names (bytea[])   out: inode
WITH RECURSIVE walk (depth, inode) AS (
  SELECT 0, root_inode FROM tenant WHERE tenant_id = $1
  UNION ALL
  SELECT walk.depth + 1, e.inode
    FROM walk
    JOIN entry e ON e.tenant_id = $1 AND e.parent_inode = walk.inode AND e.name = ($2::bytea[])[walk.depth + 1]
)
SELECT inode FROM walk WHERE depth = cardinality($2::bytea[]);
