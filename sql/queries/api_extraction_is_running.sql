-- api_extraction_is_running: whether any extractd is connected.
-- in: nothing   out: is_running
SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'extractd%');
