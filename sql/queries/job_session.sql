-- job_session: settings of a connection that works on the queue. Its statements are short ones over a few rows by their keys:
-- planned once, with nested loops, they need no statistics, which a queue never has right, and no planner each time. Texts are
-- compressed with lz4 where the server has it, at a third of the time.
-- in: nothing   out: nothing of use
SELECT set_config(name, value, false)
  FROM (VALUES ('plan_cache_mode', 'force_generic_plan'), ('enable_seqscan', 'off'), ('enable_hashjoin', 'off'),
               ('enable_mergejoin', 'off'), ('jit', 'off'), ('default_toast_compression', 'lz4')) wanted (name, value)
 WHERE EXISTS (SELECT 1 FROM pg_settings s
                WHERE s.name = wanted.name AND (s.enumvals IS NULL OR wanted.value = ANY (s.enumvals)));
