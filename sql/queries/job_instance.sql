-- job_instance: a number for this extractd, and the advisory lock that shows that it lives (held by this connection).
-- in: instance (0: a new one)   out: instance
SELECT instance
  FROM (SELECT CASE WHEN $1 = 0 THEN nextval('extractor_instance') ELSE $1 END AS instance) i
 CROSS JOIN LATERAL (SELECT pg_advisory_lock(1954047332, i.instance::integer)) l;
