-- apply_object_delete: objects that nothing names any more; their bytes go after the commit. Found one by one (LIMIT), never by
-- going through the tenant's.
-- in: tenant_id, object_ids   out: nothing
DELETE FROM object
 WHERE tenant_id = $1
   AND ctid = ANY (ARRAY(SELECT o.ctid
                           FROM unnest($2::bigint[]) d (object_id)
                          CROSS JOIN LATERAL (SELECT ctid FROM object
                                               WHERE tenant_id = $1 AND object_id = d.object_id LIMIT 1) o));
