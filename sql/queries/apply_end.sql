-- apply_end: tells who listens how far a tenant's changes have come.
-- in: tenant_id, position   out: nothing
SELECT pg_notify('tenantfs_commit', $1::text || ' ' || $2::text);
