-- apply_spool_put: spools that an fsync has named.
-- in: tenant_id, inodes, names, sizes   out: nothing
INSERT INTO spool (tenant_id, inode, name, size_bytes)
SELECT $1, s.* FROM unnest($2::bigint[], $3::text[], $4::bigint[]) s
ON CONFLICT (tenant_id, inode) DO UPDATE SET name = excluded.name, size_bytes = excluded.size_bytes;
