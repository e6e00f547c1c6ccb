-- api_upload_forget_chunks: the chunks of an upload are in its file, or gone.
-- in: tenant_id, upload_id   out: nothing
DELETE FROM upload_chunk WHERE tenant_id = $1 AND upload_id = $2;
