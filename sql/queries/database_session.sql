-- database_session: how a session of ours behaves: a statement is cancelled after its time, times are UTC, and a commit that was
-- answered is on disk (a server may have been told otherwise).
-- in: statement timeout in ms, as text   out: what was set
SELECT set_config('statement_timeout', $1, false),
       set_config('TimeZone', 'UTC', false),
       set_config('synchronous_commit',
                  CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
                  ELSE current_setting('synchronous_commit') END, false);
