-- load_attributes: the user's own extended attributes of a node.
-- in: tenant_id, inode   out: name, value
SELECT name, value
  FROM attribute
 WHERE tenant_id = $1 AND inode = $2
 ORDER BY name;
