-- doctor_work: who is at work. An extractd that lives holds an advisory lock (job_instance), a mount its leases.
-- every tenant: the state of the whole instance is asked for.
-- in: nothing   out: extractors, queued, oldest_queued_s (0: none), failed_today, mounts, leases, tenants, deletions
SELECT (SELECT count(*) FROM pg_locks
         WHERE locktype = 'advisory' AND classid = 1954047332 AND objsubid = 2 AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS extractors,
       (SELECT count(*) FROM extraction_job WHERE state = 'q' AND not_before <= now()) AS queued,
       (SELECT coalesce(extract(epoch FROM now() - min(greatest(created_at, not_before))), 0)::bigint
          FROM extraction_job WHERE state = 'q' AND not_before <= now()) AS oldest_queued_s,
       (SELECT count(*) FROM extraction_job WHERE state = 'f' AND completed_at > now() - interval '1 day') AS failed_today,
       (SELECT count(DISTINCT holder) FROM tenant_lease WHERE expires_at > now()) AS mounts,
       (SELECT count(*) FROM tenant_lease WHERE expires_at > now()) AS leases,
       (SELECT count(*) FROM tenant) AS tenants,
       (SELECT count(*) FROM tenant WHERE delete_requested_at < now() - interval '10 minutes') AS deletions;
