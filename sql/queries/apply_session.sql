-- apply_session: how the session that applies batches plans and waits. Its statements find each row by its key, and are written so
-- that a plan made while the tables were empty, or their statistics wrong, does the same. A lock that somebody else keeps stops
-- one tenant for a second, not all of them.
-- in: nothing   out: what was set
SELECT set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_seqscan', 'off', false),
       set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),
       set_config('enable_sort', 'off', false), set_config('enable_material', 'off', false),
       set_config('jit', 'off', false), set_config('lock_timeout', '1s', false);
