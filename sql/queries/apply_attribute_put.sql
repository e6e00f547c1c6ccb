-- apply_attribute_put: attributes as they are now.
-- in: tenant_id, inodes, names, values   out: nothing
INSERT INTO attribute (tenant_id, inode, name, value)
SELECT $1, a.* FROM unnest($2::bigint[], $3::bytea[], $4::bytea[]) a
ON CONFLICT (tenant_id, inode, name) DO UPDATE SET value = excluded.value;
