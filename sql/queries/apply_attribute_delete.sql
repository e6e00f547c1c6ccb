-- apply_attribute_delete: attributes that were removed. Found one by one (LIMIT), never by going through the tenant's.
-- in: tenant_id, inodes, names   out: nothing
DELETE FROM attribute
 WHERE tenant_id = $1
   AND ctid = ANY (ARRAY(SELECT a.ctid
                           FROM unnest($2::bigint[], $3::bytea[]) d (inode, name)
                          CROSS JOIN LATERAL (SELECT ctid FROM attribute
                                               WHERE tenant_id = $1 AND inode = d.inode AND name = d.name
                                               LIMIT 1) a));
