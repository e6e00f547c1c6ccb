-- tenant_change: sets the fields whose bit is in the mask (enum tenant_field of shared/meta/tenants.h).
-- in: tenant_id, mask, name, description, is_active, storage_quota_bytes, file_count_limit, configuration, owner_uid,
--     owner_gid, mode
-- out: tenant_id
-- 1 name, 2 description, 4 active, 8 quota, 16 file limit, 32 the whole configuration, 64 keys of it (null takes one
-- away), 128 owner, 256 group, 512 mode.
UPDATE tenant
   SET name = CASE WHEN $2::bigint & 1 <> 0 THEN $3::text ELSE name END,
       description = CASE WHEN $2 & 2 <> 0 THEN $4::text ELSE description END,
       is_active = CASE WHEN $2 & 4 <> 0 THEN $5::boolean ELSE is_active END,
       storage_quota_bytes = CASE WHEN $2 & 8 <> 0 THEN $6::bigint ELSE storage_quota_bytes END,
       file_count_limit = CASE WHEN $2 & 16 <> 0 THEN $7::bigint ELSE file_count_limit END,
       configuration = CASE WHEN $2 & 32 <> 0 THEN $8::jsonb
                            WHEN $2 & 64 <> 0 THEN jsonb_strip_nulls(configuration || $8::jsonb)
                            ELSE configuration END,
       owner_uid = CASE WHEN $2 & 128 <> 0 THEN $9::bigint ELSE owner_uid END,
       owner_gid = CASE WHEN $2 & 256 <> 0 THEN $10::bigint ELSE owner_gid END,
       mode = CASE WHEN $2 & 512 <> 0 THEN $11::bigint::integer ELSE mode END
 WHERE tenant_id = $1 AND delete_requested_at IS NULL
RETURNING tenant_id;
