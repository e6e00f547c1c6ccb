-- apply_entry_put: names as they are now.
-- in: tenant_id, then an array a column in the order below   out: nothing
INSERT INTO entry (tenant_id, parent_inode, name, inode, kind, sequence)
SELECT $1, e.* FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::"char"[], $6::bigint[]) e
ON CONFLICT (tenant_id, parent_inode, name) DO UPDATE
   SET inode = excluded.inode, kind = excluded.kind, sequence = excluded.sequence;
