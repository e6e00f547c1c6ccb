-- api_revoked_tokens: the ids of tokens that no longer count and have not expired by themselves.
-- in: nothing   out: token_id
SELECT token_id FROM revoked_token WHERE expires_at > now();
