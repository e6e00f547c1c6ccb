-- api_dataset_settle: the upload's file is stored: the dataset is that file from now on.
-- in: tenant_id, sub, file_name, upload_id, file_id   out: nothing
UPDATE dataset SET file_id = $5 WHERE tenant_id = $1 AND sub = $2 AND file_name = $3 AND upload_id = $4;
