-- api_upload_chunks: the chunks of an upload, in their order.
-- in: tenant_id, upload_id   out: chunk_index, size_bytes
SELECT chunk_index, size_bytes FROM upload_chunk WHERE tenant_id = $1 AND upload_id = $2 ORDER BY chunk_index;
