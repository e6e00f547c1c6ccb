-- apply_rejection_add: what was refused, in the order in which it was.
-- in: tenant_id, file_ids, names, rules, reasons, uids, times in ns   out: nothing
INSERT INTO rejection (tenant_id, file_id, name, rule, reason, uid, rejected_at)
SELECT $1, r.file_id, r.name, r.rule, r.reason, r.uid, 'epoch'::timestamptz + r.time_ns / 1000 * interval '1 microsecond'
  FROM unnest($2::text[], $3::bytea[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
       r (file_id, name, rule, reason, uid, time_ns);
