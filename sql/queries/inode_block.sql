-- inode_block: the next block of inode numbers; a block is never given twice.
-- in: nothing   out: block
SELECT nextval('inode_block') AS block;
