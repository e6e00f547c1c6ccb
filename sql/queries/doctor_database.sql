-- doctor_database: what the server is and whether it keeps its promises.
-- in: nothing   out: version_number, version, is_standby, has_fsync, connections, connections_max
SELECT current_setting('server_version_num')::bigint AS version_number, current_setting('server_version') AS version,
       pg_is_in_recovery() AS is_standby,
       current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' AS has_fsync,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       current_setting('max_connections')::bigint AS connections_max;
