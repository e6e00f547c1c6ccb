-- usage_get: what a tenant holds, and what its holder goes on from.
-- in: tenant_id   out: used_bytes, file_count, next_sequence, next_object_id (no row: a new tenant)
SELECT used_bytes, file_count, next_sequence, next_object_id FROM tenant_usage WHERE tenant_id = $1;
