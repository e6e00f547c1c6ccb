-- tenant_create: a tenant with its counters. A null takes the default of the schema, except for the limits, where it means none.
-- in: code, name, description, is_active, storage_quota_bytes, file_count_limit, configuration, owner_uid, owner_gid, mode
-- out: tenant_id
WITH fresh AS (
  INSERT INTO tenant (code, name, description, is_active, storage_quota_bytes, file_count_limit, configuration,
                      owner_uid, owner_gid, mode)
  VALUES ($1::text, coalesce($2::text, ''), coalesce($3::text, ''), coalesce($4::boolean, true), $5::bigint,
          $6::bigint, jsonb_strip_nulls(coalesce($7::jsonb, '{}')), coalesce($8::bigint, 0), coalesce($9::bigint, 0),
          coalesce($10::bigint, 504)::integer)
  RETURNING tenant_id
)
INSERT INTO tenant_usage (tenant_id)
SELECT tenant_id FROM fresh
RETURNING tenant_id;
