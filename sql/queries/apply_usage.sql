-- apply_usage: the counters after the batch (NULL: they did not change), and what a successor goes on from.
-- in: tenant_id, used_bytes, file_count, next_sequence, next_object_id   out: nothing
INSERT INTO tenant_usage AS u (tenant_id, used_bytes, file_count, next_sequence, next_object_id)
VALUES ($1, coalesce($2::bigint, 0), coalesce($3::bigint, 0), $4, $5)
ON CONFLICT (tenant_id) DO UPDATE
   SET used_bytes = coalesce($2::bigint, u.used_bytes), file_count = coalesce($3::bigint, u.file_count),
       next_sequence = greatest(u.next_sequence, excluded.next_sequence),
       next_object_id = greatest(u.next_object_id, excluded.next_object_id);
