-- load_rejections: the last refused files of a tenant as one JSON array, the newest first. Names that are no UTF-8 are escaped.
-- in: tenant_id, rows at most   out: rejections
SELECT coalesce(jsonb_agg(jsonb_build_object('name', name_text(name), 'rule', rule, 'reason', reason, 'file_id', file_id,
                                             'uid', uid, 'time', rejected_at) ORDER BY rejection_id DESC), '[]') AS rejections
  FROM (SELECT * FROM rejection
         WHERE tenant_id = $1
         ORDER BY rejection_id DESC
         LIMIT $2::bigint) AS newest;
