-- database_ping: whether the server answers, and whether it takes writes.
-- in: nothing   out: is_standby
SELECT pg_is_in_recovery() AS is_standby;
