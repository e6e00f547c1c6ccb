-- apply_object_delete: objects that nothing names any more; their bytes go after the commit.
-- in: tenant_id, object_ids   out: nothing
DELETE FROM object WHERE tenant_id = $1 AND object_id = ANY ($2::bigint[]);
