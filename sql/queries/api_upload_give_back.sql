-- api_upload_give_back: what a shim had taken before it was restarted is free again.
-- in: worker   out: nothing
UPDATE upload SET worker = NULL, worked_at = NULL WHERE worker = $1;
