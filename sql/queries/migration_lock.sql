-- migration_lock: two that migrate at once wait for one another; released with the transaction.
-- in: nothing   out: one row
-- The number is this program's own: the first eight bytes of SHA-256("tenantfs migrations") as a bigint.
SELECT pg_advisory_xact_lock(-1745959944741542470);
